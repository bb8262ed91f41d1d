/** RTP clock rates by Asterisk's codec names, Hz. G.722's is 8000 although it samples at 16000 (RFC 3551 §4.5.2). */
const CLOCK_RATES_HZ: Readonly<Record<string, number>> = {
  ulaw: 8000,
  alaw: 8000,
  g722: 8000,
  g723: 8000,
  g726: 8000,
  g726aal2: 8000,
  g729: 8000,
  gsm: 8000,
  ilbc: 8000,
  adpcm: 8000,
  lpc10: 8000,
  slin: 8000,
  speex: 8000,
  silk8: 8000,
  slin16: 16_000,
  speex16: 16_000,
  siren7: 16_000,
  silk16: 16_000,
  slin24: 24_000,
  speex32: 32_000,
  siren14: 32_000,
  slin44: 44_100,
  slin48: 48_000,
  g719: 48_000,
  opus: 48_000,
};

/** The RTP clock of a codec, Hz; undefined for one that we do not know. */
export function codecClockRateHz(codec: string): number | undefined {
  return Object.hasOwn(CLOCK_RATES_HZ, codec) ? CLOCK_RATES_HZ[codec] : undefined;
}
