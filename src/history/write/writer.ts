import type { Database } from 'better-sqlite3';
import type { Feature, Features } from '../schema/feature.ts';
import { FEATURES } from '../schema/features.ts';
import { isAboutTheChange, reasonOf } from '../history-error.ts';
import { IntervalFolder } from './interval-folder.ts';
import { countIntervals, IntervalJournal } from './interval-journal.ts';
import { OperationJournal, readOperations, type StoredOperations } from './operation-journal.ts';
import { OperationWriter } from './operation-writer.ts';
import { countOf, withoutBroken } from './packed-intervals.ts';
import { type OperationRow, type PackedOperations, rowsOf } from './packed-operations.ts';
import type { Batch, CommitResult, Journaled, MoveResult, RetentionLimits } from '../thread/protocol.ts';
import { SettledCalls } from '../sums/settled-calls.ts';
import { Statements } from '../schema/statements.ts';

/** Rows that one purge deletes at most, so that commits in between wait for tens of milliseconds, not for minutes. */
const PURGE_CHUNK_INTERVALS = 5000;
const PURGE_CHUNK_CALLS = 200;
/** Ended calls that are settled in one turn, for the same reason. */
const SETTLE_CHUNK_CALLS = 100;

/** Operations are applied from their journal for about so long in one turn. */
const APPLY_MS = 20;

/** What became of some changes. */
interface Outcome {
  applied: number;
  rejected: number;
  rejection: string | null;
}

/** `all`: throws also when the database refuses a change. `good`: leaves out such ones, which takes longer. */
type Which = 'all' | 'good';

/** Applies changes to the database. Applying the same change again changes nothing. */
export class Writer {
  readonly #database: Database;
  readonly #statements: Statements;
  readonly #features: readonly Feature[];
  readonly #settled: SettledCalls;
  readonly #operations: OperationWriter;
  readonly #operationJournal: OperationJournal;
  readonly #intervalJournal: IntervalJournal;
  readonly #folder: IntervalFolder;
  readonly #nowMs: () => number;
  #journaled: Journaled;

  /** `nowMs` is of any clock. */
  constructor(database: Database, nowMs = () => performance.now(), features: Features = FEATURES) {
    this.#database = database;
    this.#nowMs = nowMs;
    this.#statements = new Statements(database);
    this.#settled = new SettledCalls(database);
    this.#features = Object.values(features);
    this.#operations = new OperationWriter(this.#statements, this.#settled, this.#features);
    this.#operationJournal = new OperationJournal(database);
    this.#intervalJournal = new IntervalJournal(database);
    this.#folder = new IntervalFolder(database, nowMs);
    this.#journaled = { intervals: countIntervals(database), operations: this.#operationJournal.count() };
  }

  get journaled(): Journaled {
    return this.#journaled;
  }

  /** Moves a bounded number of intervals from their journal into the table, the oldest. */
  fold(): MoveResult {
    const result = this.#folder.step();
    this.#journaled = { ...this.#journaled, intervals: result.left };
    return result;
  }

  /** Applies a bounded number of operations from their journal, the oldest. */
  apply(): MoveResult {
    const { applied, rejected, rejection } = this.#attempt((which) => this.#applyOldest(which));
    const left = this.#operationJournal.count();
    this.#journaled = { ...this.#journaled, operations: left };
    return { moved: applied + rejected, rejected, rejection, left };
  }

  /**
   * All of the batch in one transaction, or nothing when it throws. With `mayDefer`, its operations wait in their journal, at
   * a tenth of the cost; they do so in any case while others wait there, since all are applied in order.
   */
  commit(batch: Batch, mayDefer = false): CommitResult {
    const { outcome, journaled } = this.#attempt((which) => this.#commit(batch, mayDefer, which));
    this.#journaled = journaled;
    return { ...outcome, journaled };
  }

