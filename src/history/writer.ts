import type { Database, Statement } from 'better-sqlite3';
import { isAboutTheChange, reasonOf } from './history-error.ts';
import { IntervalFolder } from './interval-folder.ts';
import { countJournaled, IntervalJournal } from './interval-journal.ts';
import { countOf, withoutBroken } from './packed-intervals.ts';
import {
  type BoundCell,
  cellAt,
  cellsOf,
  CHANNEL_CELLS,
  MOST_STREAMS,
  type OperationRow,
  rowsOf,
  STREAM_CELLS,
} from './packed-operations.ts';
import type { Batch, CommitResult, FoldResult, RetentionLimits } from './protocol.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS } from './rows.ts';
import { SettledCalls } from './settled-calls.ts';
import { upsert } from './upsert.ts';

/** Rows that one purge deletes at most, so that commits in between wait for tens of milliseconds, not for minutes. */
const PURGE_CHUNK_INTERVALS = 5000;
const PURGE_CHUNK_CALLS = 200;
/** Ended calls that are settled in one turn, for the same reason. */
const SETTLE_CHUNK_CALLS = 100;

const PUT_CALL = upsert('calls', ['linkedid'], CALL_COLUMNS.names);
const PUT_NEW_CALL = `INSERT INTO calls (linkedid, started_at_ms, profile, version) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const PUT_CHANNEL = upsert('channels', ['uniqueid'], [...CHANNEL_COLUMNS.names, 'resume']);
const PUT_STREAM = upsert('streams', ['uniqueid', 'direction'], ['uniqueid', ...STREAM_COLUMNS.names]);
const PUT_SEGMENT = upsert('segments', ['uniqueid', 'direction', 'segment_number'], SEGMENT_COLUMNS.names);
const CHANNEL_PLACES = {
  uniqueid: CHANNEL_COLUMNS.names.indexOf('uniqueid'),
  linkedid: CHANNEL_COLUMNS.names.indexOf('linkedid'),
  startedAtMs: CHANNEL_COLUMNS.names.indexOf('started_at_ms'),
  profile: CHANNEL_COLUMNS.names.indexOf('profile'),
  version: CHANNEL_COLUMNS.names.indexOf('version'),
};
const PUT_ALIAS = upsert('call_aliases', ['from_linkedid'], ['from_linkedid', 'into_linkedid']);

/** Applies changes to the database. Applying the same change again changes nothing. */
export class Writer {
  readonly #database: Database;
  readonly #settled: SettledCalls;
  readonly #journal: IntervalJournal;
  readonly #folder: IntervalFolder;
  #journaled: number;
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
    this.#settled = new SettledCalls(database);
    this.#journal = new IntervalJournal(database);
    this.#folder = new IntervalFolder(database);
    this.#journaled = countJournaled(database);
  }

  /** Intervals that are stored, but not in their table yet. */
  get journaled(): number {
    return this.#journaled;
  }

  /** Moves a bounded number of them there. */
  fold(): FoldResult {
    const result = this.#folder.step();
    this.#journaled = result.journaled;
    return result;
  }

  /** All of the batch in one transaction, or nothing when it throws. */
  commit(batch: Batch): CommitResult {
    try {
      return this.#commit(batch, 'all');
    } catch (error) {
      if (!isAboutTheChange(error)) throw error;
      return this.#commit(batch, 'good');
    }
  }

  /** `all`: throws also when the database refuses a change. `good`: leaves out such ones, which takes longer. */
  #commit(batch: Batch, which: 'all' | 'good'): CommitResult {
    let applied = 0;
    let journaled = 0;
    let rejected = 0;
    let rejection: string | null = null;
    // Within a transaction this is a savepoint: what is refused halfway leaves nothing behind.
    const applyWhole = this.#database.transaction((row: OperationRow) => this.#apply(row));
    const all = this.#database.transaction(() => {
      const attempt = (apply: () => void): void => {
        try {
          apply();
          applied++;
        } catch (error) {
          if (which === 'all' || !isAboutTheChange(error)) throw error;
          rejected++;
          rejection = reasonOf(error);
        }
      };
      for (const piece of batch.operations) {
        for (const row of rowsOf(piece)) attempt(() => (which === 'all' ? this.#apply(row) : applyWhole(row)));
      }
      for (const piece of batch.intervals) {
        const { whole, lacking } = withoutBroken(piece);
        applied += countOf(whole);
        journaled += countOf(whole);
        if (countOf(whole) > 0) this.#journal.add(whole);
        if (lacking === null) continue;
        rejected += countOf(piece) - countOf(whole);
        rejection = `a report lacks its ${lacking}`;
      }
    });
    all.immediate();
    this.#journaled += journaled;
    return { applied, rejected, rejection, journaled: this.#journaled };
  }

  /** Settles a bounded number of ended calls. Returns how many. */
  settle(most = SETTLE_CHUNK_CALLS): number {
    return this.#database.transaction(() => this.#settled.settle(most)).immediate();
  }

  /** Deletes one bounded chunk of what is too old, never of a call or channel that is up. Returns the rows deleted. */
  purge(limits: RetentionLimits): number {
    const chunk = this.#database.transaction(() => {
      const reports = this.#run(
        `DELETE FROM intervals WHERE (uniqueid, direction, report_number) IN (
          SELECT uniqueid, direction, report_number FROM intervals
          WHERE at_ms < ? AND uniqueid NOT IN (SELECT uniqueid FROM channels WHERE ended_at_ms IS NULL)
          LIMIT ${PURGE_CHUNK_INTERVALS})`,
        limits.intervalsBeforeMs,
      );
      if (reports > 0) return reports;
      const expired = `SELECT linkedid FROM calls WHERE ended_at_ms < ? AND NOT EXISTS (
        SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid AND channels.ended_at_ms IS NULL)`;
      const reportsOfCalls = this.#run(
        `DELETE FROM intervals WHERE (uniqueid, direction, report_number) IN (
          SELECT intervals.uniqueid, direction, report_number FROM intervals
          JOIN channels ON channels.uniqueid = intervals.uniqueid
          WHERE channels.linkedid IN (${expired}) LIMIT ${PURGE_CHUNK_INTERVALS})`,
        limits.callsBeforeMs,
      );
      if (reportsOfCalls > 0) return reportsOfCalls;
      const going = this.#prepared(`${expired} LIMIT ${PURGE_CHUNK_CALLS}`)
        .pluck()
        .all(limits.callsBeforeMs) as string[];
      this.#settled.reopen(...going);
      const these = JSON.stringify(going);
      this.#run(
        `DELETE FROM segments WHERE uniqueid IN (
          SELECT uniqueid FROM channels WHERE linkedid IN (SELECT value FROM json_each(?)))`,
        these,
      );
      const calls = this.#run('DELETE FROM calls WHERE linkedid IN (SELECT value FROM json_each(?))', these);
      this.#run('DELETE FROM call_aliases WHERE into_linkedid NOT IN (SELECT linkedid FROM calls)');
      return calls;
    });
    return chunk.immediate();
  }

  #apply(row: OperationRow): void {
    if (row.cells === 0) throw new RangeError(`a ${row.kind} lacks a part of its record`);
    if (row.kind === 'segment') this.#run(PUT_SEGMENT, ...cellsOf(row));
    else if (row.kind === 'call') this.#putCall(cellsOf(row));
    else if (row.kind === 'channel') this.#putChannel(row);
    else this.#merge(String(cellAt(row, 0)), String(cellAt(row, 1)));
  }

  #putCall(cells: readonly BoundCell[]): void {
    const linkedid = String(cells[0]);
    // Its channels have moved on; the call that took them in has a record of its own.
    if (this.#resolve(linkedid) !== linkedid) return;
    this.#settled.reopen(linkedid);
    this.#run(PUT_CALL, ...cells);
  }

  #putChannel(row: OperationRow): void {
    const own = cellsOf(row, 0, CHANNEL_CELLS);
    const uniqueid = own[CHANNEL_PLACES.uniqueid];
    const linkedid = this.#resolve(String(own[CHANNEL_PLACES.linkedid]));
    own[CHANNEL_PLACES.linkedid] = linkedid;
    const before = this.#prepared('SELECT linkedid FROM channels WHERE uniqueid = ?').pluck().get(uniqueid);
    this.#settled.reopen(linkedid, ...(typeof before === 'string' && before !== linkedid ? [before] : []));
    if (before !== linkedid) {
      const { startedAtMs, profile, version } = CHANNEL_PLACES;
      this.#run(PUT_NEW_CALL, linkedid, own[startedAtMs], own[profile], own[version]);
    }
    this.#run(PUT_CHANNEL, ...own);
    const streams = (row.cells - CHANNEL_CELLS) / STREAM_CELLS;
    // It may have had others before.
    if (before !== undefined && streams < MOST_STREAMS) this.#run('DELETE FROM streams WHERE uniqueid = ?', uniqueid);
    for (let first = CHANNEL_CELLS; first < row.cells; first += STREAM_CELLS) {
      this.#run(PUT_STREAM, uniqueid, ...cellsOf(row, first, STREAM_CELLS));
    }
  }

  #merge(from: string, into: string): void {
    if (from === into) return;
    let target = this.#resolve(into);
    if (target === from) {
      // Joined back into a call that had been joined into this one: the older call lives again.
      this.#run('DELETE FROM call_aliases WHERE from_linkedid = ?', into);
      target = into;
    }
    this.#settled.reopen(from, target);
    this.#run(
      `INSERT INTO calls (${CALL_COLUMNS.names.join(', ')}) SELECT ?, ${CALL_COLUMNS.names.slice(1).join(', ')} FROM calls WHERE linkedid = ?
        ON CONFLICT DO NOTHING`,
      target,
      from,
    );
    this.#run('UPDATE channels SET linkedid = ? WHERE linkedid = ?', target, from);
    this.#run('DELETE FROM calls WHERE linkedid = ?', from);
    this.#run('UPDATE call_aliases SET into_linkedid = ? WHERE into_linkedid = ?', target, from);
    this.#run(PUT_ALIAS, from, target);
  }

  /** The linkedid under which a call goes now. */
  #resolve(linkedid: string): string {
    const into = this.#prepared('SELECT into_linkedid FROM call_aliases WHERE from_linkedid = ?').pluck().get(linkedid);
    return typeof into === 'string' ? into : linkedid;
  }

  /** Cells one by one: those of an array are each looked up by name, half as long again. */
  #run(sql: string, ...parameters: unknown[]): number {
    return this.#prepared(sql).run(...parameters).changes;
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
