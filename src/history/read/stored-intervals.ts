import type { Database, Statement } from 'better-sqlite3';
import type { ChannelRecord, IntervalRecord } from '../../model/record.ts';
import { JournalReader } from '../write/interval-journal.ts';
import { INTERVAL_COLUMNS, type Row } from '../schema/rows.ts';

/** The reports of the history, whether they are in the table `intervals` or in the journal still. */
export class StoredIntervals {
  readonly #journal: JournalReader;
  readonly #ofChannel: Statement<unknown[], Row>;
  readonly #afterStates: Statement<unknown[], Row>;

  constructor(database: Database) {
    this.#journal = new JournalReader(database);
    this.#ofChannel = database.prepare('SELECT * FROM intervals WHERE uniqueid = ?');
    this.#afterStates = database.prepare(
      `SELECT intervals.* FROM json_each(?) CROSS JOIN streams ON streams.uniqueid = value
        CROSS JOIN intervals ON intervals.uniqueid = streams.uniqueid AND intervals.direction = streams.direction
          AND intervals.report_number > streams.reports`,
    );
  }

  /** Those of a channel that are in the table, in any order. */
  inTable(uniqueid: string): IntervalRecord[] {
    return this.#ofChannel.all(uniqueid).map((row) => INTERVAL_COLUMNS.fromRow(row));
  }

  /** All of a channel, in the order in which they came. */
  of(uniqueid: string): IntervalRecord[] {
    return merged(this.#ofChannel.all(uniqueid), this.#journal.of(uniqueid));
  }

  /** Those that the streams of these channels, as they are stored, do not count; in the order in which they came. */
  after(channels: readonly ChannelRecord[]): IntervalRecord[] {
    const uniqueids = JSON.stringify(channels.map(({ uniqueid }) => uniqueid));
    const counted = channels.flatMap(({ uniqueid, streams }) =>
      streams.map(({ direction, reports }) => [`${uniqueid} ${direction}`, reports] as const),
    );
    return merged(this.#afterStates.all(uniqueids), this.#journal.after(new Map(counted)));
  }
}

/** An interval may be in both: while it is moved, and if it was not moved to the end. */
function merged(inTable: readonly Row[], inJournal: readonly Row[]): IntervalRecord[] {
  const byKey = new Map<string, IntervalRecord>();
  for (const row of [...inTable, ...inJournal]) {
    const interval = INTERVAL_COLUMNS.fromRow(row);
    byKey.set(`${interval.uniqueid} ${interval.direction} ${interval.reportNumber}`, interval);
  }
  return [...byKey.values()].toSorted(byArrival);
}

/** By their numbers: the clock may have been set in between. Those without one are older than all others. */
function byArrival(a: IntervalRecord, b: IntervalRecord): number {
  const byNumber = (a.channelReportNumber ?? 0) - (b.channelReportNumber ?? 0);
  if (byNumber !== 0 || a.atMs !== b.atMs) return byNumber || a.atMs - b.atMs;
  return a.direction === b.direction ? a.reportNumber - b.reportNumber : a.direction < b.direction ? -1 : 1;
}
