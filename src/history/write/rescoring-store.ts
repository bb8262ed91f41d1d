import { existsSync } from 'node:fs';
import type { Database, Statement } from 'better-sqlite3';
import type { ChannelRecord, IntervalRecord } from '../../model/record.ts';
import type { RescoredCall, StoredCall, StoredChannel } from '../../model/rescoring.ts';
import { openForWriting } from '../schema/database.ts';
import { explain, HistoryError, missingHistory } from '../history-error.ts';
import { Queries } from '../read/queries.ts';
import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  type Row,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../schema/rows.ts';
import { CountedCalls } from '../sums/counted-calls.ts';
import { StoredIntervals } from '../read/stored-intervals.ts';
import { Writer } from './writer.ts';

/** A batch is one transaction. A running sidecar cannot write meanwhile, so it must end within a fraction of a second. */
const DEFAULT_BATCH_CALLS = 200;
const BATCH_REPORTS = 2000;
/** A sidecar, a purge or a backup may hold the database for a while. */
const BUSY_TIMEOUT_MS = 30_000;

/** What is to be scored again: calls that began in [fromMs, toMs). */
export interface RescoringRequest {
  /** Everything that the outcome depends on. Only the same text goes on with an interrupted run. */
  readonly key: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Later ends may still be written to by a running sidecar. */
  readonly endedBeforeMs: number;
}

export interface RescoringCounts {
  readonly rescored: number;
  /** Left as they were because not all of their reports are stored any more. */
  readonly expired: number;
}

/** What one batch came to; the counts are of the whole run so far. */
export interface RescoringBatch extends RescoringCounts {
  /** Nothing is left to do, and the run is forgotten. */
  readonly isDone: boolean;
  /** Calls of this batch. */
  readonly taken: number;
  /** Calls of the range that were not over; known once done. */
  readonly left: number;
}

/** How it began: from the start, behind the last call of an interrupted run, or in place of another run. */
export type RescoringBegin = 'new' | 'resumed' | 'replaced';

interface Place {
  readonly request: string;
  readonly from_ms: number | null;
  readonly to_ms: number | null;
  readonly started_at_ms: number;
  readonly linkedid: string;
  readonly rescored: number;
  readonly expired: number;
}

const SCORES_OF_INTERVAL = ['effective_latency_ms', 'r_value', 'mes', 'mes_running', 'profile'];

const IS_OVER = `ended_at_ms IS NOT NULL AND ended_at_ms < @endedBeforeMs AND NOT EXISTS (
  SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid AND channels.ended_at_ms IS NULL)`;
const IN_RANGE = '(@fromMs IS NULL OR started_at_ms >= @fromMs) AND (@toMs IS NULL OR started_at_ms < @toMs)';
const BEHIND = '(started_at_ms, linkedid) > (@lastMs, @lastLinkedid)';

/** Rewrites the scores of ended calls, a batch a transaction, and remembers how far it has come. */
export class RescoringStore {
  readonly #database: Database;
  readonly #batchCalls: number;
  readonly #queries: Queries;
  readonly #intervals: StoredIntervals;
  readonly #counted: CountedCalls;
  readonly #statements = new Map<string, Statement<unknown[], Row>>();

  constructor(database: Database, batchCalls: number) {
    this.#database = database;
    this.#batchCalls = batchCalls;
    this.#queries = new Queries(database);
    this.#intervals = new StoredIntervals(database);
    this.#counted = new CountedCalls(database);
  }

