import type {
  BucketQuality,
  CallQuality,
  EndpointQuality,
  EndpointWithTrend,
  HalfQuality,
  LegsQuality,
  TimeRange,
} from '../../model/ports.ts';
import { ScoreSums } from './score-sums.ts';

const OPINION_STEPS = 100;
const NO_CALLS = new ScoreSums();

/** The score at a share of the calls, the worst first (nearest rank); null when no call has one. */
function quantile(scores: Int32Array, scoredCalls: number, share: number): number | null {
  if (scoredCalls === 0) return null;
  const rank = Math.max(1, Math.ceil(scoredCalls * share));
  let seen = 0;
  // A loop by index: it runs thousands of times for one answer, and an iterator takes several times as long.
  for (let hundredths = 0; hundredths < scores.length; hundredths++) {
    seen += scores[hundredths] ?? 0;
    if (seen >= rank) return hundredths / OPINION_STEPS;
  }
  return null;
}

/** What the sums of some calls tell. */
export function qualityOf({ calls, judged, bad, mesMicro, scores }: ScoreSums): CallQuality {
  let scoredCalls = 0;
  for (let hundredths = 0; hundredths < scores.length; hundredths++) scoredCalls += scores[hundredths] ?? 0;
  return {
    calls,
    scoredCalls,
    judgedCalls: judged,
    badCalls: bad,
    badPercent: judged === 0 ? null : (100 * bad) / judged,
    mesMean: scoredCalls === 0 ? null : mesMicro / 1e6 / scoredCalls,
    mesMedian: quantile(scores, scoredCalls, 0.5),
    mesP5: quantile(scores, scoredCalls, 0.05),
    mesP25: quantile(scores, scoredCalls, 0.25),
    mesP75: quantile(scores, scoredCalls, 0.75),
    mesP95: quantile(scores, scoredCalls, 0.95),
    mesWorst: quantile(scores, scoredCalls, 0),
  };
}

function meanMs(sumUs: number, reports: number): number | null {
  return reports === 0 ? null : sumUs / 1000 / reports;
}

/** What the sums of an endpoint's calls tell. */
export function endpointQuality(endpoint: string, sums: ScoreSums): EndpointQuality {
  return { endpoint, ...legsQuality(sums) };
}

/** What the sums of some legs tell. */
export function legsQuality(sums: ScoreSums): LegsQuality {
  return {
    ...qualityOf(sums),
    ownFaultCalls: sums.ownFaults,
    lossPercent: sums.packetsExpected === 0 ? null : (100 * sums.packetsLost) / sums.packetsExpected,
    jitterMeanMs: meanMs(sums.jitterUs, sums.jitterReports),
    rttMeanMs: meanMs(sums.rttUs, sums.rttReports),
  };
}

/** The numbers since 1970 of the stretches of `bucketMs` that the range touches, oldest first. */
export function bucketsOf({ fromMs, toMs }: TimeRange, bucketMs: number): number[] {
  const first = Math.floor(fromMs / bucketMs);
  return Array.from({ length: Math.max(0, Math.ceil(toMs / bucketMs) - first) }, (_, index) => first + index);
}

/** How calls went in a stretch; no sums are no calls. */
export function bucketQuality(bucket: number, bucketMs: number, sums: ScoreSums | undefined): BucketQuality {
  return { startsAtMs: bucket * bucketMs, ...qualityOf(sums ?? NO_CALLS) };
}

/** What the sums of an endpoint's calls in each stretch tell; null when it had no call in any. */
export function endpointWithTrend(
  endpoint: string,
  range: TimeRange,
  bucketMs: number,
  sumsOf: (bucket: number) => ScoreSums | undefined,
): EndpointWithTrend | null {
  const buckets = bucketsOf(range, bucketMs);
  const laterFrom = Math.round((range.fromMs + range.toMs) / 2 / bucketMs);
  const earlier = sumOf(buckets.filter((bucket) => bucket < laterFrom).map(sumsOf));
  const later = sumOf(buckets.filter((bucket) => bucket >= laterFrom).map(sumsOf));
  const both = sumOf([earlier, later]);
  if (both.calls === 0) return null;
  const quality = endpointQuality(endpoint, both);
  const half = (sums: ScoreSums): HalfQuality => ({
    ...qualityOf(sums),
    lowCalls: quality.mesP5 === null ? 0 : sums.callsUpTo(quality.mesP5),
  });
  return {
    ...quality,
    trend: {
      earlier: half(earlier),
      later: half(later),
      buckets: buckets.map((bucket) => {
        const { startsAtMs, calls, badPercent, mesP5 } = bucketQuality(bucket, bucketMs, sumsOf(bucket));
        return { startsAtMs, calls, badPercent, mesP5 };
      }),
    },
  };
}

function sumOf(parts: readonly (ScoreSums | undefined)[]): ScoreSums {
  const sum = new ScoreSums();
  for (const part of parts) if (part !== undefined) sum.add(part);
  return sum;
}
