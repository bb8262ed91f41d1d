import type { Database, Statement } from 'better-sqlite3';
import type { IntervalRecord } from '../../model/record.ts';
import { INTERVAL_COLUMNS, type Row } from '../schema/rows.ts';

/** The reports of the history. */
export class StoredIntervals {
  readonly #ofChannel: Statement<unknown[], Row>;
  readonly #moved: Statement<unknown[], Row>;
  readonly #afterResumes: Statement<unknown[], Row>;

  constructor(database: Database) {
    this.#ofChannel = database.prepare('SELECT * FROM intervals WHERE uniqueid = ?');
    this.#moved = database.prepare('SELECT * FROM stored_intervals WHERE uniqueid = ?');
    this.#afterResumes = database.prepare(
      `SELECT stored_intervals.* FROM json_each(?) LEFT JOIN resumes ON resumes.uniqueid = value
        CROSS JOIN (SELECT 'rx' AS direction UNION ALL SELECT 'tx') AS one
        CROSS JOIN stored_intervals ON stored_intervals.uniqueid = value AND stored_intervals.direction = one.direction
          AND report_number > CASE one.direction WHEN 'rx' THEN ifnull(rx_reports, 0) ELSE ifnull(tx_reports, 0) END`,
    );
  }

  /** All reports of a channel, in the order in which they came. */
  of(uniqueid: string): IntervalRecord[] {
    return inOrder(this.#ofChannel.all(uniqueid));
  }

  /** The reports in the sorted table, where `rescore` can change them. */
  moved(uniqueid: string): IntervalRecord[] {
    return inOrder(this.#moved.all(uniqueid));
  }

  /**
   * The reports of these channels that their stored states do not count, in the order in which they came. All recent reports must
   * have been moved.
   */
  afterResumes(uniqueids: readonly string[]): IntervalRecord[] {
    return inOrder(this.#afterResumes.all(JSON.stringify(uniqueids)));
  }
}

function inOrder(rows: readonly Row[]): IntervalRecord[] {
  return rows.map((row) => INTERVAL_COLUMNS.fromRow(row)).sort(byArrival);
}

/**
 * Orders reports by their numbers, because somebody may have set the clock in between. Those without a number are older than all
 * others.
 */
export function byArrival(a: IntervalRecord, b: IntervalRecord): number {
  const byNumber = (a.channelReportNumber ?? 0) - (b.channelReportNumber ?? 0);
  if (byNumber !== 0 || a.atMs !== b.atMs) return byNumber || a.atMs - b.atMs;
  return a.direction === b.direction ? a.reportNumber - b.reportNumber : a.direction < b.direction ? -1 : 1;
}
