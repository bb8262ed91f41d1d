import type { Database } from 'better-sqlite3';
import type { CallQuality, Grouping, SummaryQuery, TimeRange } from '../../../src/model/ports.ts';

/** What rankings must answer, counted in SQL over every call, channel and stream of the range: no sums kept, and slow. */
const BAD = "('bad', 'no-media', 'one-way-rx', 'one-way-tx')";
const JUDGED = "('good', 'fair', 'poor', 'bad', 'no-media', 'one-way-rx', 'one-way-tx')";
const IN_RANGE = 'calls.started_at_ms >= @fromMs AND calls.started_at_ms < @toMs';

function callsOfEndpoints(part: string, condition: string, joins = ''): string {
  return `SELECT ${part} AS part, avg(channels.mes) AS mes, max(ifnull(channels.verdict IN ${JUDGED}, 0)) AS is_judged,
      max(ifnull(channels.verdict IN ${BAD}, 0)) AS is_bad
    FROM calls JOIN channels ON channels.linkedid = calls.linkedid ${joins}
    WHERE ${IN_RANGE} AND ${condition} GROUP BY calls.linkedid, part`;
}

/** Nearest rank by SQL's own order: the row at `max(1, ceil(n × share))`. */
function rank(share: number): string {
  return `min(CASE WHEN place = max(1, CAST(ceil(scored * ${share}) AS INTEGER)) THEN hundredths END) / 100.0`;
}

function qualities(calls: string): string {
  return `WITH one AS (SELECT part, mes, is_judged, is_bad, CAST(round(mes * 100) AS INTEGER) AS hundredths FROM (${calls})),
    ranked AS (SELECT *, count(mes) OVER (PARTITION BY part) AS scored,
      CASE WHEN mes IS NOT NULL THEN row_number() OVER (PARTITION BY part ORDER BY mes IS NULL, hundredths) END AS place
      FROM one)
    SELECT part, count(*) AS calls, count(mes) AS scoredCalls, sum(is_judged) AS judgedCalls, sum(is_bad) AS badCalls,
      100.0 * sum(is_bad) / nullif(sum(is_judged), 0) AS badPercent, avg(mes) AS mesMean,
      ${rank(0.5)} AS mesMedian, ${rank(0.05)} AS mesP5, ${rank(0.25)} AS mesP25, ${rank(0.75)} AS mesP75, ${rank(0.95)} AS mesP95, min(hundredths) / 100.0 AS mesWorst
    FROM ranked GROUP BY part`;
}

export type PartQuality = CallQuality & { readonly part: string | number };

export interface EndpointMedia {
  readonly part: string;
  readonly lossPercent: number | null;
  readonly jitterMeanMs: number | null;
  readonly rttMeanMs: number | null;
  readonly ownFaultCalls: number;
}

/** The fault is on this channel's side of the call. */
const IS_OWN_FAULT = `CASE WHEN channels.uniqueid = channels.linkedid
  THEN calls.fault_place IN ('caller-network', 'caller-phone', 'both-networks')
  ELSE calls.fault_place IN ('callee-network', 'callee-phone', 'both-networks') END`;

export function slowEndpoints(database: Database, range: TimeRange): [PartQuality[], EndpointMedia[]] {
  return slowParts(database, range, 'channels.endpoint', "channels.endpoint NOT LIKE 'Local/%'");
}

/** The same by device, site or codec. */
export function slowGroups(database: Database, range: TimeRange, by: Grouping): [PartQuality[], EndpointMedia[]] {
  if (by !== 'codec') return slowParts(database, range, `channels.${by}`, `channels.${by} IS NOT NULL`);
  const codecs = 'JOIN (SELECT DISTINCT uniqueid, codec FROM streams) AS spoken ON spoken.uniqueid = channels.uniqueid';
  return slowParts(database, range, 'spoken.codec', 'spoken.codec IS NOT NULL', codecs, 'streams.codec = spoken.codec');
}

function slowParts(
  database: Database,
  { fromMs, toMs }: TimeRange,
  part: string,
  hasMedia: string,
  joins = '',
  ofStream = 'TRUE',
): [PartQuality[], EndpointMedia[]] {
  const sql = qualities(callsOfEndpoints(part, hasMedia, joins));
  const media = `SELECT ${part} AS part, count(DISTINCT calls.linkedid) FILTER (WHERE ${IS_OWN_FAULT}) AS ownFaultCalls,
      100.0 * sum(packets_lost) FILTER (WHERE packets_expected IS NOT NULL)
        / nullif(sum(packets_expected) FILTER (WHERE packets_lost IS NOT NULL), 0) AS lossPercent,
      sum(jitter_mean_ms * jitter_count) / nullif(sum(jitter_count), 0) AS jitterMeanMs,
      sum(rtt_mean_ms * rtt_count) / nullif(sum(rtt_count), 0) AS rttMeanMs
    FROM calls JOIN channels ON channels.linkedid = calls.linkedid ${joins}
    LEFT JOIN streams ON streams.uniqueid = channels.uniqueid AND ${ofStream}
    WHERE ${IN_RANGE} AND ${hasMedia} GROUP BY ${part}`;
  const range = { fromMs, toMs };
  return [
    database.prepare<unknown[], PartQuality>(sql).all(range),
    database.prepare<unknown[], EndpointMedia>(media).all(range),
  ];
}

/** Only the stretches in which calls began; `part` is the stretch's number since 1970. */
export function slowSummary(database: Database, { fromMs, toMs, bucketMs, endpoint }: SummaryQuery): PartQuality[] {
  const part = 'CAST(calls.started_at_ms / @bucketMs AS INTEGER)';
  const range = { fromMs, toMs, bucketMs };
  if (endpoint === undefined) {
    const calls = `SELECT ${part} AS part, mes, ifnull(verdict IN ${JUDGED}, 0) AS is_judged,
      ifnull(verdict IN ${BAD}, 0) AS is_bad FROM calls WHERE ${IN_RANGE}`;
    return database.prepare<unknown[], PartQuality>(qualities(calls)).all(range);
  }
  const isPrefix = endpoint.endsWith('*');
  const name = isPrefix ? endpoint.slice(0, -1) : endpoint;
  const condition = isPrefix ? 'substr(channels.endpoint, 1, length(@name)) = @name' : 'channels.endpoint = @name';
  return database.prepare<unknown[], PartQuality>(qualities(callsOfEndpoints(part, condition))).all({ ...range, name });
}
