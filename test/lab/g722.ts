import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ENCODER = join(import.meta.dirname, 'g722.py');

/** Samples of 16 bits at 16 kHz as G.722 codes, by spandsp: a byte for each two. */
export function g722(samples: Float64Array): Uint8Array {
  const pcm = Int16Array.from(samples, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample))));
  return execFileSync('python3', [ENCODER], { input: Buffer.from(pcm.buffer), maxBuffer: 50_000_000 });
}
