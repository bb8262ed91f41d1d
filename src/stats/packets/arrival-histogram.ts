import type { ArrivalBin } from '../../model/capture.ts';

/**
 * Bins of half an octave: from 0 to 1 ms, then from 2^(k/2) to 2^((k+1)/2) ms up to 16384 ms, and one above.
 * Usual packet times (10, 20, 30, 40, 60 ms) lie well inside a bin, so that jitter does not split them at an edge.
 */
const OCTAVES = 14;
export const ARRIVAL_BINS = OCTAVES * 2 + 2;
/** Bound on an interval, so that its square, whose power of two is the bin, fits 31 bits. */
const TOP_MS = 2 ** OCTAVES;

/** The bin of an interval between two arrivals, ms. A negative interval (the clock was set back) counts as 0. */
export function arrivalBin(intervalMs: number): number {
  if (!(intervalMs >= 1)) return 0;
  if (intervalMs >= TOP_MS) return ARRIVAL_BINS - 1;
  // ms² lies between 2^k and 2^(k+1) exactly when ms lies between 2^(k/2) and 2^((k+1)/2).
  return 32 - Math.clz32(intervalMs * intervalMs);
}

/** The bins that are not empty, from the shortest interval to the longest. */
export function arrivalBins(counts: ArrayLike<number>): ArrivalBin[] {
  const bins: ArrivalBin[] = [];
  for (let bin = 0; bin < ARRIVAL_BINS; bin += 1) {
    const count = counts[bin] ?? 0;
    if (count === 0) continue;
    bins.push({
      fromMs: bin === 0 ? 0 : 2 ** ((bin - 1) / 2),
      toMs: bin === ARRIVAL_BINS - 1 ? null : 2 ** (bin / 2),
      count,
    });
  }
  return bins;
}
