import type { z } from 'zod';
import type { Clock, HistoryReader } from '../../model/ports.ts';
import { csvLine, csvLines } from './csv.ts';
import { type ENDPOINTS_QUERY, type GROUPS_QUERY, MOST_TRENDS, type SUMMARY_QUERY } from '../parameters.ts';
import { Problem } from '../problem.ts';
import {
  BUCKET_QUALITY,
  checkBucket,
  ENDPOINT_QUALITY,
  type ENDPOINTS_ANSWER,
  GROUP_QUALITY,
  type GROUPS_ANSWER,
  presentBucket,
  presentEndpoint,
  presentGroup,
  presentRange,
  presentTrend,
  type SUMMARY_ANSWER,
  timeRange,
} from './quality.ts';

const DEFAULT_BUCKET_MS = 3_600_000;
/** A sparkline cannot show more. */
const MOST_TREND_BUCKETS = 120;

interface QualitySources {
  readonly history: HistoryReader;
  readonly clock: Clock;
}
type EndpointsAnswer = z.output<typeof ENDPOINTS_ANSWER>;
type SummaryAnswer = z.output<typeof SUMMARY_ANSWER>;

/** The ranking of all endpoints, or the trends of the named ones. Throws Problem when the query contradicts itself. */
export async function listEndpoints(
  { history, clock }: QualitySources,
  { from, to, endpoint: wanted, bucket: bucketMs, limit }: z.output<typeof ENDPOINTS_QUERY>,
): Promise<EndpointsAnswer> {
  const range = timeRange(from, to, clock.nowMs());
  if (wanted !== undefined) {
    const { names, leftOut } = await namesOf(wanted, () => history.endpoints(range));
    const query = { ...range, endpoints: names, bucketMs: bucketMs ?? DEFAULT_BUCKET_MS };
    checkBucket(range, query.bucketMs, MOST_TREND_BUCKETS);
    const endpoints = (await history.trends(query)).map((endpoint) => presentTrend(endpoint));
    const cut = endpoints.slice(0, limit);
    return { ...presentRange(range), endpoints: cut, left_out: leftOut + endpoints.length - cut.length };
  }
  if (bucketMs !== undefined) {
    const detail = `parameter bucket: trends are of endpoints by name; give up to ${MOST_TRENDS} as endpoint=PJSIP/alice`;
    throw new Problem('MES_ERR_PARAMETER_VALUE', detail, 'bucket');
  }
  const { endpoints, leftOut } = await history.endpoints(range);
  const cut = endpoints.slice(0, limit);
  return {
    ...presentRange(range),
    endpoints: cut.map((endpoint) => presentEndpoint(endpoint)),
    left_out: leftOut + endpoints.length - cut.length,
  };
}

/**
 * The endpoints that names stand for. A name with a star stands for the worst endpoints of that prefix, up to `MOST_TRENDS`.
 */
async function namesOf(
  wanted: readonly string[],
  rank: () => ReturnType<HistoryReader['endpoints']>,
): Promise<{ names: string[]; leftOut: number }> {
  const whole = wanted.filter((name) => !name.endsWith('*'));
  const beginnings = wanted.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  if (beginnings.length === 0) return { names: whole, leftOut: 0 };
  const { endpoints } = await rank();
  const begun = endpoints
    .map(({ endpoint }) => endpoint)
    .filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
  const names = [...new Set([...whole, ...begun])];
  return { names: names.slice(0, MOST_TRENDS), leftOut: Math.max(0, names.length - MOST_TRENDS) };
}

/** How calls went by device, site or codec. Throws Problem when the query contradicts itself. */
export async function listGroups(
  groupsOf: NonNullable<HistoryReader['groups']>,
  clock: Clock,
  { by = 'device', from, to, limit }: z.output<typeof GROUPS_QUERY>,
): Promise<z.output<typeof GROUPS_ANSWER>> {
  const range = timeRange(from, to, clock.nowMs());
  const { groups, leftOut } = await groupsOf(range, by);
  const cut = groups.slice(0, limit);
  return {
    ...presentRange(range),
    by,
    groups: cut.map((group) => presentGroup(group)),
    left_out: leftOut + groups.length - cut.length,
  };
}

const GROUP_COLUMNS = Object.keys(GROUP_QUALITY.shape);

/** Groups as CSV, under the same names as in JSON. */
export async function* groupsCsv({ groups }: z.output<typeof GROUPS_ANSWER>): AsyncGenerator<string> {
  yield csvLine(GROUP_COLUMNS);
  yield csvLines(GROUP_COLUMNS, groups);
}

/** How calls went over time. Throws Problem when the query contradicts itself. */
export async function summarize(
  { history, clock }: QualitySources,
  { from, to, bucket: bucketMs = DEFAULT_BUCKET_MS, endpoint }: z.output<typeof SUMMARY_QUERY>,
): Promise<SummaryAnswer> {
  const range = timeRange(from, to, clock.nowMs());
  checkBucket(range, bucketMs);
  const buckets = await history.summary({ ...range, bucketMs, endpoint });
  return {
    ...presentRange(range),
    bucket_s: bucketMs / 1000,
    endpoint: endpoint ?? null,
    buckets: buckets.map((bucket) => presentBucket(bucket)),
  };
}

const ENDPOINT_COLUMNS = Object.keys(ENDPOINT_QUALITY.omit({ trend: true, pbx: true, site: true }).shape);
const BUCKET_COLUMNS = Object.keys(BUCKET_QUALITY.shape);
const HALVES = ['earlier', 'later'] as const;
/** The columns of each half of a trend. */
const HALF_COLUMNS = ['calls', 'bad_percent', 'mes_p5'] as const;
const TREND_COLUMNS = ['course', ...HALVES.flatMap((half) => HALF_COLUMNS.map((column) => `${half}_${column}`))];

/** Endpoints as CSV, under the same names as in JSON. A trend is its word and its two halves. */
export async function* endpointsCsv({ endpoints }: EndpointsAnswer): AsyncGenerator<string> {
  const columns = [
    ...(endpoints.some(({ pbx }) => pbx !== undefined) ? ['pbx', 'site'] : []),
    ...ENDPOINT_COLUMNS,
    ...(endpoints.some(({ trend }) => trend !== undefined) ? TREND_COLUMNS : []),
  ];
  yield csvLine(columns);
  yield csvLines(
    columns,
    endpoints.map(({ trend, ...quality }) => {
      if (trend === undefined) return quality;
      const halves = HALVES.flatMap((half) => HALF_COLUMNS.map((column) => [`${half}_${column}`, trend[half][column]]));
      return { ...quality, course: trend.course, ...Object.fromEntries(halves) };
    }),
  );
}

/** Buckets as CSV, under the same names as in JSON. */
export async function* bucketsCsv({ buckets }: SummaryAnswer): AsyncGenerator<string> {
  yield csvLine(BUCKET_COLUMNS);
  yield csvLines(BUCKET_COLUMNS, buckets);
}
