/** How well one row of numbers orders another, with the 95 % confidence interval. */
export interface RankCorrelation {
  /** Spearman's rho: 1 for the same order, -1 for the opposite one, 0 for no relation. */
  readonly rho: number;
  readonly low: number;
  readonly high: number;
}

export interface WeightedPair {
  readonly x: number;
  readonly y: number;
  /** How many of the population this pair stands for; above 0. */
  readonly weight: number;
}

const FEWEST_PAIRS = 10;
/** The normal distribution's quantile for a two-sided 95 %. */
const Z_95 = 1.959_964;
/** Fieller, Hartley and Pearson 1957: the variance of Fisher's z for Spearman's rho is 1.06 / (n − 3). */
const FIELLER = 1.06;

/** How many equal weights tell as much as these (Kish 1965): (Σw)² / Σw². 0 for none. */
export function effectiveCount(weights: readonly number[]): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  return squares === 0 ? 0 : (sum * sum) / squares;
}

/** Spearman's rank correlation of weighted pairs; null for fewer than ten, or where one side never changes. */
export function rankCorrelation(pairs: readonly WeightedPair[]): RankCorrelation | null {
  const count = effectiveCount(pairs.map(({ weight }) => weight));
  if (pairs.length < FEWEST_PAIRS || count < FEWEST_PAIRS) return null;
  const rho = correlation(
    ranks(pairs, ({ x }) => x),
    ranks(pairs, ({ y }) => y),
    pairs,
  );
  if (rho === null) return null;
  const bounded = Math.min(1 - 1e-9, Math.max(-1 + 1e-9, rho));
  const half = Z_95 * Math.sqrt(FIELLER / (count - 3));
  return { rho, low: Math.tanh(Math.atanh(bounded) - half), high: Math.tanh(Math.atanh(bounded) + half) };
}

/** The rank of each pair, from 0 to 1. Equal values share the middle of their ranks. */
function ranks(pairs: readonly WeightedPair[], valueOf: (pair: WeightedPair) => number): number[] {
  const total = pairs.reduce((sum, { weight }) => sum + weight, 0);
  const order = pairs.map((_, index) => index).sort((a, b) => valueAt(a) - valueAt(b));
  const places = pairs.map(() => 0);
  let before = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    let own = 0;
    const value = valueAt(order[from] ?? 0);
    for (; to < order.length && valueAt(order[to] ?? 0) === value; to++) own += pairs[order[to] ?? 0]?.weight ?? 0;
    for (const index of order.slice(from, to)) places[index] = (before + own / 2) / total;
    before += own;
    from = to;
  }
  return places;

  function valueAt(index: number): number {
    const pair = pairs[index];
    return pair === undefined ? 0 : valueOf(pair);
  }
}

/** Pearson's correlation, weighted; null where one side never changes. */
function correlation(xs: readonly number[], ys: readonly number[], pairs: readonly WeightedPair[]): number | null {
  let total = 0;
  let meanX = 0;
  let meanY = 0;
  for (const [index, { weight }] of pairs.entries()) {
    total += weight;
    meanX += weight * (xs[index] ?? 0);
    meanY += weight * (ys[index] ?? 0);
  }
  meanX /= total;
  meanY /= total;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (const [index, { weight }] of pairs.entries()) {
    const dx = (xs[index] ?? 0) - meanX;
    const dy = (ys[index] ?? 0) - meanY;
    xx += weight * dx * dx;
    yy += weight * dy * dy;
    xy += weight * dx * dy;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}
