/** What a codec does to speech, for the E-model (ITU-T G.107 §7.5, G.113 Appendix I). */
export interface CodecImpairment {
  /** Equipment impairment factor without loss. */
  readonly ie: number;
  /** Robustness against packet loss; a small number suffers more. */
  readonly bpl: number;
  /** Base rating R0 − Is. */
  readonly r0Is: number;
  /** Rated on the wideband scale, whose best is 129: the opinion is taken of R / 1.29. */
  readonly isWidebandScale: boolean;
}

/** R0 − Is with G.107's default values, as the source of the table below has it. */
const NARROWBAND_R0_IS = 93.25;

function narrowband(ie: number, bpl: number): CodecImpairment {
  return { ie, bpl, r0Is: NARROWBAND_R0_IS, isWidebandScale: false };
}

/** By one name each; `ALIASES` leads the other names here. */
const IMPAIRMENTS = {
  // The table in Genesys SIP Endpoint SDK, "Audio statistics and MOS Calculation".
  g711: narrowband(0, 10),
  g722: narrowband(5, 7.1),
  g729: narrowband(10, 19),
  ilbc: narrowband(10, 28),
  // 109 is inferred: with ie 16 only it gives the table's own best of 93.
  opus: { ie: 16, bpl: 17, r0Is: 109, isWidebandScale: false },
  isac: { ie: 0, bpl: 10, r0Is: 120, isWidebandScale: true },
  // G.113 Appendix I (05/2002), table I.4: G.723.1 with VAD at 6.3 kbit/s.
  g723: narrowband(15, 16.1),
  // The same table: GSM-EFR, which is AMR's mode of 12.2 kbit/s.
  amr: narrowband(5, 10),
  // Table I.1 has Ie 20 for GSM full rate and no Bpl: that of its successor GSM-EFR.
  gsm: narrowband(20, 10),
  // Table I.1 has Ie 7 for G.726 at 32 kbit/s and no Bpl: that of G.711 without concealment, which it decodes to.
  g726: narrowband(7, 4.3),
} as const satisfies Readonly<Record<string, CodecImpairment>>;

/** Names in Asterisk, SDP and that table, lower case, without punctuation. */
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

/** A codec's impairment by any of its usual names; undefined for one that has none here: it gets no E-model score. */
export function codecImpairment(codec: string): CodecImpairment | undefined {
  const name = codec.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const key = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  return key !== undefined && Object.hasOwn(IMPAIRMENTS, key)
    ? IMPAIRMENTS[key as keyof typeof IMPAIRMENTS]
    : undefined;
}