  /** Takes note of the request, or goes on with the same one where it stopped; the range is the first one's then. */
  begin(request: RescoringRequest): RescoringBegin {
    // Scores are written where reports stay: as it begins, the writer moves those of calls that are over there.
    void new Writer(this.#database);
    const begin = this.#database.transaction((): RescoringBegin => {
      const unfinished = this.#place();
      if (unfinished?.request === request.key) return 'resumed';
      this.#prepare(
        `INSERT OR REPLACE INTO rescoring (id, request, from_ms, to_ms, started_at_ms, linkedid, rescored, expired)
          VALUES (1, @key, @fromMs, @toMs, ${Number.MIN_SAFE_INTEGER}, '', 0, 0)`,
      ).run({ key: request.key, fromMs: request.fromMs, toMs: request.toMs });
      return unfinished === undefined ? 'new' : 'replaced';
    });
    return begin.immediate();
  }

  /** Calls that are still to be looked at. */
  remaining(request: RescoringRequest): number {
    const place = this.#ownPlace(request);
    if (place === undefined) return 0;
    const sql = `SELECT count(*) AS n FROM calls WHERE ${BEHIND} AND ${IN_RANGE} AND ${IS_OVER}`;
    return Number(this.#prepare(sql).get(parameters(place, request))?.['n'] ?? 0);
  }

  /**
   * Scores the next calls again; `rescore` gives null for a call that is to stay as it is. Throws HistoryError when another run has taken this one's place.
   */
  nextBatch(request: RescoringRequest, rescore: (call: StoredCall) => RescoredCall | null): RescoringBatch {
    const batch = this.#database.transaction(() => {
      const place = this.#ownPlace(request);
      if (place === undefined) {
        throw new HistoryError('another asterisk-mes rescore has taken over; run it again when that one has finished');
      }
      const bounds = parameters(place, request);
      const rows = this.#prepare(
        `SELECT started_at_ms, linkedid FROM calls WHERE ${BEHIND} AND ${IN_RANGE} AND ${IS_OVER}
          ORDER BY started_at_ms, linkedid LIMIT ${this.#batchCalls}`,
      ).all(bounds);
      if (rows.length === 0) {
        this.#prepare('DELETE FROM rescoring').run();
        const left = this.#prepare(`SELECT count(*) AS n FROM calls WHERE ${IN_RANGE} AND NOT (${IS_OVER})`).get(
          bounds,
        );
        return {
          rescored: place.rescored,
          expired: place.expired,
          isDone: true,
          taken: 0,
          left: Number(left?.['n'] ?? 0),
        };
      }
      let { rescored, expired } = place;
      let reports = 0;
      let last: Row | undefined;
      for (const row of rows) {
        if (reports >= BATCH_REPORTS) break;
        const stored = this.#storedCall(String(row['linkedid']));
        const again = stored && rescore(stored);
        if (again === null || again === undefined) {
          expired++;
        } else {
          this.#write(again);
          rescored++;
        }
        reports += stored?.channels.reduce((sum, { intervals }) => sum + intervals.length, 0) ?? 0;
        last = row;
      }
      this.#counted.countEnded(rows.length);
      this.#prepare(
        'UPDATE rescoring SET started_at_ms = @started_at_ms, linkedid = @linkedid, rescored = @rescored, expired = @expired',
      ).run({ ...last, rescored, expired });
      return { rescored, expired, isDone: false, taken: rescored + expired - place.rescored - place.expired, left: 0 };
    });
    return batch.immediate();
  }

  close(): void {
    this.#database.close();
  }

  #place(): Place | undefined {
    return this.#prepare('SELECT * FROM rescoring').get() as Place | undefined;
  }

  #ownPlace(request: RescoringRequest): Place | undefined {
    const place = this.#place();
    return place?.request === request.key ? place : undefined;
  }

  #storedCall(linkedid: string): StoredCall | undefined {
    const found = this.#queries.call(linkedid);
    if (found === null) return undefined;
    const { channels, ...call } = found;
    const own = new Set(channels.map(({ uniqueid }) => uniqueid));
    const peers = [...new Set(channels.flatMap(({ peerUniqueid }) => peerUniqueid ?? []))]
      .filter((uniqueid) => !own.has(uniqueid))
      .flatMap((uniqueid) => this.#queries.channel(uniqueid) ?? []);
    return {
      call,
      // What has come since makes a call that is not whole.
      channels: channels.map((channel) => this.#storedChannel(channel, this.#intervals.moved(channel.uniqueid))),
      peers: peers.map((peer) => this.#storedChannel(peer, this.#intervals.of(peer.uniqueid))),
    };
  }

  #storedChannel(channel: ChannelRecord, intervals: readonly IntervalRecord[]): StoredChannel {
    return { channel, segments: this.#queries.segments(channel.uniqueid), intervals };
  }

  #write({ call, channels, segments, intervals }: RescoredCall): void {
    this.#counted.reopen(call.linkedid);
    // Where a fleet has it, it is shipped once more.
    this.#prepare('INSERT OR IGNORE INTO outbox_again SELECT @linkedid FROM outbox_mark WHERE ended_at_ms > 0').run({
      linkedid: call.linkedid,
    });
    this.#update('calls', ['linkedid'], CALL_COLUMNS.names, CALL_COLUMNS.toRow(call));
    for (const channel of channels) {
      const { uniqueid } = channel;
      this.#update('channels', ['uniqueid'], CHANNEL_COLUMNS.names, CHANNEL_COLUMNS.toRow(channel));
      for (const stream of channel.streams) {
        this.#update('streams', ['uniqueid', 'direction'], STREAM_COLUMNS.names, {
          ...STREAM_COLUMNS.toRow(stream),
          uniqueid,
        });
      }
    }
    for (const segment of segments) {
      const row = SEGMENT_COLUMNS.toRow(segment);
      this.#update('segments', ['uniqueid', 'direction', 'segment_number'], SEGMENT_COLUMNS.names, row);
    }
    for (const interval of intervals) {
      const row = INTERVAL_COLUMNS.toRow(interval);
      this.#update('stored_intervals', ['uniqueid', 'direction', 'report_number'], SCORES_OF_INTERVAL, row);
    }
  }

  #update(table: string, keys: readonly string[], columns: readonly string[], row: Row): void {
    const assignments = columns.filter((name) => !keys.includes(name)).map((name) => `${name} = @${name}`);
    const condition = keys.map((key) => `${key} = @${key}`).join(' AND ');
    this.#prepare(`UPDATE ${table} SET ${assignments.join(', ')} WHERE ${condition}`).run(row);
  }

  #prepare(sql: string): Statement<unknown[], Row> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<unknown[], Row>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** The range is that of the run's first start: `-7d` must not move on when the run goes on. */
function parameters(place: Place, { endedBeforeMs }: RescoringRequest): Record<string, number | string | null> {
  const { from_ms: fromMs, to_ms: toMs, started_at_ms: lastMs, linkedid: lastLinkedid } = place;
  return { fromMs, toMs, lastMs, lastLinkedid, endedBeforeMs };
}

/** Opens an existing history to score it again, at most `batchCalls` calls a transaction. Throws HistoryError, one sentence, when there is none or it cannot be used. */
export function openForRescoring(path: string, batchCalls = DEFAULT_BATCH_CALLS): RescoringStore {
  if (!existsSync(path)) throw missingHistory(path);
  try {
    return new RescoringStore(openForWriting(path, BUSY_TIMEOUT_MS), batchCalls);
  } catch (error) {
    throw new HistoryError(explain(error, path), { cause: error });
  }
}
