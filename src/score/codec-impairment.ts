import type { CodecImpairment, CodecSettings, CodecTable } from '../model/score.ts';

/** R0 − Is for G.107's default values, as the source of the table below gives it. */
const NARROWBAND_R0_IS = 93.25;

function narrowband(ie: number, bpl: number): CodecImpairment {
  return { ie, bpl, r0Is: NARROWBAND_R0_IS, isWidebandScale: false };
}

/** Each codec under one name; `ALIASES` has its other names. */
const IMPAIRMENTS = {
  // The table in Genesys SIP Endpoint SDK, "Audio statistics and MOS Calculation".
  g711: narrowband(0, 10),
  g722: narrowband(5, 7.1),
  g729: narrowband(10, 19),
  ilbc: narrowband(10, 28),
  // 109 is inferred: with ie 16, only that gives the table's own best R of 93.
  opus: { ie: 16, bpl: 17, r0Is: 109, isWidebandScale: false },
  isac: { ie: 0, bpl: 10, r0Is: 120, isWidebandScale: true },
  // G.113 Appendix I (05/2002), table I.4: G.723.1 with VAD at 6.3 kbit/s.
  g723: narrowband(15, 16.1),
  // The same table: GSM-EFR, which is AMR's mode of 12.2 kbit/s.
  amr: narrowband(5, 10),
  // Table I.1 has Ie 20 for GSM full rate and no Bpl; this Bpl is that of its successor, GSM-EFR.
  gsm: narrowband(20, 10),
  // Table I.1 has Ie 7 for G.726 at 32 kbit/s and no Bpl; this Bpl is that of G.711 without concealment, to which G.726 decodes.
  g726: narrowband(7, 4.3),
} as const satisfies Readonly<Record<string, CodecImpairment>>;

export const G711: CodecImpairment = IMPAIRMENTS.g711;

/** Codec names in Asterisk, SDP and that table, in lower case and without punctuation. */
const ALIASES: Readonly<Record<string, keyof typeof IMPAIRMENTS>> = {
  ulaw: 'g711',
  alaw: 'g711',
  pcmu: 'g711',
  pcma: 'g711',
  g729a: 'g729',
  g7231: 'g723',
  g72632: 'g726',
  g726aal2: 'g726',
  gsmefr: 'amr',
};

/**
 * The impairment of a codec, by any of its usual names, with what the settings say about it. Undefined: the codec has none, and
 * the settings do not give both `ie` and `bpl`, so there is no E-model score.
 */
export function codecImpairment(codec: string, settings?: CodecTable): CodecImpairment | undefined {
  const known = knownImpairment(codec);
  const own = settings === undefined ? undefined : codecSettings(codec, settings);
  if (own === undefined) return known;
  const ie = own.ie ?? known?.ie;
  const bpl = own.bpl ?? known?.bpl;
  if (ie === undefined || bpl === undefined) return known;
  const r0Is = own.r0Is ?? known?.r0Is ?? NARROWBAND_R0_IS;
  return { ie, bpl, r0Is, isWidebandScale: known?.isWidebandScale ?? false };
}

/** What the settings say about a codec, under the given name or else under the name in the table above. */
export function codecSettings(codec: string, settings: CodecTable): CodecSettings | undefined {
  if (settings.size === 0) return undefined;
  return settings.get(codec.toLowerCase()) ?? settings.get(keyOf(codec) ?? '');
}

function knownImpairment(codec: string): CodecImpairment | undefined {
  const key = keyOf(codec);
  return key === undefined ? undefined : IMPAIRMENTS[key];
}

function keyOf(codec: string): keyof typeof IMPAIRMENTS | undefined {
  // Every report looks its codec up. Asterisk's names are found without cleaning.
  return keyOfName(codec) ?? keyOfName(codec.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}

function keyOfName(name: string): keyof typeof IMPAIRMENTS | undefined {
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name];
  return Object.hasOwn(IMPAIRMENTS, name) ? (name as keyof typeof IMPAIRMENTS) : undefined;
}
