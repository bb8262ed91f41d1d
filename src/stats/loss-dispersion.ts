/** How evenly the reports of one direction lost packets. */
export interface ReportedLoss {
  /** The number of reports that have both the expected and the lost packets. */
  readonly reports: number;
  readonly packetsExpected: number;
  readonly packetsLost: number;
  /** Sum over the reports of lost² / expected. */
  readonly lostSquaredPerExpected: number;
}

/** Fewer reports cannot tell a burst from chance. */
const FEWEST_REPORTS = 3;
/** A dispersion this many standard errors above 1 is a burst. Chance alone makes one in a hundred so. */
const CLEAR_Z = 2.33;

/**
 * BurstR (G.107 §7.5) from how unevenly reports lost; 1, random, when it cannot be told.
 *
 * In the two-state Markov model of loss (Gilbert 1960) BurstR is 1 / (1 − ρ), ρ the correlation of one packet's loss with
 * the next one's (McGowan's burst ratio, 1 / (1 + α − β)). Over an interval of many packets the variance of the number
 * lost is (1 + ρ) / (1 − ρ) times that of the binomial distribution (Klotz 1973, Bernoulli trials with dependence). Solved
 * for BurstR: (1 + D) / 2, where D is the dispersion, Pearson's χ² of the intervals over its degrees of freedom. For random loss D
 * is 1 with standard error √(2 / degrees of freedom): what lies within chance of it counts as random.
 */
export function burstRatioOfReports({
  reports,
  packetsExpected,
  packetsLost,
  lostSquaredPerExpected,
}: ReportedLoss): number {
  if (reports < FEWEST_REPORTS || packetsLost <= 0 || packetsLost >= packetsExpected) return 1;
  const ratio = packetsLost / packetsExpected;
  const chiSquared = (lostSquaredPerExpected - packetsLost * ratio) / (ratio * (1 - ratio));
  const degreesOfFreedom = reports - 1;
  const dispersion = chiSquared / degreesOfFreedom;
  if (dispersion <= 1 + CLEAR_Z * Math.sqrt(2 / degreesOfFreedom)) return 1;
  return (1 + dispersion) / 2;
}
