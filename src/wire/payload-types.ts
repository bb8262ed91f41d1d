/** A codec by its Asterisk name, lower case, with the RTP clock that its payload type has. */
export interface PayloadFormat {
  readonly codec: string;
  readonly clockRateHz: number;
}

/** Names that are no codec of their own: noise between the words, and keys pressed. */
export const COMFORT_NOISE = 'cn';
export const TELEPHONE_EVENT = 'telephone-event';

/** RFC 3551 §6, tables 4 and 5. The RTP clock of G.722 is 8000 although it samples at 16000. */
const STATIC_FORMATS: Readonly<Record<number, PayloadFormat>> = {
  0: { codec: 'ulaw', clockRateHz: 8000 },
  3: { codec: 'gsm', clockRateHz: 8000 },
  4: { codec: 'g723', clockRateHz: 8000 },
  5: { codec: 'adpcm', clockRateHz: 8000 },
  6: { codec: 'adpcm', clockRateHz: 16_000 },
  7: { codec: 'lpc10', clockRateHz: 8000 },
  8: { codec: 'alaw', clockRateHz: 8000 },
  9: { codec: 'g722', clockRateHz: 8000 },
  10: { codec: 'slin44', clockRateHz: 44_100 },
  11: { codec: 'slin44', clockRateHz: 44_100 },
  12: { codec: 'qcelp', clockRateHz: 8000 },
  13: { codec: COMFORT_NOISE, clockRateHz: 8000 },
  14: { codec: 'mpa', clockRateHz: 90_000 },
  15: { codec: 'g728', clockRateHz: 8000 },
  16: { codec: 'adpcm', clockRateHz: 11_025 },
  17: { codec: 'adpcm', clockRateHz: 22_050 },
  18: { codec: 'g729', clockRateHz: 8000 },
  26: { codec: 'jpeg', clockRateHz: 90_000 },
  31: { codec: 'h261', clockRateHz: 90_000 },
  32: { codec: 'mpv', clockRateHz: 90_000 },
  33: { codec: 'mp2t', clockRateHz: 90_000 },
  34: { codec: 'h263', clockRateHz: 90_000 },
};

/** SDP's encoding names where Asterisk has another one; any other name is the same in lower case. */
const ASTERISK_NAMES: Readonly<Record<string, string>> = {
  pcmu: 'ulaw',
  pcma: 'alaw',
  dvi4: 'adpcm',
  lpc: 'lpc10',
  'g726-32': 'g726',
  'aal2-g726-32': 'g726aal2',
};

/** RTP clocks that an SDP may ask for, Hz; anything else is a mistake or an attack. */
const MIN_CLOCK_RATE_HZ = 1000;
const MAX_CLOCK_RATE_HZ = 384_000;

/** The format of a static payload type; undefined: it is dynamic or reserved. */
export function staticFormat(payloadType: number): PayloadFormat | undefined {
  return Object.hasOwn(STATIC_FORMATS, payloadType) ? STATIC_FORMATS[payloadType] : undefined;
}

/** Whether a codec has a static payload type, so that a dynamic one does not mean it. */
export function hasStaticPayloadType(codec: string): boolean {
  return Object.values(STATIC_FORMATS).some((format) => format.codec === codec);
}

/** An `a=rtpmap` as Asterisk would call it; undefined when its clock makes no sense. */
export function formatFromSdp(encodingName: string, clockRateHz: number): PayloadFormat | undefined {
  if (!(clockRateHz >= MIN_CLOCK_RATE_HZ && clockRateHz <= MAX_CLOCK_RATE_HZ)) return undefined;
  const name = encodingName.toLowerCase();
  const codec = name === 'l16' ? `slin${clockRateHz === 8000 ? '' : Math.floor(clockRateHz / 1000)}` : name;
  return { codec: Object.hasOwn(ASTERISK_NAMES, codec) ? (ASTERISK_NAMES[codec] ?? codec) : codec, clockRateHz };
}
