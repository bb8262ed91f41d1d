import type { Course, HalfQuality } from '../model/ports.ts';

/** Fewer calls tell nothing: one bad call of twenty is 5 %. */
const FEWEST_CALLS = 20;
/**
 * How many standard errors two shares must be apart. Chance alone takes one endpoint in a hundred this far. The usual 1.96 would
 * be one in twenty, and a ranking has hundreds of endpoints.
 */
const CLEAR_Z = 2.58;
/** Percentage points that matter: with a million calls even the smallest difference is not chance. */
const LEAST_BAD_PERCENT = 1;
/** The same on the opinion scale. */
const LEAST_MES = 0.1;

/**
 * Whether calls went better or worse in the later half of a time than in the earlier. Worse: the share of bad calls rose, or
 * the 5th percentile fell, clearly and by more than chance explains. Better: one of them did the opposite, and neither
 * got worse. Null when a half has fewer than twenty calls with a verdict and fewer than twenty with a score.
 *
 * Both are judged by the pooled z test of two proportions: of the bad calls, and of the calls that scored at most the
 * 5th percentile of both halves together (the quantile test of Johnson, Verrill and Moore 1987).
 */
export function courseOf(earlier: HalfQuality, later: HalfQuality): Course | null {
  const changes = [badCallsChange(earlier, later), lowestScoresChange(earlier, later)];
  if (changes.includes('worse')) return 'worse';
  if (changes.includes('better')) return 'better';
  return changes.includes('steady') ? 'steady' : null;
}

function badCallsChange(earlier: HalfQuality, later: HalfQuality): Course | null {
  if (Math.min(earlier.judgedCalls, later.judgedCalls) < FEWEST_CALLS) return null;
  const percent = (half: HalfQuality): number => (100 * half.badCalls) / half.judgedCalls;
  if (Math.abs(percent(later) - percent(earlier)) < LEAST_BAD_PERCENT) return 'steady';
  return shareChange(earlier.badCalls, earlier.judgedCalls, later.badCalls, later.judgedCalls);
}

function lowestScoresChange(earlier: HalfQuality, later: HalfQuality): Course | null {
  if (earlier.mesP5 === null || later.mesP5 === null) return null;
  if (Math.min(earlier.scoredCalls, later.scoredCalls) < FEWEST_CALLS) return null;
  const rise = later.mesP5 - earlier.mesP5;
  if (Math.abs(rise) < LEAST_MES) return 'steady';
  const change = shareChange(earlier.lowCalls, earlier.scoredCalls, later.lowCalls, later.scoredCalls);
  return change === (rise < 0 ? 'worse' : 'better') ? change : 'steady';
}

/** Whether the share of bad calls rose (`worse`) or fell (`better`) by more than chance explains; null: neither. */
function shareChange(earlier: number, earlierCalls: number, later: number, laterCalls: number): Course {
  const z = shareZ(earlier, earlierCalls, later, laterCalls);
  if (Math.abs(z) < CLEAR_Z || z === 0) return 'steady';
  return z > 0 ? 'worse' : 'better';
}

/**
 * How far the second share lies above the first, in standard errors: the pooled z test of two proportions. 0 where both are
 * the same, or one is of nothing.
 */
export function shareZ(ones: number, many: number, otherOnes: number, otherMany: number): number {
  const difference = otherOnes / otherMany - ones / many;
  const both = (ones + otherOnes) / (many + otherMany);
  const standardError = Math.sqrt(both * (1 - both) * (1 / many + 1 / otherMany));
  return standardError > 0 && Number.isFinite(difference) ? difference / standardError : 0;
}
