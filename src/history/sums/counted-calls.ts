import type { Database, Statement } from 'better-sqlite3';
import { factsWithLegs } from './call-facts.ts';
import { type CallFacts, contributionsOf, type ScopeKind } from './contribution.ts';
import { ScoreSums, SUM_COLUMNS } from './score-sums.ts';
import type { Row } from '../schema/rows.ts';
import { termsOf } from './terms.ts';

const HOUR_MS = 3_600_000;
/** What sums are kept over, the longest first; each begins at whole multiples of itself since 1970 (UTC). */
export const SPANS_MS = [24 * HOUR_MS, HOUR_MS] as const;

const KEY = ['span_ms', 'starts_at_ms', 'kind', 'scope'] as const;
const IS_ROW = KEY.map((name) => `${name} = @${name}`).join(' AND ');
const SUMS = SUM_COLUMNS.map(([, column]) => column);

interface Entry {
  readonly spanMs: number;
  readonly startsAtMs: number;
  readonly kind: ScopeKind;
  readonly scope: string;
  readonly sums: ScoreSums;
}

/**
 * Keeps the sums by hour and day (`call_sums`) and the index of the search (`call_terms`) right. Each call that has ended is
 * counted in both. Before anything of a counted call changes, `reopen` takes it out again. Every method runs in the caller's
 * transaction.
 */
export class CountedCalls {
  readonly #database: Database;
  readonly #uncounted: Statement<unknown[], string>;
  readonly #isCounted: Statement<unknown[], number>;
  readonly #mark: Statement;
  readonly #putTerm: Statement;
  readonly #deleteTerm: Statement;
  readonly #scores: Statement<unknown[], Uint8Array>;
  readonly #putSums: Statement;
  readonly #deleteEmpty: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#uncounted = database
      .prepare<unknown[], string>(
        'SELECT linkedid FROM calls WHERE is_counted = 0 AND ended_at_ms IS NOT NULL ORDER BY started_at_ms LIMIT ?',
      )
      .pluck();
    this.#isCounted = database.prepare<unknown[], number>('SELECT is_counted FROM calls WHERE linkedid = ?').pluck();
    this.#mark = database.prepare('UPDATE calls SET is_counted = ? WHERE linkedid = ?');
    this.#putTerm = database.prepare('INSERT OR IGNORE INTO call_terms VALUES (?, ?, ?, ?)');
    this.#deleteTerm = database.prepare(
      'DELETE FROM call_terms WHERE (field, value, started_at_ms, linkedid) = (?, ?, ?, ?)',
    );
    this.#scores = database.prepare<unknown[], Uint8Array>(`SELECT scores FROM call_sums WHERE ${IS_ROW}`).pluck();
    const columns = [...KEY, ...SUMS, 'scores'];
    this.#putSums = database.prepare(
      `INSERT INTO call_sums (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})
        ON CONFLICT DO UPDATE SET ${SUMS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')},
          scores = excluded.scores`,
    );
    const isEmpty = SUMS.map((name) => `${name} = 0`).join(' AND ');
    this.#deleteEmpty = database.prepare(`DELETE FROM call_sums WHERE ${IS_ROW} AND ${isEmpty} AND length(scores) = 0`);
  }

  /** Counts at most `most` calls that have ended; returns how many. */
  countEnded(most: number): number {
    const linkedids = this.#uncounted.all(most);
    if (linkedids.length > 0) this.#count(linkedids, 1);
    return linkedids.length;
  }

  /** To be called before anything of these calls, their channels or streams changes or goes. */
  reopen(...linkedids: readonly string[]): void {
    const counted = linkedids.filter((linkedid) => this.#isCounted.get(linkedid) === 1);
    if (counted.length > 0) this.#count(counted, -1);
  }

  #count(linkedids: readonly string[], times: 1 | -1): void {
    const calls = factsWithLegs(this.#database, {
      sql: 'calls.linkedid IN (SELECT value FROM json_each(@linkedids))',
      parameters: { linkedids: JSON.stringify(linkedids) },
    });
    const write = times === 1 ? this.#putTerm : this.#deleteTerm;
    for (const call of calls) {
      const { linkedid, startedAtMs } = call;
      for (const { field, value } of termsOf(call)) write.run(field, value, startedAtMs, linkedid);
      this.#mark.run(Number(times === 1), linkedid);
    }
    for (const entry of sumUp(calls, times)) this.#add(entry, times);
  }

  #add({ spanMs, startsAtMs, kind, scope, sums }: Entry, times: 1 | -1): void {
    const key: Row = { span_ms: spanMs, starts_at_ms: startsAtMs, kind, scope };
    const row = sums.toRow();
    const scores = this.#scores.get(key);
    if (scores !== undefined) sums.addPacked(scores, 1);
    this.#putSums.run({ ...key, ...row, scores: sums.packScores() });
    if (times === -1) this.#deleteEmpty.run(key);
  }
}

/** What the calls come to in each sum that they count in. */
function sumUp(calls: readonly CallFacts[], times: 1 | -1): Iterable<Entry> {
  const entries = new Map<string, Entry>();
  for (const call of calls) {
    const contributions = contributionsOf(call);
    for (const spanMs of SPANS_MS) {
      const startsAtMs = Math.floor(call.startedAtMs / spanMs) * spanMs;
      for (const contribution of contributions) {
        const { kind, scope } = contribution;
        const key = `${spanMs} ${startsAtMs} ${kind} ${scope}`;
        const known = entries.get(key);
        const entry = known ?? { spanMs, startsAtMs, kind, scope, sums: new ScoreSums() };
        if (known === undefined) entries.set(key, entry);
        entry.sums.addCall(contribution, times);
      }
    }
  }
  return entries.values();
}
