import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type {
  BucketQuality,
  CallCursor,
  CallFilter,
  CallWithChannels,
  Clock,
  EndpointQuality,
  EndpointWithTrend,
  HistoryReader,
  HistorySink,
  ResumableChannel,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../model/ports.ts';
import type { ChannelRecord, HistoryChange, IntervalRecord, SegmentRecord } from '../model/record.ts';
import { ChangeQueue } from './change-queue.ts';
import { explain, HistoryError } from './history-error.ts';
import { packBatch } from './packed-batch.ts';
import type { ReaderMethods, WriterMethods } from './protocol.ts';
import { WorkerLink } from './worker-link.ts';

/**
 * A change waits this long for others to be committed with it. Together with the 150 ms that the sidecar gathers changes
 * for, and the commit itself, under 250 ms.
 */
const GATHER_MS = 50;
/** Pause after a commit that failed; doubled each time up to the longest. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** How long a read waits for what was recorded before it: a stuck disk must not hang REST. */
const READ_WAIT_MS = 500;
const RETENTION_PERIOD_MS = 3_600_000;
/**
 * `close` gives the last commits this long, or one more try when the last one failed. All in all the sidecar is to end
 * within 3 s of being told to, also when the database is locked: up to 1 s is gone before (ARI, tcpdump), and a thread
 * that waits for the lock ends only when its statement gives up.
 */
const LAST_COMMITS_MS = 1000;
const LAST_TRY_MS = 500;
/** Then the threads have this long to close their files. */
const READER_WAIT_MS = 200;
const WRITER_WAIT_MS = 300;
const DEFAULT_MAX_QUEUED = 50_000;

export interface HistoryOptions {
  readonly path: string;
  readonly keepIntervalsMs: number;
  readonly keepCallsMs: number;
  /** Changes that may wait for the disk, 50,000 by default; those that are being committed come on top. */
  readonly maxQueued?: number | undefined;
  readonly clock: Clock;
}

export interface HistoryStats {
  /** Changes that wait or are being committed. */
  readonly queued: number;
  /** Changes given up because the queue was full, or because they came after `close`. */
  readonly dropped: number;
  /** Changes that the database refused as broken. */
  readonly rejected: number;
  readonly committed: number;
  /** Why the last of them was refused. */
  readonly rejection: string | null;
  /** Why the last commit or clean-up failed, one sentence; null since one succeeded. */
  readonly problem: string | null;
}

/** This file's neighbour, whether TypeScript is run directly or was built to JavaScript. */
function neighbour(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}

/** Resolves after `ms`, or with `work` if that is first; `work` must not reject. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** The history in its SQLite file. All disk work happens in two threads: recording never waits, reading does. */
export class History implements HistorySink, HistoryReader {
  readonly #options: HistoryOptions;
  readonly #writer: WorkerLink<WriterMethods>;
  readonly #reader: WorkerLink<ReaderMethods>;
  readonly #queue: ChangeQueue;
  /** Changes recorded so far, and how many of them (the oldest) have been settled: committed, rejected or dropped. */
  #recorded = 0;
  #settled = 0;
  #waiting: { upTo: number; resolve: () => void }[] = [];
  #inFlight = 0;
  #committed = 0;
  #rejected = 0;
  #rejection: string | null = null;
  #cameLate = 0;
  #problem: string | null = null;
  #gathering: NodeJS.Timeout | undefined;
  #draining = false;
  #wakeUp: (() => void) | undefined;
  readonly #retention: NodeJS.Timeout;
  #cleaning = false;
  #closed = false;
  /** Nothing more is tried: what is not committed by now is lost. */
  #abandoned = false;

  /** Use `openHistory`. */
  constructor(options: HistoryOptions, writer: WorkerLink<WriterMethods>, reader: WorkerLink<ReaderMethods>) {
    this.#options = options;
    this.#writer = writer;
    this.#reader = reader;
    this.#queue = new ChangeQueue(options.maxQueued ?? DEFAULT_MAX_QUEUED);
    this.#retention = setInterval(() => void this.#cleanUp(), RETENTION_PERIOD_MS).unref();
    void this.#cleanUp();
  }

  record(change: HistoryChange): void {
    if (this.#closed) {
      this.#cameLate++;
      return;
    }
    this.#queue.push(change);
    this.#recorded++;
    this.#gathering ??= setTimeout(() => void this.#drain(), GATHER_MS);
  }

  /** Commits what waits, at once and not together with what comes. */
  hurry(): void {
    void this.#drain();
  }

  /** Resolves when everything recorded so far is in the database, however long that takes. */
  flush(): Promise<void> {
    const upTo = this.#recorded;
    if (this.#settled >= upTo) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ upTo, resolve });
      void this.#drain();
    });
  }

  stats(): HistoryStats {
    return {
      queued: this.#queue.size + this.#inFlight,
      dropped: this.#queue.dropped + this.#cameLate,
      rejected: this.#rejected,
      rejection: this.#rejection,
      committed: this.#committed,
      problem: this.#problem,
    };
  }

  /** Bytes of the database and its write-ahead log; null when the file cannot be seen. */
  sizeBytes(): number | null {
    const { path } = this.#options;
    try {
      return statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0);
    } catch {
      return null;
    }
  }

  /** Channels, up or ended, of calls that had not ended when the history was last written, with the state to go on from. */
  async resumable(): Promise<ResumableChannel[]> {
    await this.#caughtUp();
    return this.#reader.request('resumable', null);
  }

  async calls(
    filter: CallFilter,
    limit: number,
    cursor: CallCursor | null,
  ): Promise<{ calls: CallWithChannels[]; next: CallCursor | null }> {
    await this.#caughtUp();
    return this.#reader.request('calls', { filter, limit, cursor });
  }

  async call(linkedid: string): Promise<CallWithChannels | null> {
    await this.#caughtUp();
    return this.#reader.request('call', linkedid);
  }

  async channel(uniqueid: string): Promise<ChannelRecord | null> {
    await this.#caughtUp();
    return this.#reader.request('channel', uniqueid);
  }

  async segments(uniqueid: string): Promise<SegmentRecord[]> {
    await this.#caughtUp();
    return this.#reader.request('segments', uniqueid);
  }

  /** The jitter is in the stream's own clock where that is known, whatever was assumed when the report came. */
  async intervals(uniqueid: string): Promise<IntervalRecord[] | null> {
    await this.#caughtUp();
    return this.#reader.request('intervals', uniqueid);
  }

  async endpoints(range: TimeRange): Promise<{ endpoints: EndpointQuality[]; leftOut: number }> {
    await this.#caughtUp();
    return this.#reader.request('endpoints', range);
  }

  async trends(query: TrendsQuery): Promise<EndpointWithTrend[]> {
    await this.#caughtUp();
    return this.#reader.request('trends', query);
  }

  async summary(query: SummaryQuery): Promise<BucketQuality[]> {
    await this.#caughtUp();
    return this.#reader.request('summary', query);
  }

  /** Commits what waits, as far as the disk allows within some seconds, and ends the threads. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#retention);
    this.#wakeUp?.();
    await atMost(this.#problem === null ? LAST_COMMITS_MS : LAST_TRY_MS, this.flush());
    this.#abandoned = true;
    this.#wakeUp?.();
    clearTimeout(this.#gathering);
    // The reader first: the last one out folds the write-ahead log into the file, which a reader may not.
    await this.#reader.stop(READER_WAIT_MS);
    await this.#writer.stop(WRITER_WAIT_MS);
  }

  #caughtUp(): Promise<void> {
    return atMost(READ_WAIT_MS, this.flush());
  }

  /** Commits batch after batch until nothing waits; one runs at a time. */
  async #drain(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#draining) return;
    this.#draining = true;
    let retryMs = FIRST_RETRY_MS;
    while (this.#queue.size > 0) {
      const upTo = this.#recorded;
      const batch = this.#queue.take();
      this.#inFlight = batch.operations.length + batch.intervals.length;
      try {
        const packed = packBatch(batch);
        const handedOver = [packed.values.buffer, packed.types.buffer];
        const { applied, rejected, rejection } = await this.#writer.request('commit', packed, handedOver);
        this.#committed += applied;
        this.#rejected += rejected;
        this.#rejection = rejection ?? this.#rejection;
        this.#problem = null;
        retryMs = FIRST_RETRY_MS;
        this.#settle(upTo);
      } catch (error) {
        this.#queue.putBack(batch);
        this.#problem = explain(error, this.#options.path);
      }
      this.#inFlight = 0;
      if (this.#settled >= upTo) continue;
      if (!this.#abandoned) await this.#pause(retryMs);
      // Another try would wait for the lock, and the thread could not be ended before.
      if (this.#abandoned) break;
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
    this.#draining = false;
  }

  #settle(upTo: number): void {
    this.#settled = upTo;
    const done = this.#waiting.filter((waiter) => waiter.upTo <= upTo);
    this.#waiting = this.#waiting.filter((waiter) => waiter.upTo > upTo);
    for (const { resolve } of done) resolve();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #cleanUp(): Promise<void> {
    if (this.#cleaning || this.#closed) return;
    this.#cleaning = true;
    const nowMs = this.#options.clock.nowMs();
    const limits = {
      intervalsBeforeMs: nowMs - this.#options.keepIntervalsMs,
      callsBeforeMs: nowMs - this.#options.keepCallsMs,
    };
    try {
      while (!this.#closed && (await this.#writer.request('purge', limits)) > 0);
      while (!this.#closed && (await this.#writer.request('settle', null)) > 0);
    } catch (error) {
      if (!this.#closed) this.#problem = explain(error, this.#options.path);
    }
    this.#cleaning = false;
  }
}

/**
 * Opens the history, creating file, folder and schema as needed. Durations are in milliseconds.
 * Rejects with HistoryError, one sentence, when the file cannot be used.
 */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const writer = new WorkerLink<WriterMethods>(neighbour('writer-worker'), options.path);
  const reader = new WorkerLink<ReaderMethods>(neighbour('reader-worker'), options.path);
  try {
    await writer.request('open', null);
  } catch (error) {
    await writer.stop(WRITER_WAIT_MS);
    throw new HistoryError(explain(error, options.path), { cause: error });
  }
  return new History(options, writer, reader);
}
