import type { Database, Statement } from 'better-sqlite3';
import type { CallPage, CallWithChannels, ResumableChannel } from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import { ASSUMED_CLOCK_RATE_HZ, ticksToMs } from '../../units/rtp.ts';
import { CallSearch } from './call-search.ts';
import type { CallsQuery } from '../thread/protocol.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS, type Cell, type Row } from '../schema/rows.ts';
import { StoredIntervals } from './stored-intervals.ts';

/** Asks the database. Every answer is one consistent state of it. */
export class Queries {
  readonly #database: Database;
  readonly #search: CallSearch;
  readonly #intervals: StoredIntervals;
  readonly #channelsOfCalls: Statement<unknown[], Row>;
  readonly #streamsOfChannels: Statement<unknown[], Row>;

  constructor(database: Database) {
    this.#database = database;
    this.#search = new CallSearch(database);
    this.#intervals = new StoredIntervals(database);
    // Many at a time: with this many columns, beginning a statement takes longer than reading a row.
    this.#channelsOfCalls = database.prepare(
      `SELECT channels.* FROM json_each(?) CROSS JOIN channels ON channels.linkedid = value
        ORDER BY started_at_ms, uniqueid`,
    );
    this.#streamsOfChannels = database.prepare(
      'SELECT streams.* FROM json_each(?) CROSS JOIN streams ON streams.uniqueid = value ORDER BY direction',
    );
  }

  calls({ filter, limit, cursor, order, isCounted = false }: CallsQuery): CallPage {
    const read = this.#database.transaction(() => {
      // One more than asked for tells whether there is another page.
      const rows = this.#search.find({ filter, cursor, order }, limit + 1);
      const matching = isCounted ? this.#search.count({ filter }) : undefined;
      return { more: rows.length > limit, calls: this.#withChannels(rows.slice(0, limit)), matching };
    });
    const { more, calls, matching } = read();
    const last = order === undefined ? calls.at(-1) : undefined;
    const next = more && last !== undefined ? { startedAtMs: last.startedAtMs, linkedid: last.linkedid } : null;
    return { calls, next, matching };
  }

  call(linkedid: string): CallWithChannels | null {
    const read = this.#database.transaction(() => {
      const row = this.#database
        .prepare<unknown[], Row>(
          `SELECT * FROM calls WHERE linkedid = ifnull(
            (SELECT into_linkedid FROM call_aliases WHERE from_linkedid = @linkedid), @linkedid)`,
        )
        .get({ linkedid });
      return row === undefined ? null : (this.#withChannels([row])[0] ?? null);
    });
    return read();
  }

  channel(uniqueid: string): ChannelRecord | null {
    const read = this.#database.transaction(() => {
      const row = this.#database.prepare<unknown[], Row>('SELECT * FROM channels WHERE uniqueid = ?').get(uniqueid);
      return row === undefined ? null : (this.#withStreams([row])[0] ?? null);
    });
    return read();
  }

  segments(uniqueid: string): SegmentRecord[] {
    return this.#database
      .prepare<unknown[], Row>('SELECT * FROM segments WHERE uniqueid = ? ORDER BY direction, segment_number')
      .all(uniqueid)
      .map((row) => SEGMENT_COLUMNS.fromRow(row));
  }

  /** The reports of a channel in the order in which they came. */
  intervals(uniqueid: string): IntervalRecord[] | null {
    const read = this.#database.transaction(() => {
      const channel = this.channel(uniqueid);
      if (channel === null) return null;
      return inStreamClock(this.#intervals.of(uniqueid), channel.streams);
    });
    return read();
  }

  /**
   * Channels of calls with one that is up, their ended ones too: the call's score is made of all. A channel without a state that
   * can be read comes with all its reports.
   */
  resumable(): ResumableChannel[] {
    const read = this.#database.transaction(() => {
      const rows = this.#database
        .prepare<unknown[], Row>(
          `SELECT channels.*, resumes.state AS resume FROM channels LEFT JOIN resumes ON resumes.uniqueid = channels.uniqueid
           WHERE linkedid IN (SELECT linkedid FROM channels WHERE ended_at_ms IS NULL)
           ORDER BY channels.started_at_ms, channels.uniqueid`,
        )
        .all();
      const channels = this.#withStreams(rows);
      const later = this.#intervals.afterResumes(channels.map(({ uniqueid }) => uniqueid));
      const laterOf = Map.groupBy(later, ({ uniqueid }) => uniqueid);
      return channels.map((channel, index) => ({
        channel,
        resume: typeof rows[index]?.['resume'] === 'string' ? rows[index]['resume'] : null,
        laterIntervals: laterOf.get(channel.uniqueid) ?? [],
      }));
    });
    return read();
  }

  #withStreams(channels: readonly Row[]): ChannelRecord[] {
    const streams = partsOf(this.#streamsOfChannels, channels, 'uniqueid');
    return channels.map((row) => ({
      ...CHANNEL_COLUMNS.fromRow(row),
      streams: (streams.get(row['uniqueid']) ?? []).map((stream) => STREAM_COLUMNS.fromRow(stream)),
    }));
  }

  #withChannels(calls: readonly Row[]): CallWithChannels[] {
    const rows = [...partsOf(this.#channelsOfCalls, calls, 'linkedid').values()].flat();
    const channels = Map.groupBy(this.#withStreams(rows), ({ linkedid }) => linkedid);
    return calls.map((row) => {
      const call = CALL_COLUMNS.fromRow(row);
      return { ...call, channels: channels.get(call.linkedid) ?? [] };
    });
  }
}

/**
 * Reports with their jitter in the stream's own clock when that was learnt only after the report, so that an assumed clock rate
 * does not stay in the history.
 */
export function inStreamClock(
  intervals: readonly IntervalRecord[],
  streams: readonly StreamRecord[],
): IntervalRecord[] {
  const known = streams.filter(({ clockRateSource }) => clockRateSource !== 'assumed');
  const streamOf = new Map(known.map((stream) => [stream.direction, stream]));
  return intervals.map((interval) => {
    const stream = streamOf.get(interval.direction);
    const wasAssumed =
      interval.clockRateHz === ASSUMED_CLOCK_RATE_HZ && (interval.clockRateSource ?? 'assumed') === 'assumed';
    // A report whose jitter was no sample has none in any clock.
    const isSample = interval.jitterTicks !== null && interval.jitterMs !== null;
    if (stream === undefined || !isSample || !wasAssumed) return interval;
    const { clockRateHz, clockRateSource } = stream;
    return { ...interval, clockRateHz, clockRateSource, jitterMs: ticksToMs(interval.jitterTicks, clockRateHz) };
  });
}

/** What belongs to each of the rows, by the id that both have in this column. */
function partsOf(
  statement: Statement<unknown[], Row>,
  rows: readonly Row[],
  column: string,
): Map<Cell | undefined, Row[]> {
  const ids = JSON.stringify(rows.map((row) => row[column]));
  return Map.groupBy(statement.all(ids), (part) => part[column]);
}
