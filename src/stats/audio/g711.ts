/** G.711 codes as 16-bit linear samples (ITU-T G.711, tables 1 and 2). */

const CODES = 256;
const BIAS_ULAW = 0x84;
const EVEN_BITS_ALAW = 0x55;

export const ULAW_SAMPLES: Int16Array = Int16Array.from({ length: CODES }, (_, code) => fromUlaw(code));
export const ALAW_SAMPLES: Int16Array = Int16Array.from({ length: CODES }, (_, code) => fromAlaw(code));

/** Codes are sent inverted; the eight segments double in size. */
function fromUlaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + BIAS_ULAW) << ((bits & 0x70) >> 4)) - BIAS_ULAW;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

/** Every other bit is sent inverted; the two lowest of the eight segments have one step size. */
function fromAlaw(code: number): number {
  const bits = code ^ EVEN_BITS_ALAW;
  const segment = (bits & 0x70) >> 4;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

/** The squares of the samples, by their codes. */
export const ULAW_POWERS: Float64Array = Float64Array.from(ULAW_SAMPLES, (sample) => sample * sample);
export const ALAW_POWERS: Float64Array = Float64Array.from(ALAW_SAMPLES, (sample) => sample * sample);