  #attempt<Result>(work: (which: Which) => Result): Result {
    try {
      return work('all');
    } catch (error) {
      if (!isAboutTheChange(error)) throw error;
      return work('good');
    }
  }

  #commit(
    { operations, intervals }: Batch,
    mayDefer: boolean,
    which: Which,
  ): { outcome: Outcome; journaled: Journaled } {
    const outcome: Outcome = { applied: 0, rejected: 0, rejection: null };
    const journaled = { ...this.#journaled };
    const all = this.#database.transaction(() => {
      for (const piece of operations) {
        if (mayDefer || journaled.operations > 0) {
          this.#operationJournal.add(piece);
          journaled.operations += piece.count;
          outcome.applied += piece.count;
        } else this.#applyAll(piece, which, outcome);
      }
      for (const piece of intervals) {
        const { whole, lacking } = withoutBroken(piece);
        outcome.applied += countOf(whole);
        journaled.intervals += countOf(whole);
        if (countOf(whole) > 0) this.#intervalJournal.add(whole);
        if (lacking === null) continue;
        outcome.rejected += countOf(piece) - countOf(whole);
        outcome.rejection = `a report lacks its ${lacking}`;
      }
    });
    all.immediate();
    return { outcome, journaled };
  }

  #applyOldest(which: Which): Outcome {
    const outcome: Outcome = { applied: 0, rejected: 0, rejection: null };
    const untilMs = this.#nowMs() + APPLY_MS;
    const some = this.#database.transaction(() => {
      do {
        const stored = this.#operationJournal.oldest();
        if (stored === undefined) return;
        this.#applyStored(stored, which, outcome);
        this.#operationJournal.remove(stored);
      } while (this.#nowMs() < untilMs);
    });
    some.immediate();
    return outcome;
  }

  #applyStored(stored: StoredOperations, which: Which, outcome: Outcome): void {
    let piece: PackedOperations;
    try {
      piece = readOperations(stored);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      outcome.rejected += stored.operations;
      outcome.rejection = `row ${stored.id} of operation_journal cannot be read: ${error.message}`;
      return;
    }
    this.#applyAll(piece, which, outcome);
  }

  #applyAll(piece: PackedOperations, which: Which, outcome: Outcome): void {
    // Within a transaction this is a savepoint: what is refused halfway leaves nothing behind.
    const applyWhole = this.#database.transaction((row: OperationRow) => this.#operations.apply(row));
    for (const row of rowsOf(piece)) {
      try {
        if (which === 'all') this.#operations.apply(row);
        else applyWhole(row);
        outcome.applied++;
      } catch (error) {
        if (which === 'all' || !isAboutTheChange(error)) throw error;
        outcome.rejected++;
        outcome.rejection = reasonOf(error);
      }
    }
  }

  /** Settles a bounded number of ended calls. Returns how many. */
  settle(most = SETTLE_CHUNK_CALLS): number {
    return this.#database.transaction(() => this.#settled.settle(most)).immediate();
  }

  /** Deletes one bounded chunk of what is too old, never of a call or channel that is up. Returns the rows deleted. */
  purge(limits: RetentionLimits): number {
    const chunk = this.#database.transaction(() => {
      const reports = this.#statements.run(
        `DELETE FROM intervals WHERE (uniqueid, direction, report_number) IN (
          SELECT uniqueid, direction, report_number FROM intervals
          WHERE at_ms < ? AND uniqueid NOT IN (SELECT uniqueid FROM channels WHERE ended_at_ms IS NULL)
          LIMIT ${PURGE_CHUNK_INTERVALS})`,
        limits.intervalsBeforeMs,
      );
      if (reports > 0) return reports;
      const expired = `SELECT linkedid FROM calls WHERE ended_at_ms < ? AND NOT EXISTS (
        SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid AND channels.ended_at_ms IS NULL)`;
      const reportsOfCalls = this.#statements.run(
        `DELETE FROM intervals WHERE (uniqueid, direction, report_number) IN (
          SELECT intervals.uniqueid, direction, report_number FROM intervals
          JOIN channels ON channels.uniqueid = intervals.uniqueid
          WHERE channels.linkedid IN (${expired}) LIMIT ${PURGE_CHUNK_INTERVALS})`,
        limits.callsBeforeMs,
      );
      if (reportsOfCalls > 0) return reportsOfCalls;
      const going = this.#statements
        .prepared(`${expired} LIMIT ${PURGE_CHUNK_CALLS}`)
        .pluck()
        .all(limits.callsBeforeMs) as string[];
      this.#settled.reopen(...going);
      for (const { forget } of this.#features) forget?.(this.#statements, going);
      const these = JSON.stringify(going);
      this.#statements.run(
        `DELETE FROM segments WHERE uniqueid IN (
          SELECT uniqueid FROM channels WHERE linkedid IN (SELECT value FROM json_each(?)))`,
        these,
      );
      const calls = this.#statements.run('DELETE FROM calls WHERE linkedid IN (SELECT value FROM json_each(?))', these);
      this.#statements.run('DELETE FROM call_aliases WHERE into_linkedid NOT IN (SELECT linkedid FROM calls)');
      return calls;
    });
    return chunk.immediate();
  }
}
