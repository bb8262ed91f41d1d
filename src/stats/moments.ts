/** Running moments of a row of samples: Welford's recurrence for one more sample, Chan's parallel form for merging. */
export interface Moments {
  readonly count: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Sum of squared differences from the mean. */
  readonly m2: number;
}

/** No samples: every other field is meaningless until `count` is above 0. */
export const NO_SAMPLES: Moments = { count: 0, last: 0, min: 0, max: 0, mean: 0, m2: 0 };

/** How many numbers the moments take in a row of numbers, in the order of their names. */
export const MOMENTS_SIZE = 6;
const COUNT = 0;
const LAST = 1;
const MIN = 2;
const MAX = 3;
const MEAN = 4;
const M2 = 5;

/** Adds `weight` equal samples of `value` to the moments that stand at `at`; weight is a whole number of at least 1. */
export function addSampleAt(row: number[], at: number, value: number, weight = 1): void {
  const before = row[at + COUNT] ?? 0;
  const count = before + weight;
  const oldMean = row[at + MEAN] ?? 0;
  const delta = value - oldMean;
  const mean = oldMean + (delta * weight) / count;
  row[at + COUNT] = count;
  row[at + LAST] = value;
  row[at + MIN] = before === 0 ? value : Math.min(row[at + MIN] ?? value, value);
  row[at + MAX] = before === 0 ? value : Math.max(row[at + MAX] ?? value, value);
  row[at + MEAN] = mean;
  row[at + M2] = (row[at + M2] ?? 0) + delta * (value - mean) * weight;
}

/** A copy of the moments that stand at `at`. */
export function momentsAt(row: readonly number[], at: number): Moments {
  return {
    count: row[at + COUNT] ?? 0,
    last: row[at + LAST] ?? 0,
    min: row[at + MIN] ?? 0,
    max: row[at + MAX] ?? 0,
    mean: row[at + MEAN] ?? 0,
    m2: row[at + M2] ?? 0,
  };
}

/** The next four read single moments of those that stand at `at`. */
export function countAt(row: readonly number[], at: number): number {
  return row[at + COUNT] ?? 0;
}

export function lastAt(row: readonly number[], at: number): number {
  return row[at + LAST] ?? 0;
}

export function meanAt(row: readonly number[], at: number): number {
  return row[at + MEAN] ?? 0;
}

/** The standard deviation after each sample is multiplied by `factor`, as `scaleMoments` gives it. */
export function standardDeviationAt(row: readonly number[], at: number, factor: number): number {
  const count = row[at + COUNT] ?? 0;
  return deviationOf(count, (row[at + M2] ?? 0) * factor * factor);
}

/** Replaces the moments that stand at `at`. */
export function setMomentsAt(row: number[], at: number, moments: Moments): void {
  row[at + COUNT] = moments.count;
  row[at + LAST] = moments.last;
  row[at + MIN] = moments.min;
  row[at + MAX] = moments.max;
  row[at + MEAN] = moments.mean;
  row[at + M2] = moments.m2;
}

/** The moments of both rows of samples together. The last sample is that of `later`. */
export function mergeMoments(earlier: Moments, later: Moments): Moments {
  if (earlier.count === 0) return later;
  if (later.count === 0) return earlier;
  const count = earlier.count + later.count;
  const delta = later.mean - earlier.mean;
  return {
    count,
    last: later.last,
    min: Math.min(earlier.min, later.min),
    max: Math.max(earlier.max, later.max),
    mean: earlier.mean + (delta * later.count) / count,
    m2: earlier.m2 + later.m2 + (delta * delta * earlier.count * later.count) / count,
  };
}

/** The moments after each sample is multiplied by `factor` (0 or above), as by a change of unit. */
export function scaleMoments(moments: Moments, factor: number): Moments {
  return {
    count: moments.count,
    last: moments.last * factor,
    min: moments.min * factor,
    max: moments.max * factor,
    mean: moments.mean * factor,
    m2: moments.m2 * factor * factor,
  };
}

/** Population standard deviation (divided by n); 0 for fewer than two samples. */
export function standardDeviation(moments: Moments): number {
  return deviationOf(moments.count, moments.m2);
}

function deviationOf(count: number, m2: number): number {
  return count < 2 ? 0 : Math.sqrt(Math.max(0, m2) / count);
}
