/** How well calls went, by endpoint and over time: what the API answers, and how a request becomes a question. */
import { z } from 'zod';
import {
  BUCKET_QUALITY_FIELDS,
  ENDPOINT_QUALITY_FIELDS,
  GROUP_QUALITY_FIELDS,
  HALF_QUALITY_FIELDS,
  TREND_BUCKET_FIELDS,
} from '../../model/fields/quality-fields.ts';
import type { EndpointQuality, EndpointWithTrend, TimeRange } from '../../model/ports.ts';
import { courseOf } from '../../score/trend.ts';
import { momentMs, type Moment } from '../../units/moment.ts';
import { PBX_SHAPE } from './answers.ts';
import { presenter, shapeOf } from './json.ts';
import { pbxPart } from './present.ts';
import { GROUPINGS } from '../parameters.ts';
import { Problem } from '../problem.ts';

const DAY_MS = 86_400_000;
/** More points than a chart on the widest screen can show. */
const MOST_BUCKETS = 3000;

const COUNT = z.int().nonnegative();
const TIME = z.iso.datetime({ precision: 3 });

export const HALF_QUALITY = z.strictObject(shapeOf(HALF_QUALITY_FIELDS));
export const BUCKET_QUALITY = z.strictObject(shapeOf(BUCKET_QUALITY_FIELDS));

export const GROUP_QUALITY = z.strictObject(shapeOf(GROUP_QUALITY_FIELDS));
export const presentGroup = presenter(GROUP_QUALITY_FIELDS);

export const GROUPS_ANSWER = z.strictObject({
  from: TIME,
  to: TIME,
  by: z.enum(GROUPINGS).describe('what calls are put together by'),
  groups: z
    .array(GROUP_QUALITY)
    .describe('the lowest 5th percentile first; calls of which it is not known are in none'),
  left_out: COUNT.describe('groups with better scores for which the list has no room'),
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
    .array(z.strictObject(shapeOf(TREND_BUCKET_FIELDS)))
    .describe('oldest first, without gaps, aligned to UTC; null where there was no call'),
});

export const ENDPOINT_QUALITY = z.strictObject({
  ...PBX_SHAPE,
  ...shapeOf(ENDPOINT_QUALITY_FIELDS),
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

export const SUMMARY_ANSWER = z.strictObject({
  from: TIME,
  to: TIME,
  bucket_s: z.int().positive(),
  endpoint: z.string().nullable(),
  buckets: z.array(BUCKET_QUALITY).describe('oldest first, without gaps, aligned to UTC'),
});

/** The requested range. `to` is now by default, `from` a day before `to`. Throws Problem when it ends before it begins. */
export function timeRange(from: Moment | undefined, to: Moment | undefined, nowMs: number): TimeRange {
  const toMs = to === undefined ? nowMs : momentMs(to, nowMs);
  const fromMs = from === undefined ? toMs - DAY_MS : momentMs(from, nowMs);
  if (fromMs > toMs)
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter from: it is later than to; give an earlier time', 'from');
  // A span of a hundred years may reach back before 1970, where no calls are.
  return { fromMs: Math.max(0, fromMs), toMs: Math.max(0, toMs) };
}

/** Throws Problem when the range has more than `most` buckets. */
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

const endpointFields = presenter(ENDPOINT_QUALITY_FIELDS);

export function presentEndpoint(quality: EndpointQuality): z.output<typeof ENDPOINT_QUALITY> {
  return { ...pbxPart(quality), ...endpointFields(quality) };
}

export const presentBucket = presenter(BUCKET_QUALITY_FIELDS);
const presentTrendBucket = presenter(TREND_BUCKET_FIELDS);
const presentHalf = presenter(HALF_QUALITY_FIELDS);

export function presentTrend(endpoint: EndpointWithTrend): z.output<typeof ENDPOINT_QUALITY> {
  const { earlier, later, buckets } = endpoint.trend;
  const trend = {
    course: courseOf(earlier, later),
    earlier: presentHalf(earlier),
    later: presentHalf(later),
    buckets: buckets.map(presentTrendBucket),
  };
  return { ...presentEndpoint(endpoint), trend };
}
