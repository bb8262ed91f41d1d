import type { Database } from 'better-sqlite3';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';
import type { CountedCalls } from '../sums/counted-calls.ts';
import type { RetentionLimits } from '../thread/protocol.ts';

/** About how many rows one step deletes: it takes some tens of milliseconds, for which a commit waits. */
const STEP_REPORTS = 2000;
const STEP_CALLS = 20;

/** Pages that one step gives back to the file system, and those kept for reuse: 10 MB. */
const STEP_PAGES = 250;
const SPARE_PAGES = 2500;

const EXPIRED_REPORTS = `SELECT uniqueid, direction, report_number FROM stored_intervals
  WHERE at_ms < ? AND uniqueid NOT IN (SELECT uniqueid FROM channels WHERE ended_at_ms IS NULL) LIMIT ${STEP_REPORTS}`;
/** The oldest first, by their index. */
const EXPIRED_CALLS = `SELECT linkedid FROM calls WHERE ended_at_ms < ? AND NOT EXISTS (
  SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid AND channels.ended_at_ms IS NULL)
  ORDER BY ended_at_ms LIMIT ${STEP_CALLS}`;
const THEIR_CHANNELS = `SELECT uniqueid FROM json_each(?) CROSS JOIN channels ON channels.linkedid = value`;

function deleteReports(which: string): string {
  return `DELETE FROM stored_intervals WHERE (uniqueid, direction, report_number) IN (${which})`;
}

/** Deletes what is too old in steps, in the caller's transaction. */
export class Retention {
  readonly #statements: Statements;
  readonly #counted: CountedCalls;
  readonly #features: readonly Feature[];

  constructor(statements: Statements, counted: CountedCalls, features: readonly Feature[]) {
    this.#statements = statements;
    this.#counted = counted;
    this.#features = features;
  }

  /** One step, never of a call or channel that is up; returns the rows deleted. */
  purge({ intervalsBeforeMs, callsBeforeMs }: RetentionLimits): number {
    return this.#purgeReports(intervalsBeforeMs) || this.#purgeCalls(callsBeforeMs);
  }

  #purgeReports(beforeMs: number): number {
    return this.#statements.run(deleteReports(EXPIRED_REPORTS), beforeMs);
  }

  #purgeCalls(beforeMs: number): number {
    const linkedids = this.#statements.prepared(EXPIRED_CALLS).pluck().all(beforeMs) as string[];
    const these = JSON.stringify(linkedids);
    const ofTheirs = `SELECT uniqueid, direction, report_number FROM stored_intervals WHERE uniqueid IN (${THEIR_CHANNELS})`;
    const reports = this.#statements.run(deleteReports(`${ofTheirs} LIMIT ${STEP_REPORTS}`), these);
    if (reports > 0 || linkedids.length === 0) return reports;
    this.#counted.reopen(...linkedids);
    for (const { forget } of this.#features) forget?.(this.#statements, linkedids);
    this.#statements.run(`DELETE FROM segments WHERE uniqueid IN (${THEIR_CHANNELS})`, these);
    this.#statements.run(`DELETE FROM resumes WHERE uniqueid IN (${THEIR_CHANNELS})`, these);
    this.#statements.run('DELETE FROM call_aliases WHERE into_linkedid IN (SELECT value FROM json_each(?))', these);
    // Channels and streams go with their calls.
    return this.#statements.run('DELETE FROM calls WHERE linkedid IN (SELECT value FROM json_each(?))', these);
  }
}

/**
 * Gives free pages at the end of the file back to the file system; true while there are more than are worth keeping. A file that was
 * made before 0.1.0 does not know how: it does not shrink, and its free pages are used again.
 */
export function shrinkSome(database: Database): boolean {
  const free = (): number => Number(database.pragma('freelist_count', { simple: true }));
  const before = free();
  if (before <= SPARE_PAGES) return false;
  database.pragma(`incremental_vacuum(${STEP_PAGES})`);
  return free() < before;
}
