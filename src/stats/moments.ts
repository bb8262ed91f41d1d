/**
 * Running moments of a row of samples: Welford's recurrence for one more sample, Chan's parallel form for merging.
 * Plain values, so that they can be stored and gone on with.
 */
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

/** The moments with `weight` equal samples of `value` added; weight is a whole number of at least 1. */
export function addSample(moments: Moments, value: number, weight = 1): Moments {
  const count = moments.count + weight;
  const delta = value - moments.mean;
  const mean = moments.mean + (delta * weight) / count;
  return {
    count,
    last: value,
    min: moments.count === 0 ? value : Math.min(moments.min, value),
    max: moments.count === 0 ? value : Math.max(moments.max, value),
    mean,
    m2: moments.m2 + delta * (value - mean) * weight,
  };
}

/** What one pass over both rows would have given; `later` supplies the last sample. */
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

/** The moments of the samples each multiplied by `factor` (0 or above): a change of unit. */
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
  return moments.count < 2 ? 0 : Math.sqrt(Math.max(0, moments.m2) / moments.count);
}
