/** Two shares that differ by less than rounding count as equally likely. */
const TOLERANCE = 1 + 1e-7;
const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];
const LANCZOS_G = 7;

/**
 * Fisher's exact test, two-sided: how likely chance alone makes two shares differ as much as `ones` of `many` and `otherOnes` of
 * `otherMany`, or more. 1 when either is empty. All arguments are whole numbers of 0 or more.
 */
export function fisherExact(ones: number, many: number, otherOnes: number, otherMany: number): number {
  const allOnes = ones + otherOnes;
  const all = many + otherMany;
  if (many === 0 || otherMany === 0 || allOnes === 0 || allOnes === all) return 1;
  const least = Math.max(0, allOnes - otherMany);
  const most = Math.min(allOnes, many);
  const probability = (count: number): number =>
    Math.exp(lnChoose(many, count) + lnChoose(otherMany, allOnes - count) - lnChoose(all, allOnes));
  const observed = probability(ones) * TOLERANCE;
  let sum = 0;
  for (let count = least; count <= most; count += 1) {
    const one = probability(count);
    if (one <= observed) sum += one;
  }
  return Math.min(1, sum);
}

function lnChoose(many: number, ones: number): number {
  return lnGamma(many + 1) - lnGamma(ones + 1) - lnGamma(many - ones + 1);
}

/** Lanczos' approximation (g = 7, 9 terms): 15 digits for 1 and more. */
function lnGamma(value: number): number {
  const x = value - 1;
  const t = x + LANCZOS_G + 0.5;
  const series = LANCZOS.reduce((sum, term, index) => sum + term / (x + index + 1), 0.9999999999998099);
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(series);
}
