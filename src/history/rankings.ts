import type { Database } from 'better-sqlite3';
import type { BucketQuality, CallQuality, EndpointQuality, SummaryQuery, TimeRange } from '../model/ports.ts';
import { type CallCondition, factsOfCalls, factsWithLegs } from './call-facts.ts';
import { type Contribution, contributionsOf } from './contribution.ts';
import type { Cell, Row } from './rows.ts';
import { ScoreSums, SUM_COLUMNS } from './score-sums.ts';
import { SPANS_MS } from './settled-calls.ts';
import { LAST_CHARACTER } from './terms.ts';
import { type TimeSlice, timeSlices } from './time-slices.ts';

/** Endpoints in one answer; dialled names and strangers' addresses can make any number of them. */
const MOST_ENDPOINTS = 1000;

const OPINION_STEPS = 100;
/** Local channels are Asterisk's own plumbing and have no media. */
const NO_MEDIA = 'Local/';

const NO_CALLS = new ScoreSums();

/** Which sums are asked for: a condition on `call_sums`, the same for what a call adds, and by what they are told apart. */
interface Question<Key> {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Cell>>;
  readonly wants: (contribution: Contribution) => boolean;
  readonly withLegs: boolean;
  readonly keySql: string;
  readonly keyOf: (startedAtMs: number, scope: string) => Key;
  /** Spans that fit into what the keys stand for. */
  readonly spansMs: readonly number[];
}

/** The score at a share of the calls, the worst first (nearest rank); null when no call has one. */
function quantile(scores: Int32Array, scoredCalls: number, share: number): number | null {
  if (scoredCalls === 0) return null;
  const rank = Math.max(1, Math.ceil(scoredCalls * share));
  let seen = 0;
  // By index: this is done thousands of times for one answer, and an iterator takes several times as long.
  for (let hundredths = 0; hundredths < scores.length; hundredths++) {
    seen += scores[hundredths] ?? 0;
    if (seen >= rank) return hundredths / OPINION_STEPS;
  }
  return null;
}

function qualityOf({ calls, judged, bad, mesMicro, scores }: ScoreSums): CallQuality {
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
    mesWorst: quantile(scores, scoredCalls, 0),
  };
}

function meanMs(sumUs: number, reports: number): number | null {
  return reports === 0 ? null : sumUs / 1000 / reports;
}

function endpointQuality(endpoint: string, sums: ScoreSums): EndpointQuality {
  return {
    endpoint,
    ...qualityOf(sums),
    lossPercent: sums.packetsExpected === 0 ? null : (100 * sums.packetsLost) / sums.packetsExpected,
    jitterMeanMs: meanMs(sums.jitterUs, sums.jitterReports),
    rttMeanMs: meanMs(sums.rttUs, sums.rttReports),
  };
}

/** Worst first; endpoints without any score last. */
function worstFirst(one: EndpointQuality, other: EndpointQuality): number {
  return (
    (one.mesP5 ?? Infinity) - (other.mesP5 ?? Infinity) ||
    other.badCalls - one.badCalls ||
    (one.endpoint < other.endpoint ? -1 : 1)
  );
}

const ENDPOINTS: Question<string> = {
  sql: `kind = 'endpoint' AND substr(scope, 1, ${NO_MEDIA.length}) <> '${NO_MEDIA}'`,
  parameters: {},
  wants: ({ kind, scope }) => kind === 'endpoint' && !scope.startsWith(NO_MEDIA),
  withLegs: true,
  keySql: 'scope',
  keyOf: (_, scope) => scope,
  spansMs: SPANS_MS,
};

/** Whose sums: of all calls, of an endpoint, or of all whose names have a beginning. */
function scopes(endpoint: string | undefined): Pick<Question<number>, 'sql' | 'parameters' | 'wants' | 'withLegs'> {
  if (endpoint === undefined) {
    return { sql: "kind = 'calls'", parameters: {}, wants: ({ kind }) => kind === 'calls', withLegs: false };
  }
  if (!endpoint.endsWith('*')) {
    return {
      sql: "kind = 'endpoint' AND scope = @scope",
      parameters: { scope: endpoint },
      wants: ({ kind, scope }) => kind === 'endpoint' && scope === endpoint,
      withLegs: true,
    };
  }
  const beginning = endpoint.slice(0, -1);
  return {
    sql: "kind IN ('endpoint', 'shared') AND scope >= @scope AND scope < @scopeEnd",
    parameters: { scope: beginning, scopeEnd: beginning + LAST_CHARACTER },
    wants: ({ kind, scope }) => kind !== 'calls' && scope.startsWith(beginning),
    withLegs: true,
  };
}

/** How well calls went: by endpoint, and over time. Settled calls are read from their sums, the others one by one. */
export class Rankings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  endpoints(range: TimeRange): { endpoints: EndpointQuality[]; leftOut: number } {
    const endpoints = [...this.#sums(range, ENDPOINTS)].map(([endpoint, sums]) => endpointQuality(endpoint, sums));
    const leftOut = Math.max(0, endpoints.length - MOST_ENDPOINTS);
    return { endpoints: endpoints.sort(worstFirst).slice(0, MOST_ENDPOINTS), leftOut };
  }

