import type { DeviceName } from '../model/phones/device.ts';

const LONGEST_PART = 40;
/** `96.86.0.100`, `v1.0.0`, `4.0.13-Final`: it begins with a digit. */
const VERSION = String.raw`v?(\d[\w.+-]*)`;

/**
 * How makers write their User-Agent; the first pattern that fits counts. Make, model and firmware are its groups. A make that the
 * text does not contain is given beside it.
 */
const DIALECTS: readonly (readonly [pattern: RegExp, make?: string])[] = [
  // PolycomVVX-VVX_411-UA/5.9.0.9373, PolyEdge-Edge_E320-UA/8.0.1, PolycomSoundPointIP-SPIP_450-UA/4.0.1
  [new RegExp(`^Poly[\\w]*-([\\w ]+?)-UA/${VERSION}`), 'Poly'],
  // Cisco-CP-8841-3PCC/11.3.1, Cisco/SPA504G-7.6.2
  [new RegExp(`^Cisco[-/]((?:CP-)?[\\w]+?(?:-3PCC)?)[-/]${VERSION}`), 'Cisco'],
  // snomD785/10.1.73.16, snom870/8.7.5.35
  [new RegExp(`^snom(\\w+)/${VERSION}`, 'i'), 'Snom'],
  // Panasonic_KX-HDV230/08.104, Panasonic-MPR04/…
  [new RegExp(`^Panasonic[-_]([\\w-]+)/${VERSION}`), 'Panasonic'],
  // AUDC-C450HD/3.4.6, AUDC-IPPhone-430HD_UC_2.2.12
  [new RegExp(`^AUDC-(?:IPPhone-)?(\\w+?)(?:_UC_|/)${VERSION}`), 'AudioCodes'],
];
/** `Yealink SIP-T54W 96.86.0.100`, `Grandstream GXP2160 1.0.11.6`, `Gigaset N510 IP PRO/42.250.00`. */
const MAKE_MODEL_VERSION = new RegExp(`^([A-Z][A-Za-z]+) ([\\w-]+(?: [A-Z]+)*)[ /]${VERSION}`);
/** `Linphonec/5.1.65`, `baresip v1.0.0 (x86_64/linux)`, `Zoiper rv2.10`. */
const MAKE_VERSION = new RegExp(`^([A-Za-z][\\w.-]*)[ /]r?${VERSION}`);

/** Make, model and firmware of a User-Agent or Server header. What cannot be told apart is the make, without what follows it. */
export function readUserAgent(text: string): DeviceName {
  for (const [pattern, make = ''] of DIALECTS) {
    const [, model, firmware] = pattern.exec(text) ?? [];
    if (model !== undefined && firmware !== undefined) return named(make, model.replaceAll('_', ' '), firmware);
  }
  const [, make, model, firmware] = MAKE_MODEL_VERSION.exec(text) ?? [];
  if (make !== undefined && model !== undefined && firmware !== undefined) return named(make, model, firmware);
  const [, program, version] = MAKE_VERSION.exec(text) ?? [];
  if (program !== undefined && version !== undefined) return named(program, null, version);
  const [word] = /^[A-Za-z][\w.-]*/.exec(text) ?? [];
  return named(word ?? null, null, null);
}

function named(make: string | null, model: string | null, firmware: string | null): DeviceName {
  const part = (text: string | null): string | null => text?.slice(0, LONGEST_PART) ?? null;
  return { make: part(make), model: part(model), firmware: part(firmware) };
}
