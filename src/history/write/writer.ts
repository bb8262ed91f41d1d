import type { Database } from 'better-sqlite3';
import { isAboutTheChange, reasonOf } from '../history-error.ts';
import type { Features } from '../schema/feature.ts';
import { FEATURES } from '../schema/features.ts';
import { Statements } from '../schema/statements.ts';
import { CountedCalls } from '../sums/counted-calls.ts';
import type { CommitResult, KnownCalls, RetentionLimits } from '../thread/protocol.ts';
import type { Batch } from './batch.ts';
import { endLostCalls } from './lost-calls.ts';
import { ReportWriter } from './report-writer.ts';
import { Retention, shrinkSome } from './retention.ts';
import { StateWriter } from './state-writer.ts';

/** Ended calls that are counted in one step: some 10 ms, for which a commit waits. */
const COUNT_STEP_CALLS = 100;

/** `all`: throws also when the database refuses a change. `good`: leaves out such ones, which takes longer. */
type Which = 'all' | 'good';

/** Applies changes to the database, each call in a transaction. Applying the same change again changes nothing. */
export class Writer {
  readonly #database: Database;
  readonly #statements: Statements;
  readonly #counted: CountedCalls;
  readonly #states: StateWriter;
  readonly #reports: ReportWriter;
  readonly #retention: Retention;

  /** `nowMs`: with which steps of retention are timed. */
  constructor(database: Database, features: Features = FEATURES, nowMs?: () => number) {
    const statements = new Statements(database);
    this.#statements = statements;
    const all = Object.values(features);
    this.#database = database;
    this.#counted = new CountedCalls(database);
    this.#states = new StateWriter(statements, this.#counted, all);
    this.#reports = new ReportWriter(statements);
    this.#retention = new Retention(statements, this.#counted, all, nowMs);
    // What a former thread committed and did not answer for comes again.
    while (this.move() > 0);
  }

  /** Commits the whole batch. If it throws, nothing of it is stored. */
  commit(batch: Batch): CommitResult {
    try {
      return this.#commit(batch, 'all');
    } catch (error) {
      if (!isAboutTheChange(error)) throw error;
      return this.#commit(batch, 'good');
    }
  }

  /** Moves some recent reports to where they stay, sorted; returns how many are left. */
  move(): number {
    return this.#database.transaction(() => this.#reports.move()).immediate();
  }

  /** Counts a bounded number of ended calls; returns how many. */
  countEnded(most = COUNT_STEP_CALLS): number {
    return this.#database.transaction(() => this.#counted.countEnded(most)).immediate();
  }

  /** Deletes some of what is too old, never of a call or channel that is up; returns the rows deleted. */
  purge(limits: RetentionLimits): number {
    return this.#database.transaction(() => this.#retention.purge(limits)).immediate();
  }

  /** Forgets states that cannot be read, of channels that are up. Their RTP sessions are then made from their reports. */
  forgetResumes(unreadable: readonly string[]): void {
    const forget = this.#database.transaction(() => {
      const these = JSON.stringify(unreadable);
      for (const table of ['resumes', 'segments']) {
        this.#statements.run(`DELETE FROM ${table} WHERE uniqueid IN (SELECT value FROM json_each(?))`, these);
      }
    });
    forget.immediate();
  }

  /** Ends some of the calls that are stored as up and are not known any more, at their last report; returns how many. */
  endLost(known: KnownCalls): number {
    return this.#database.transaction(() => endLostCalls(this.#statements, known)).immediate();
  }

  /** Gives some pages that deleted rows have left back to the file system; true while there are more to give back. */
  shrink(): boolean {
    return shrinkSome(this.#database);
  }

  #commit({ states, intervals }: Batch, which: Which): CommitResult {
    let applied = 0;
    let rejected = 0;
    let rejection: string | null = null;
    const applyAll = <Change>(changes: readonly Change[], apply: (change: Change) => void): void => {
      // Within a transaction this is a savepoint: what is refused halfway leaves nothing behind.
      const applyWhole = which === 'all' ? apply : this.#database.transaction(apply);
      for (const change of changes) {
        try {
          applyWhole(change);
          applied++;
        } catch (error) {
          if (which === 'all' || !isAboutTheChange(error)) throw error;
          rejected++;
          rejection = reasonOf(error);
        }
      }
    };
    const all = this.#database.transaction(() => {
      applyAll(states, (state) => this.#states.apply(state));
      if (which === 'good') return applyAll(intervals, (cells) => this.#reports.write(cells));
      this.#reports.writeAll(intervals);
      applied += intervals.length;
    });
    all.immediate();
    this.#reports.noteCommitted();
    return { applied, rejected, rejection };
  }
}
