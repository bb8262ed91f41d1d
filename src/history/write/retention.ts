import type { Database } from 'better-sqlite3';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';
import type { CountedCalls } from '../sums/counted-calls.ts';
import type { RetentionLimits } from '../thread/protocol.ts';

/** What one step deletes at most: some milliseconds, for which a commit waits. */
const STEP_REPORTS = 2000;
const STEP_CALLS = 20;
/** After a longer step, such as from a disk that has to be read first, the next one deletes half as much. */
const LONG_STEP_MS = 40;
const LEAST_SHARE = 1 / STEP_CALLS;

/** Pages that one step gives back to the file system, and those kept for reuse: 10 MB. */
const STEP_PAGES = 250;
const SPARE_PAGES = 2500;

const EXPIRED_REPORTS = `SELECT uniqueid, direction, report_number FROM stored_intervals
  WHERE at_ms < ? AND uniqueid NOT IN (SELECT uniqueid FROM channels WHERE ended_at_ms IS NULL) LIMIT ?`;
/** The oldest first, by their index. */
const EXPIRED_CALLS = `SELECT linkedid FROM calls WHERE ended_at_ms < ? AND NOT EXISTS (
  SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid AND channels.ended_at_ms IS NULL)
  ORDER BY ended_at_ms LIMIT ?`;
const THEIR_CHANNELS = `SELECT uniqueid FROM json_each(?) CROSS JOIN channels ON channels.linkedid = value`;

function deleteReports(which: string): string {
  return `DELETE FROM stored_intervals WHERE (uniqueid, direction, report_number) IN (${which})`;
}

/** Deletes what is too old in steps, in the caller's transaction. */
export class Retention {
  readonly #statements: Statements;
  readonly #counted: CountedCalls;
  readonly #features: readonly Feature[];
  readonly #nowMs: () => number;
  /** Of what a step deletes at most. */
  #share = 1;

  constructor(
    statements: Statements,
    counted: CountedCalls,
    features: readonly Feature[],
    nowMs = (): number => performance.now(),
  ) {
    this.#statements = statements;
    this.#counted = counted;
    this.#features = features;
    this.#nowMs = nowMs;
  }

  /** Deletes some rows, never of a call or channel that is up. Returns how many. */
  purge({ intervalsBeforeMs, callsBeforeMs }: RetentionLimits): number {
    const sinceMs = this.#nowMs();
    const deleted = this.#purgeReports(intervalsBeforeMs) || this.#purgeCalls(callsBeforeMs);
    const isLong = this.#nowMs() - sinceMs > LONG_STEP_MS;
    this.#share = isLong ? Math.max(LEAST_SHARE, this.#share / 2) : Math.min(1, this.#share * 2);
    return deleted;
  }

  #most(rows: number): number {
    return Math.round(rows * this.#share);
  }

  #purgeReports(beforeMs: number): number {
    return this.#statements.run(deleteReports(EXPIRED_REPORTS), beforeMs, this.#most(STEP_REPORTS));
  }

  #purgeCalls(beforeMs: number): number {
    const linkedids = this.#statements
      .prepared(EXPIRED_CALLS)
      .pluck()
      .all(beforeMs, this.#most(STEP_CALLS)) as string[];
    const these = JSON.stringify(linkedids);
    const ofTheirs = `SELECT uniqueid, direction, report_number FROM stored_intervals WHERE uniqueid IN (${THEIR_CHANNELS})`;
    const reports = this.#statements.run(deleteReports(`${ofTheirs} LIMIT ?`), these, this.#most(STEP_REPORTS));
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
