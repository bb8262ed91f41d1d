import type { Database } from 'better-sqlite3';
import type { TimeRange } from '../../model/ports.ts';
import { type CallCondition, factsOfCalls, factsWithLegs } from './call-facts.ts';
import { type Contribution, contributionsOf } from './contribution.ts';
import type { Cell, Row } from '../schema/rows.ts';
import { ScoreSums, SUM_COLUMNS } from './score-sums.ts';
import { SPANS_MS } from './counted-calls.ts';
import { type TimeSlice, timeSlices } from './time-slices.ts';

/** Which sums are asked for: a condition on `call_sums`, the same for what a call adds, and by what they are told apart. */
export interface Question<Key> {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Cell>>;
  readonly wants: (contribution: Contribution) => boolean;
  readonly withLegs: boolean;
  readonly keySql: string;
  readonly keyOf: (startedAtMs: number, scope: string) => Key;
  /** Spans that fit into what the keys stand for. */
  readonly spansMs: readonly number[];
}

/** Adds up calls: counted ones from the sums, the others one by one. */
export class SumReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Sums by key. Keys without a call are left out. */
  sums<Key extends string | number>(range: TimeRange, question: Question<Key>): Map<Key, ScoreSums> {
    const found = new Map<Key, ScoreSums>();
    const sumsOf = (key: Key): ScoreSums => {
      const sums = found.get(key) ?? new ScoreSums();
      found.set(key, sums);
      return sums;
    };
    const read = this.#database.transaction(() => {
      const { fromMs, toMs } = this.#widened(range);
      for (const slice of timeSlices(fromMs, toMs, question.spansMs)) {
        if (slice.spanMs === null) this.#addCalls(slice, 'is_counted = 1', question, sumsOf);
        else this.#addSums(slice, question, sumsOf);
      }
      this.#addCalls({ ...range, times: 1 }, 'is_counted = 0', question, sumsOf);
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