  /** One row for each stretch of `bucketMs` that the range touches, oldest first, also where there was no call. */
  summary({ fromMs, toMs, bucketMs, endpoint }: SummaryQuery): BucketQuality[] {
    const { parameters, ...question } = scopes(endpoint);
    const sums = this.#sums<number>(
      { fromMs, toMs },
      {
        ...question,
        parameters: { ...parameters, bucketMs },
        keySql: 'CAST(starts_at_ms / @bucketMs AS INTEGER)',
        keyOf: (startedAtMs) => Math.floor(startedAtMs / bucketMs),
        spansMs: SPANS_MS.filter((spanMs) => bucketMs % spanMs === 0),
      },
    );
    const buckets: BucketQuality[] = [];
    for (let bucket = Math.floor(fromMs / bucketMs); bucket * bucketMs < toMs; bucket++) {
      buckets.push({ startsAtMs: bucket * bucketMs, ...qualityOf(sums.get(bucket) ?? NO_CALLS) });
    }
    return buckets;
  }

  #sums<Key extends string | number>(range: TimeRange, question: Question<Key>): Map<Key, ScoreSums> {
    const found = new Map<Key, ScoreSums>();
    const sumsOf = (key: Key): ScoreSums => {
      const sums = found.get(key) ?? new ScoreSums();
      found.set(key, sums);
      return sums;
    };
    const read = this.#database.transaction(() => {
      const { fromMs, toMs } = this.#widened(range);
      for (const slice of timeSlices(fromMs, toMs, question.spansMs)) {
        if (slice.spanMs === null) this.#addCalls(slice, 'is_settled = 1', question, sumsOf);
        else this.#addSums(slice, question, sumsOf);
      }
      this.#addCalls({ ...range, times: 1 }, 'is_settled = 0', question, sumsOf);
    });
    read();
    for (const [key, { calls }] of found) if (calls === 0) found.delete(key);
    return found;
  }

  /** Where no call began outside of the range, it may as well begin and end with the days of the first and last call. */
  #widened({ fromMs, toMs }: TimeRange): TimeRange {
    const [first, last] = this.#database
      .prepare<unknown[], [number | null, number | null]>(
        'SELECT (SELECT min(started_at_ms) FROM calls), (SELECT max(started_at_ms) FROM calls)',
      )
      .raw()
      .get() ?? [null, null];
    if (first === null || last === null) return { fromMs, toMs: fromMs };
    const [dayMs] = SPANS_MS;
    return {
      fromMs: fromMs > first ? fromMs : Math.floor(first / dayMs) * dayMs,
      toMs: toMs <= last ? toMs : (Math.floor(last / dayMs) + 1) * dayMs,
    };
  }

  #addSums<Key>(slice: TimeSlice, question: Question<Key>, sumsOf: (key: Key) => ScoreSums): void {
    const totals = SUM_COLUMNS.map(([, column]) => `sum(${column}) AS ${column}`);
    const rows = this.#database.prepare<unknown[], Row>(
      // Scores put one behind the other are their sum: see packScores.
      // Span by span, so that of each only the scopes that are asked for are looked up.
      `WITH RECURSIVE spans (at_ms) AS (
          VALUES (@fromMs) UNION ALL SELECT at_ms + @spanMs FROM spans WHERE at_ms + @spanMs < @toMs
        ) SELECT ${question.keySql} AS key, ${totals.join(', ')}, CAST(group_concat(scores, '') AS BLOB) AS scores
        FROM spans CROSS JOIN call_sums ON span_ms = @spanMs AND starts_at_ms = at_ms
        WHERE ${question.sql} GROUP BY key`,
    );
    const { spanMs, fromMs, toMs, times } = slice;
    for (const row of rows.iterate({ ...question.parameters, spanMs, fromMs, toMs })) {
      const { key, scores, ...sums } = row as Row & { readonly key: Key; readonly scores: Uint8Array };
      const total = sumsOf(key);
      total.addRow(sums, times);
      total.addPacked(scores, times);
    }
  }

  #addCalls<Key>(
    { fromMs, toMs, times }: Pick<TimeSlice, 'fromMs' | 'toMs' | 'times'>,
    which: string,
    { wants, withLegs, keyOf }: Question<Key>,
    sumsOf: (key: Key) => ScoreSums,
  ): void {
    const condition: CallCondition = {
      sql: `calls.started_at_ms >= @fromMs AND calls.started_at_ms < @toMs AND ${which}`,
      parameters: { fromMs, toMs },
    };
    const facts = withLegs ? factsWithLegs(this.#database, condition) : factsOfCalls(this.#database, condition);
    for (const call of facts) {
      for (const contribution of contributionsOf(call)) {
        if (wants(contribution)) sumsOf(keyOf(call.startedAtMs, contribution.scope)).addCall(contribution, times);
      }
    }
  }
}
