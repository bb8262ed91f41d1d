/** Audio that is known by how it is made, as G.711 codes (ITU-T G.711), encoded here and nowhere else. */

export const RATE_HZ = 8000;
/** Amplitude of a sine of 0 dBm0 in A-law's scale: full scale less 3.14 dB. */
const SINE_AT_0_DBM0 = 32_768 / 10 ** (3.14 / 20);

export function tone(dbm0: number, hz: number, seconds: number): Float64Array {
  const amplitude = SINE_AT_0_DBM0 * 10 ** (dbm0 / 20);
  return Float64Array.from(
    { length: seconds * RATE_HZ },
    (_, n) => amplitude * Math.sin((2 * Math.PI * hz * n) / RATE_HZ),
  );
}

/** Always the same for the same seed (Park and Miller); normal by the sum of twelve. */
export function noise(dbm0: number, seconds: number, seed: number): Float64Array {
  const rms = (SINE_AT_0_DBM0 / Math.SQRT2) * 10 ** (dbm0 / 20);
  let state = seed;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Float64Array.from({ length: seconds * RATE_HZ }, () => {
    let total = -6;
    for (let n = 0; n < 12; n += 1) total += next();
    return rms * total;
  });
}

/** Noise with the colour of speech, in talk spurts of `onS` and pauses of `offS`; its level is that of the spurts. */
export function babble(dbm0: number, seconds: number, seed: number, onS = 1, offS = 0.5): Float64Array {
  const white = noise(0, seconds, seed);
  let before = 0;
  const coloured = white.map((sample) => (before = 0.85 * before + sample));
  const isOn = (n: number): boolean => (n / RATE_HZ) % (onS + offS) < onS;
  const on = coloured.filter((_, n) => isOn(n));
  const rms = Math.sqrt(on.reduce((sum, sample) => sum + sample * sample, 0) / on.length);
  const factor = ((SINE_AT_0_DBM0 / Math.SQRT2) * 10 ** (dbm0 / 20)) / rms;
  return coloured.map((sample, n) => (isOn(n) ? sample * factor : 0));
}

export function mixed(...parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts[0] ?? [], (_, n) => parts.reduce((total, part) => total + (part[n] ?? 0), 0));
}

export function delayed(samples: Float64Array, ms: number, gainDb: number): Float64Array {
  const by = Math.round((ms * RATE_HZ) / 1000);
  return samples.map((_, n) => (n < by ? 0 : (samples[n - by] ?? 0) * 10 ** (gainDb / 20)));
}

export function ulaw(samples: Float64Array): Uint8Array {
  return Uint8Array.from(samples, (sample) => {
    const magnitude = Math.min(32_635, Math.round(Math.abs(sample))) + 132;
    const segment = Math.floor(Math.log2(magnitude)) - 7;
    const code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f) | (sample < 0 ? 0x80 : 0);
    return ~code & 0xff;
  });
}

export function alaw(samples: Float64Array): Uint8Array {
  return Uint8Array.from(samples, (sample) => {
    const magnitude = Math.min(32_767, Math.round(Math.abs(sample)));
    const segment = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
    const step = segment === 0 ? magnitude >> 4 : (magnitude >> (segment + 3)) & 0x0f;
    return ((segment << 4) | step | (sample < 0 ? 0 : 0x80)) ^ 0x55;
  });
}
