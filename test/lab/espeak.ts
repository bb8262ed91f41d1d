import { execFileSync } from 'node:child_process';

const RATE_HZ = 8000;
/** What a telephone passes. */
const HIGHEST_HZ = 3400;
const TAPS_EACH_WAY = 64;

/** What espeak-ng says, as samples of 16 bits at 8 kHz. */
export function spoken(text: string, voice = 'en'): Float64Array {
  const wav = execFileSync('espeak-ng', ['-v', voice, '--stdout', text], { maxBuffer: 50_000_000 });
  const at = wav.indexOf('data', 12, 'latin1');
  const rateHz = wav.readUInt32LE(24);
  const samples = new Float64Array((wav.length - at - 8) >> 1);
  for (let n = 0; n < samples.length; n += 1) samples[n] = wav.readInt16LE(at + 8 + 2 * n);
  return resampled(samples, rateHz);
}

/** By a low-pass of sinc and Hann's window, taken where the new samples are. */
function resampled(samples: Float64Array, fromHz: number): Float64Array {
  const cutoff = HIGHEST_HZ / fromHz;
  return Float64Array.from({ length: Math.floor((samples.length * RATE_HZ) / fromHz) }, (_, n) => {
    const centre = (n * fromHz) / RATE_HZ;
    let sum = 0;
    for (let index = Math.ceil(centre) - TAPS_EACH_WAY; index < centre + TAPS_EACH_WAY; index += 1) {
      const x = index - centre;
      const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
      sum += (samples[index] ?? 0) * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / TAPS_EACH_WAY));
    }
    return sum;
  });
}
