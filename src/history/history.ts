import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type {
  BucketQuality,
  CallCursor,
  CallFilter,
  CallListing,
  CallPage,
  CallWithChannels,
  Clock,
  EndpointQuality,
  EndpointWithTrend,
  GroupQuality,
  Grouping,
  HistoryReader,
  HistorySink,
  ResumableChannel,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../model/ports.ts';
import type { ChannelRecord, HistoryChange, IntervalRecord, SegmentRecord } from '../model/record.ts';
import { atMost } from './thread/at-most.ts';
import { type FeatureClient, featureClient } from './schema/feature.ts';
import type { FEATURES } from './schema/features.ts';
import { CommitLoop, type CommitStats } from './write/commit-loop.ts';
import { explain, HistoryError } from './history-error.ts';
import type { KnownCalls, ReaderMethods, WriterMethods } from './thread/protocol.ts';
import { FileIdentity } from './thread/file-identity.ts';
import { WorkerLink } from './thread/worker-link.ts';

/** How long a read waits for what was recorded before it: a stuck disk must not hang REST. */
const READ_WAIT_MS = 500;
const RETENTION_PERIOD_MS = 3_600_000;
/**
 * `close` gives the last commits this long, or one more try when the last one failed. The sidecar must end within 3 s, also
 * when the database is locked. Up to 1 s is gone before (ARI, tcpdump), and a thread that waits for the lock ends only when its
 * statement gives up.
 */
const LAST_COMMITS_MS = 1000;
const LAST_TRY_MS = 500;
/** Bound on tidying up in the time that the commits leave. */
const LAST_TIDY_MS = 300;
/** Time for the reader's thread to close its file. */
const READER_WAIT_MS = 200;
const WRITER_WAIT_MS = 300;
/** /healthz and the log mention for this long that the file was gone. */
const FILE_PROBLEM_MS = 5000;
/** Copying hundreds of calls from the reader's thread blocks the main thread for tens of milliseconds. */
const MOST_CALLS_AT_ONCE = 100;
/** The reader's thread ends after this long without a question. */
const READER_IDLE_MS = 60_000;

export interface HistoryOptions {
  readonly path: string;
  readonly keepIntervalsMs: number;
  readonly keepCallsMs: number;
  /** Changes that may wait for the disk, 100,000 by default; those that are being committed come on top. */
  readonly maxQueued?: number | undefined;
  readonly clock: Clock;
}

export type HistoryStats = CommitStats;

/** A file of `thread/`, whether TypeScript is run directly or was built to JavaScript. */
function threadFile(name: string): URL {
  return new URL(`./thread/${name}${extname(import.meta.url)}`, import.meta.url);
}

/** The history in its SQLite file. All disk work happens in two threads: recording never waits, reading does. */
export class History implements HistorySink, HistoryReader {
  readonly #options: HistoryOptions;
  readonly #writer: WorkerLink<WriterMethods>;
  readonly #reader: WorkerLink<ReaderMethods>;
  readonly #commits: CommitLoop;
  readonly #file: FileIdentity;
  #reopened = 0;
  #fileProblem: string | null = null;
  #cameLate = 0;
  #choreProblem: string | null = null;
  readonly #retention: NodeJS.Timeout;
  /** Writes and reads of features with tables of their own. */
  readonly features: FeatureClient<typeof FEATURES>;
  #closed = false;

  /** Use `openHistory`. */
  constructor(options: HistoryOptions, writer: WorkerLink<WriterMethods>, reader: WorkerLink<ReaderMethods>) {
    this.#options = options;
    this.#writer = writer;
    this.#reader = reader;
    this.#commits = new CommitLoop({
      commit: async (request) => {
        const { choreProblem, ...result } = await writer.request('commit', request);
        this.#choreProblem = choreProblem;
        return result;
      },
      explain: (error) => explain(error, options.path),
      maxQueued: options.maxQueued,
    });
    this.features = featureClient({
      writes: (call) => writer.request('feature', call),
      reads: (call) => reader.request('feature', call),
    });
    this.#retention = setInterval(() => void this.#retain(), RETENTION_PERIOD_MS).unref();
    void this.#retain();
    this.#file = new FileIdentity(options.path, () => this.#reopen());
  }

  record(change: HistoryChange): void {
    if (this.#closed) this.#cameLate++;
    else this.#commits.record(change);
  }

  /** How often the file was found deleted or replaced and opened anew, without what was stored before. */
  get reopened(): number {
    return this.#reopened;
  }

  /** Commits what waits now, without waiting for more. */
  hurry(): void {
    this.#commits.hurry();
  }

  /** Resolves when everything recorded so far is in the database, however long that takes. */
  flush(): Promise<void> {
    return this.#commits.flush();
  }

  /** Counters; changes after `close` count as dropped. */
  stats(): HistoryStats {
    const stats = this.#commits.stats();
    return {
      ...stats,
      dropped: stats.dropped + this.#cameLate,
      problem: stats.problem ?? this.#fileProblem ?? this.#choreProblem,
    };
  }

  /**
   * Does the chores for all committed changes now: counts ended calls and moves reports to their table. Resolves even when the
   * disk fails.
   */
  async tidy(withinMs = Number.MAX_SAFE_INTEGER): Promise<void> {
    // A failing disk shows in the commits.
    await this.#writer.request('tidy', { withinMs }).catch(() => {});
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
  async resumable(unreadable: readonly string[] = []): Promise<ResumableChannel[]> {
    await this.#caughtUp();
    await this.tidy();
    return this.#writer.request('resumable', unreadable);
  }

  /** Ends calls and channels that are stored as up but unknown, at their last report. Errors of the disk show in `stats`. */
  async endLost(known: () => KnownCalls): Promise<void> {
    try {
      await this.flush();
      while ((await this.#writer.request('endLost', known())) > 0);
    } catch (error) {
      if (!this.#closed) this.#commits.noteProblem(error);
    }
  }

  async calls(
    filter: CallFilter,
    limit: number,
    cursor: CallCursor | null,
    listing: CallListing = {},
  ): Promise<CallPage> {
    await this.#caughtUp();
    if (listing.order !== undefined) return this.#reader.request('calls', { filter, limit, cursor, ...listing });
    const calls: CallWithChannels[] = [];
    let matching: Pick<CallPage, 'matching'> = {};
    let next = cursor;
    do {
      const part = { filter, limit: Math.min(limit - calls.length, MOST_CALLS_AT_ONCE), cursor: next };
      const page: CallPage = await this.#reader.request('calls', calls.length === 0 ? { ...part, ...listing } : part);
      if (page.matching !== undefined) matching = { matching: page.matching };
      calls.push(...page.calls);
      ({ next } = page);
    } while (next !== null && calls.length < limit);
    return { calls, next, ...matching };
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

  /** The reports of a channel, with jitter by the stream's true clock even when it was learnt after the report. */
  async intervals(uniqueid: string): Promise<IntervalRecord[] | null> {
    await this.#caughtUp();
    return this.#reader.request('intervals', uniqueid);
  }

  async endpoints(range: TimeRange): Promise<{ endpoints: EndpointQuality[]; leftOut: number }> {
    await this.#caughtUp();
    return this.#reader.request('endpoints', range);
  }

  async groups(range: TimeRange, by: Grouping): Promise<{ groups: GroupQuality[]; leftOut: number }> {
    await this.#caughtUp();
    return this.#reader.request('groups', { range, by });
  }

  async trends(query: TrendsQuery): Promise<EndpointWithTrend[]> {
    await this.#caughtUp();
    return this.#reader.request('trends', query);
  }

  async summary(query: SummaryQuery): Promise<BucketQuality[]> {
    await this.#caughtUp();
    return this.#reader.request('summary', query);
  }

  /** Commits what waits within the time limits above, and ends the threads. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#retention);
    this.#file.stop();
    this.#commits.retry();
    // The rest is tidied up after the next start.
    const tidied = this.flush().then(() => this.tidy(LAST_TIDY_MS));
    await atMost(this.#commits.stats().problem === null ? LAST_COMMITS_MS : LAST_TRY_MS, tidied);
    this.#commits.abandon();
    // Close the reader first: the last connection copies the write-ahead log into the file, which a reader may not.
    await this.#reader.stop(READER_WAIT_MS);
    await this.#writer.stop(WRITER_WAIT_MS);
  }

  #caughtUp(): Promise<void> {
    return atMost(READ_WAIT_MS, this.flush());
  }

  async #reopen(): Promise<void> {
    if (this.#closed) return;
    const { path } = this.#options;
    this.#fileProblem = `the history ${path} was deleted or replaced while it was open; it was opened anew, without what was stored before`;
    try {
      await this.#writer.request('reopen', null);
      await this.#reader.restart();
      this.#reopened++;
      setTimeout(() => (this.#fileProblem = null), FILE_PROBLEM_MS).unref();
    } catch (error) {
      this.#commits.noteProblem(error);
    }
  }

  /** Deletes what is too old, step by step between the commits. */
  async #retain(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const limits = {
      intervalsBeforeMs: nowMs - this.#options.keepIntervalsMs,
      callsBeforeMs: nowMs - this.#options.keepCallsMs,
    };
    await this.#writer.request('retain', limits).catch((error: unknown) => {
      if (!this.#closed) this.#commits.noteProblem(error);
    });
  }
}

/**
 * Opens the history, creating file, folder and schema as needed. Durations are in milliseconds.
 * Rejects with HistoryError, one sentence, when the file cannot be used.
 */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const writer = new WorkerLink<WriterMethods>(threadFile('writer-worker'), options.path);
  const reader = new WorkerLink<ReaderMethods>(threadFile('reader-worker'), options.path, READER_IDLE_MS);
  try {
    await writer.request('open', null);
    return new History(options, writer, reader);
  } catch (error) {
    await writer.stop(WRITER_WAIT_MS);
    throw new HistoryError(explain(error, options.path), { cause: error });
  }
}
