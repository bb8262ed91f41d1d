import type { DeviceName } from '../../model/phones/device.ts';

/** What a measurement says about a phone: only what many phones have. Null is unknown. */
export interface KnownDevice {
  readonly make: string;
  readonly model: string | null;
  readonly firmware: string | null;
}

/** Makes as they stand in User-Agents, each with the pattern of its models. */
const MAKES: readonly (readonly [make: string, pattern: RegExp, model: RegExp | null])[] = [
  ['yealink', /yealink/i, /\b(?:SIP-)?([TWCV]P?\d{2,3}[A-Z]{0,2})\b/],
  ['snom', /snom/i, /snom ?([A-Z]?\d{3,4}[A-Z]?)\b/i],
  ['grandstream', /grandstream/i, /\b((?:GXP|GRP|GXV|HT|DP|WP|GAC)\d{3,4}[A-Z]?)\b/i],
  ['polycom', /poly(?:com)?\b|polyedge|polycomvvx/i, /\b(VVX[ _-]?\d{3,4}|Edge[A-Z]?\d{2,3}|SPIP[ _-]?\d{3})\b/i],
  ['cisco', /cisco|linksys|sipura/i, /\b((?:CP-?|SPA-?|ATA-?)\d{3,4}[A-Z]{0,2})\b/i],
  ['fanvil', /fanvil/i, /\b([XVHAi]\d{1,3}[A-Z]{0,3})\b/],
  ['gigaset', /gigaset/i, /\b([NS]\d{3}[A-Z]? ?(?:IP|PRO)?)\b/i],
  ['mitel', /mitel|aastra/i, /\b(6\d{3}[a-z]?)\b/i],
  ['panasonic', /panasonic/i, /\b(KX-[A-Z]{2,3}\d{3,4}[A-Z]?)\b/i],
  ['avm', /fritz!?(?:box|fon)?/i, /FRITZ!?Box ?(?:Fon )?(?:WLAN )?(\d{4})\b/i],
  ['linphone', /linphone/i, null],
  ['microsip', /microsip/i, null],
  ['zoiper', /zoiper/i, null],
  ['bria', /\bbria\b|x-lite|counterpath/i, null],
  ['groundwire', /groundwire|acrobits/i, null],
  ['jitsi', /jitsi/i, null],
  ['baresip', /baresip/i, null],
  ['jssip', /jssip/i, null],
  ['sipjs', /sip\.js/i, null],
  ['asterisk', /asterisk|fpbx/i, null],
  ['freeswitch', /freeswitch/i, null],
  ['kamailio', /kamailio/i, null],
];

/** At least two short numbers. A single one might be anything, a long one a serial number or a hardware address. */
const FIRMWARE = /^(\d{1,3}(?:\.\d{1,4}){1,3})(?![\w.])/;
/** Makes without models: programs. */
const NO_MODEL: ReadonlySet<string> = new Set(['pbx']);

/**
 * Make, model and firmware of a device, cut to what many devices have. Null when the make is unknown: the rest may be
 * somebody's name. Model and version must match their patterns, and without a model there is no version, since it may be an
 * address.
 */
export function knownDevice({ make, model, firmware }: DeviceName): KnownDevice | null {
  const text = [make, model].filter((part) => part !== null).join(' ');
  for (const [known, makes, models] of MAKES) {
    if (!makes.test(text)) continue;
    const modelled = models?.exec(text)?.[1] ?? null;
    const isWhole = modelled !== null || model === null || NO_MODEL.has(model.toLowerCase());
    return {
      make: known,
      model: modelled?.toLowerCase().replaceAll(/[ _]/g, '-') ?? null,
      firmware: isWhole ? (FIRMWARE.exec(firmware ?? '')?.[1] ?? null) : null,
    };
  }
  return null;
}
