import type { Database, Statement } from 'better-sqlite3';
import type { CallCursor, CallWithChannels, ResumableChannel } from '../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord } from '../model/record.ts';
import { ASSUMED_CLOCK_RATE_HZ, ticksToMs } from '../units/rtp.ts';
import { CallSearch } from './call-search.ts';
import type { CallsQuery } from './protocol.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, INTERVAL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS, type Row } from './rows.ts';

/** Asks the database. Every answer is one consistent state of it. */
export class Queries {
  readonly #database: Database;
  readonly #search: CallSearch;
  readonly #channelsOfCall: Statement<unknown[], Row>;
  readonly #streamsOfChannel: Statement<unknown[], Row>;

  constructor(database: Database) {
    this.#database = database;
    this.#search = new CallSearch(database);
    this.#channelsOfCall = database.prepare(
      'SELECT * FROM channels WHERE linkedid = ? ORDER BY started_at_ms, uniqueid',
    );
    this.#streamsOfChannel = database.prepare('SELECT * FROM streams WHERE uniqueid = ? ORDER BY direction');
  }

  calls({ filter, limit, cursor }: CallsQuery): { calls: CallWithChannels[]; next: CallCursor | null } {
    const read = this.#database.transaction(() => {
      // One more than asked for tells whether there is another page.
      const rows = this.#search.find({ filter, cursor }, limit + 1);
      return { more: rows.length > limit, calls: rows.slice(0, limit).map((row) => this.#withChannels(row)) };
    });
    const { more, calls } = read();
    const last = calls.at(-1);
    const next = more && last !== undefined ? { startedAtMs: last.startedAtMs, linkedid: last.linkedid } : null;
    return { calls, next };
  }

  call(linkedid: string): CallWithChannels | null {
    const read = this.#database.transaction(() => {
      const row = this.#database
        .prepare<unknown[], Row>(
          `SELECT * FROM calls WHERE linkedid = ifnull(
            (SELECT into_linkedid FROM call_aliases WHERE from_linkedid = @linkedid), @linkedid)`,
        )
        .get({ linkedid });
      return row === undefined ? null : this.#withChannels(row);
    });
    return read();
  }

  channel(uniqueid: string): ChannelRecord | null {
    const read = this.#database.transaction(() => {
      const row = this.#database.prepare<unknown[], Row>('SELECT * FROM channels WHERE uniqueid = ?').get(uniqueid);
      return row === undefined ? null : this.#withStreams(row);
    });
    return read();
  }

  segments(uniqueid: string): SegmentRecord[] {
    return this.#database
      .prepare<unknown[], Row>('SELECT * FROM segments WHERE uniqueid = ? ORDER BY direction, segment_number')
      .all(uniqueid)
      .map((row) => SEGMENT_COLUMNS.fromRow(row));
  }

  /**
   * The reports of a channel in the order in which they came. Their jitter is in the stream's own clock when that
   * was learnt only after the report, so that an assumed clock rate does not stay in the history.
   */
  intervals(uniqueid: string): IntervalRecord[] | null {
    const read = this.#database.transaction(() => {
      const channel = this.channel(uniqueid);
      if (channel === null) return null;
      const known = channel.streams.filter(({ clockRateSource }) => clockRateSource !== 'assumed');
      const streams = new Map(known.map((stream) => [stream.direction, stream]));
      const rows = this.#database
        .prepare<unknown[], Row>(
          // By their numbers: the clock may have been set in between. Those without one are older than all others.
          'SELECT * FROM intervals WHERE uniqueid = ? ORDER BY channel_report_number, at_ms, direction, report_number',
        )
        .all(uniqueid);
      return rows.map((row) => {
        const interval = INTERVAL_COLUMNS.fromRow(row);
        const stream = streams.get(interval.direction);
        const wasAssumed =
          interval.clockRateHz === ASSUMED_CLOCK_RATE_HZ && (interval.clockRateSource ?? 'assumed') === 'assumed';
        // A report whose jitter was no sample has none in any clock.
        const isSample = interval.jitterTicks !== null && interval.jitterMs !== null;
        if (stream === undefined || !isSample || !wasAssumed) return interval;
        const { clockRateHz, clockRateSource } = stream;
        return { ...interval, clockRateHz, clockRateSource, jitterMs: ticksToMs(interval.jitterTicks, clockRateHz) };
      });
    });
    return read();
  }

  /** Of calls that are up, their ended channels too: the call's score is made of all. */
  resumable(): ResumableChannel[] {
    const read = this.#database.transaction(() =>
      this.#database
        .prepare<unknown[], Row>(
          `SELECT channels.* FROM channels JOIN calls ON calls.linkedid = channels.linkedid
           WHERE calls.ended_at_ms IS NULL AND channels.resume IS NOT NULL ORDER BY channels.started_at_ms, uniqueid`,
        )
        .all()
        .map((row) => ({ channel: this.#withStreams(row), resume: String(row['resume']) })),
    );
    return read();
  }

  #withStreams(row: Row): ChannelRecord {
    const streams = this.#streamsOfChannel.all(row['uniqueid']).map((stream) => STREAM_COLUMNS.fromRow(stream));
    return { ...CHANNEL_COLUMNS.fromRow(row), streams };
  }

  #withChannels(row: Row): CallWithChannels {
    const call = CALL_COLUMNS.fromRow(row);
    const channels = this.#channelsOfCall.all(call.linkedid).map((channel) => this.#withStreams(channel));
    return { ...call, channels };
  }
}
