import type { Database } from 'better-sqlite3';
import type { BucketQuality, CallQuality, EndpointQuality, SummaryQuery, TimeRange } from '../model/ports.ts';
import type { Verdict } from '../model/score.ts';
import type { Cell } from './rows.ts';

/** Verdicts that count as a bad call: whoever hears nothing is served no better than by a bad score. */
const BAD = ['bad', 'no-media', 'one-way-rx', 'one-way-tx'] as const satisfies readonly Verdict[];
/** Verdicts that say anything of the call's quality. */
const JUDGED = ['good', 'fair', 'poor', ...BAD] as const satisfies readonly Verdict[];

/** Endpoints in one answer; dialled names and strangers' addresses can make any number of them. */
const MOST_ENDPOINTS = 1000;

const OPINION_STEPS = 100;

interface ScoreCount {
  readonly part: string | number;
  /** Opinion in hundredths, as it is shown; null: these calls have no score. */
  readonly hundredths: number | null;
  readonly calls: number;
  readonly mesSum: number | null;
  readonly judged: number;
  readonly bad: number;
}

interface MediaRow {
  readonly part: string;
  readonly lossPercent: number | null;
  readonly jitterMeanMs: number | null;
  readonly rttMeanMs: number | null;
}

function list(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}

/** Counts calls by part and score. `calls` is a SELECT of columns `part`, `mes`, `is_judged` and `is_bad`. */
function countScores(calls: string): string {
  return `SELECT part, CAST(round(mes * ${OPINION_STEPS}) AS INTEGER) AS hundredths, count(*) AS calls,
      sum(mes) AS mesSum, sum(is_judged) AS judged, sum(is_bad) AS bad
    FROM (${calls}) GROUP BY part, hundredths ORDER BY part, hundredths`;
}

const IN_RANGE = 'calls.started_at_ms >= @fromMs AND calls.started_at_ms < @toMs';
/** Local channels are Asterisk's own plumbing and have no media. */
const HAS_MEDIA = "substr(channels.endpoint, 1, 6) <> 'Local/'";

/** Calls as endpoints had them: of their channels in one call and part the mean score, and the fault that any of them had. */
function callsOfEndpoints(part: string, condition: string): string {
  return `SELECT ${part} AS part, avg(channels.mes) AS mes,
      max(ifnull(channels.verdict IN (${list(JUDGED)}), 0)) AS is_judged,
      max(ifnull(channels.verdict IN (${list(BAD)}), 0)) AS is_bad
    FROM calls JOIN channels ON channels.linkedid = calls.linkedid
    WHERE ${IN_RANGE} AND ${condition} GROUP BY calls.linkedid, part`;
}

const MEDIA_OF_ENDPOINTS = `SELECT channels.endpoint AS part,
    100.0 * sum(packets_lost) FILTER (WHERE packets_expected IS NOT NULL)
      / nullif(sum(packets_expected) FILTER (WHERE packets_lost IS NOT NULL), 0) AS lossPercent,
    sum(jitter_mean_ms * jitter_count) / nullif(sum(jitter_count), 0) AS jitterMeanMs,
    sum(rtt_mean_ms * rtt_count) / nullif(sum(rtt_count), 0) AS rttMeanMs
  FROM calls JOIN channels ON channels.linkedid = calls.linkedid JOIN streams ON streams.uniqueid = channels.uniqueid
  WHERE ${IN_RANGE} AND ${HAS_MEDIA} GROUP BY channels.endpoint`;

/** The score at a share of the calls, the worst first (nearest rank); null when no call has one. */
function quantile(counts: readonly ScoreCount[], scoredCalls: number, share: number): number | null {
  const rank = Math.max(1, Math.ceil(scoredCalls * share));
  let seen = 0;
  for (const { hundredths, calls } of counts) {
    if (hundredths === null) continue;
    seen += calls;
    if (seen >= rank) return hundredths / OPINION_STEPS;
  }
  return null;
}

