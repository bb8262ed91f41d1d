import { INTERVAL_COLUMNS } from '../schema/rows.ts';
import type { Statements } from '../schema/statements.ts';
import type { Cells } from './batch.ts';
import { upsert } from './upsert.ts';

/** Reports that one step sorts and moves: some 15 ms, for which a commit waits. */
const STEP_REPORTS = 4000;

const COLUMNS = INTERVAL_COLUMNS.names.join(', ');
const KEY = ['uniqueid', 'direction', 'report_number'];
const PLACES = `(${INTERVAL_COLUMNS.names.map(() => '?').join(', ')})`;
/** Several rows with one statement take two thirds of the time. */
const ROWS_AT_ONCE = 10;
const appendRows = (rows: number): string =>
  `INSERT INTO recent_intervals (${COLUMNS}) VALUES ${Array.from({ length: rows }, () => PLACES).join(', ')}`;
const APPEND = appendRows(1);
const APPEND_SOME = appendRows(ROWS_AT_ONCE);
const PUT = upsert('stored_intervals', KEY, INTERVAL_COLUMNS.names);
const MOVE = `INSERT INTO stored_intervals (${COLUMNS}) SELECT ${COLUMNS} FROM recent_intervals WHERE rowid <= ?
  ORDER BY ${KEY.join(', ')}, rowid ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET ${INTERVAL_COLUMNS.names
    .filter((name) => !KEY.includes(name))
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`;

/**
 * Writes reports in the caller's transaction. The reports of one moment belong to as many channels: in the sorted table each would
 * rewrite a page of its own. So they are appended to `recent_intervals` and later moved together, several of each channel at a
 * time. The view `intervals` has both.
 */
export class ReportWriter {
  readonly #statements: Statements;
  #mayBeThere = true;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Appends many reports; throws, with some of them appended, when one is refused. */
  writeAll(reports: readonly Cells[]): void {
    let at = 0;
    if (!this.#mayBeThere) {
      const append = this.#statements.prepared(APPEND_SOME);
      for (; at + ROWS_AT_ONCE <= reports.length; at += ROWS_AT_ONCE) {
        append.run(reports.slice(at, at + ROWS_AT_ONCE).flat());
      }
    }
    for (; at < reports.length; at++) this.write(reports[at] ?? []);
  }

  /** Appends a report. The first ones after a start may be there already, if a thread died between their commit and its answer. */
  write(cells: Cells): void {
    this.#statements.run(this.#mayBeThere ? PUT : APPEND, ...cells);
  }

  /** What was written is committed: what comes now is new. */
  noteCommitted(): void {
    this.#mayBeThere = false;
  }

  /** Moves some of the oldest reports; returns how many are left. */
  move(): number {
    const [first, last] = this.#range();
    if (last === null || first === null) return 0;
    const upTo = Math.min(last, first + STEP_REPORTS - 1);
    this.#statements.run(MOVE, upTo);
    this.#statements.run('DELETE FROM recent_intervals WHERE rowid <= ?', upTo);
    return last - upTo;
  }

  #range(): [first: number | null, last: number | null] {
    const range = this.#statements.prepared(
      'SELECT (SELECT min(rowid) FROM recent_intervals), (SELECT max(rowid) FROM recent_intervals)',
    );
    return range.raw().get() as [number | null, number | null];
  }
}
