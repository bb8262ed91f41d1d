import { execFileSync } from 'node:child_process';

/** What a telephone passes at each rate of samples. */
const HIGHEST_HZ = { 8000: 3400, 16_000: 7000 } as const;
const TAPS_EACH_WAY = 64;

/** What espeak-ng says, as samples of 16 bits. */
export function spoken(text: string, voice = 'en', toHz: keyof typeof HIGHEST_HZ = 8000): Float64Array {
  const wav = execFileSync('espeak-ng', ['-v', voice, '--stdout', text], { maxBuffer: 50_000_000 });
  const at = wav.indexOf('data', 12, 'latin1');
  const rateHz = wav.readUInt32LE(24);
  const samples = new Float64Array((wav.length - at - 8) >> 1);
  for (let n = 0; n < samples.length; n += 1) samples[n] = wav.readInt16LE(at + 8 + 2 * n);
  return resampled(samples, rateHz, toHz);
}

/** By a low-pass of sinc and Hann's window, taken where the new samples are. */
function resampled(samples: Float64Array, fromHz: number, toHz: keyof typeof HIGHEST_HZ): Float64Array {
  const cutoff = HIGHEST_HZ[toHz] / fromHz;
  return Float64Array.from({ length: Math.floor((samples.length * toHz) / fromHz) }, (_, n) => {
    const centre = (n * fromHz) / toHz;
    let sum = 0;
    for (let index = Math.ceil(centre) - TAPS_EACH_WAY; index < centre + TAPS_EACH_WAY; index += 1) {
      const x = index - centre;
      const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
      sum += (samples[index] ?? 0) * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / TAPS_EACH_WAY));
    }
    return sum;
  });
}