/** `counts` in order of score. */
function qualityOf(counts: readonly ScoreCount[]): CallQuality {
  const scored = counts.filter(({ hundredths }) => hundredths !== null);
  const total = (rows: readonly ScoreCount[], of: (row: ScoreCount) => number): number =>
    rows.reduce((sum, row) => sum + of(row), 0);
  const scoredCalls = total(scored, ({ calls }) => calls);
  const judgedCalls = total(counts, ({ judged }) => judged);
  const badCalls = total(counts, ({ bad }) => bad);
  return {
    calls: total(counts, ({ calls }) => calls),
    scoredCalls,
    judgedCalls,
    badCalls,
    badPercent: judgedCalls === 0 ? null : (100 * badCalls) / judgedCalls,
    mesMean: scoredCalls === 0 ? null : total(scored, ({ mesSum }) => mesSum ?? 0) / scoredCalls,
    mesMedian: quantile(scored, scoredCalls, 0.5),
    mesP5: quantile(scored, scoredCalls, 0.05),
    mesWorst: quantile(scored, scoredCalls, 0),
  };
}

function byPart(counts: readonly ScoreCount[]): Map<string | number, ScoreCount[]> {
  const parts = new Map<string | number, ScoreCount[]>();
  for (const count of counts) {
    const known = parts.get(count.part);
    if (known === undefined) parts.set(count.part, [count]);
    else known.push(count);
  }
  return parts;
}

/** Worst first; endpoints without any score last. */
function worstFirst(one: EndpointQuality, other: EndpointQuality): number {
  return (
    (one.mesP5 ?? Infinity) - (other.mesP5 ?? Infinity) ||
    other.badCalls - one.badCalls ||
    (one.endpoint < other.endpoint ? -1 : 1)
  );
}

/** How well calls went: by endpoint, and over time. */
export class Rankings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  endpoints({ fromMs, toMs }: TimeRange): { endpoints: EndpointQuality[]; leftOut: number } {
    const range = { fromMs, toMs };
    const read = this.#database.transaction(() => ({
      counts: this.#scores(callsOfEndpoints('channels.endpoint', HAS_MEDIA), range),
      media: this.#database.prepare<unknown[], MediaRow>(MEDIA_OF_ENDPOINTS).all(range),
    }));
    const { counts, media } = read();
    const mediaOf = new Map(media.map(({ part, ...figures }) => [part, figures]));
    const unknown = { lossPercent: null, jitterMeanMs: null, rttMeanMs: null };
    const endpoints = [...byPart(counts)].map(([part, ofPart]) => {
      const endpoint = String(part);
      return { endpoint, ...qualityOf(ofPart), ...(mediaOf.get(endpoint) ?? unknown) };
    });
    const leftOut = Math.max(0, endpoints.length - MOST_ENDPOINTS);
    return { endpoints: endpoints.sort(worstFirst).slice(0, MOST_ENDPOINTS), leftOut };
  }

  /** One row for each stretch of `bucketMs` that the range touches, oldest first, also where there was no call. */
  summary({ fromMs, toMs, bucketMs, endpoint }: SummaryQuery): BucketQuality[] {
    const part = 'CAST(calls.started_at_ms / @bucketMs AS INTEGER)';
    const parameters: Record<string, Cell> = { fromMs, toMs, bucketMs };
    let calls = `SELECT ${part} AS part, mes, ifnull(verdict IN (${list(JUDGED)}), 0) AS is_judged,
      ifnull(verdict IN (${list(BAD)}), 0) AS is_bad FROM calls WHERE ${IN_RANGE}`;
    if (endpoint !== undefined) {
      const isPrefix = endpoint.endsWith('*');
      parameters['endpoint'] = isPrefix ? endpoint.slice(0, -1) : endpoint;
      const condition = isPrefix ? 'substr(channels.endpoint, 1, length(@endpoint))' : 'channels.endpoint';
      calls = callsOfEndpoints(part, `${condition} = @endpoint`);
    }
    const parts = byPart(this.#scores(calls, parameters));
    const buckets: BucketQuality[] = [];
    for (let bucket = Math.floor(fromMs / bucketMs); bucket * bucketMs < toMs; bucket++) {
      buckets.push({ startsAtMs: bucket * bucketMs, ...qualityOf(parts.get(bucket) ?? []) });
    }
    return buckets;
  }

  #scores(calls: string, parameters: Record<string, Cell>): ScoreCount[] {
    return this.#database.prepare<unknown[], ScoreCount>(countScores(calls)).all(parameters);
  }
}
