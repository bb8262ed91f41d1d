/** How well calls went, by endpoint and over time: what the API answers, and how a request becomes a question. */
import { z } from 'zod';
import type { BucketQuality, EndpointQuality, EndpointWithTrend, TimeRange } from '../../model/ports.ts';
import { courseOf } from '../../score/trend.ts';
import { momentMs, type Moment } from '../../units/moment.ts';
import { present } from './present.ts';
import { Problem } from '../problem.ts';

const DAY_MS = 86_400_000;
/** More points than a chart on the widest screen can show. */
const MOST_BUCKETS = 3000;

const COUNT = z.int().nonnegative();
const TIME = z.iso.datetime({ precision: 3 });
const OPINION = z.number().max(4.5).nullable();
const PERCENT = z.number().nonnegative().nullable();
const MS = z.number().nonnegative().nullable();

const QUALITY = {
  calls: COUNT,
  scored_calls: COUNT.describe('those with a score; mean and quantiles are of these'),
  judged_calls: COUNT.describe('those with a verdict on their quality, not too-short or no-rtcp'),
  bad_calls: COUNT.describe('those with verdict bad, no-media, one-way-rx or one-way-tx'),
  bad_percent: PERCENT.describe('share of bad calls among the judged ones; null: there are none'),
  mes_mean: OPINION,
  mes_median: OPINION.describe('by nearest rank'),
  mes_p5: OPINION.describe('5th percentile, by nearest rank: of a hundred calls five were at most this good'),
  mes_worst: OPINION,
} as const satisfies Record<string, z.ZodType>;

export const HALF_QUALITY = z.strictObject({
  ...QUALITY,
  low_calls: COUNT.describe('those that scored at most the 5th percentile of both halves together'),
});

export const ENDPOINT_TREND = z.strictObject({
  course: z
    .enum(['better', 'worse', 'steady'])
    .nullable()
    .describe(
      'the later half beside the earlier: whether the share of bad calls or the 5th percentile changed clearly, and by more than chance explains; null: a half has fewer than 20 calls',
    ),
  earlier: HALF_QUALITY,
  later: HALF_QUALITY,
  buckets: z
    .array(
      z.strictObject({
        starts_at: TIME,
        calls: QUALITY.calls,
        bad_percent: QUALITY.bad_percent,
        mes_p5: QUALITY.mes_p5,
      }),
    )
    .describe('oldest first, without gaps, aligned to UTC; null where there was no call'),
});

export const ENDPOINT_QUALITY = z.strictObject({
  endpoint: z.string(),
  ...QUALITY,
  loss_percent: PERCENT.describe('of all packets, both directions'),
  jitter_mean_ms: MS.describe('over all reports, both directions'),
  rtt_mean_ms: MS,
  trend: ENDPOINT_TREND.optional().describe('of endpoints that are asked for by name'),
});

export const ENDPOINTS_ANSWER = z.strictObject({
  from: TIME,
  to: TIME,
  endpoints: z
    .array(ENDPOINT_QUALITY)
    .describe('the lowest 5th percentile first; of those named only those with calls'),
  left_out: COUNT.describe('endpoints with better scores for which the list has no room'),
});

export const BUCKET_QUALITY = z.strictObject({ starts_at: TIME, ...QUALITY });

export const SUMMARY_ANSWER = z.strictObject({
  from: TIME,
  to: TIME,
  bucket_s: z.int().positive(),
  endpoint: z.string().nullable(),
  buckets: z.array(BUCKET_QUALITY).describe('oldest first, without gaps, aligned to UTC'),
});

/** The range asked for: without `to` until now, without `from` the day before that. Throws Problem when it ends before it begins. */
export function timeRange(from: Moment | undefined, to: Moment | undefined, nowMs: number): TimeRange {
  const toMs = to === undefined ? nowMs : momentMs(to, nowMs);
  const fromMs = from === undefined ? toMs - DAY_MS : momentMs(from, nowMs);
  if (fromMs > toMs)
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter from: it is later than to; give an earlier time', 'from');
  // Nobody had calls to score before 1970; a span of a hundred years may reach there.
  return { fromMs: Math.max(0, fromMs), toMs: Math.max(0, toMs) };
}

/** Throws Problem when the range would be cut into more stretches than anyone can look at. */
export function checkBucket({ fromMs, toMs }: TimeRange, bucketMs: number, most = MOST_BUCKETS): void {
  if ((toMs - fromMs) / bucketMs <= most) return;
  throw new Problem(
    'MES_ERR_PARAMETER_VALUE',
    `parameter bucket: the range has more than ${most} of them; give a longer one`,
    'bucket',
  );
}

export function presentRange({ fromMs, toMs }: TimeRange): { from: string; to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

export function presentEndpoint(quality: EndpointQuality): z.output<typeof ENDPOINT_QUALITY> {
  return present(quality) as unknown as z.output<typeof ENDPOINT_QUALITY>;
}

export function presentTrend({ trend, ...quality }: EndpointWithTrend): z.output<typeof ENDPOINT_QUALITY> {
  const course = courseOf(trend.earlier, trend.later);
  const presented: unknown = present({ course, ...trend });
  return { ...presentEndpoint(quality), trend: presented as z.output<typeof ENDPOINT_TREND> };
}

export function presentBucket(quality: BucketQuality): z.output<typeof BUCKET_QUALITY> {
  return present(quality) as unknown as z.output<typeof BUCKET_QUALITY>;
}
