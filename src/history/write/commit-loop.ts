import type { HistoryChange } from '../../model/record.ts';
import { ChangeQueue } from './change-queue.ts';
import { countOf } from './packed-intervals.ts';
import type { Batch, CommitResult } from '../thread/protocol.ts';

/**
 * A change waits this long for others to be committed with it, unless somebody hurries: a state less long than an interval,
 * since it may have been gathered before it was recorded. With the commit itself under 250 ms.
 */
const GATHER_MS = { state: 50, interval: 200 } as const;
/** Pause after a commit that failed; doubled each time up to the longest. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
/**
 * What has piled up is committed in parts: each takes some tens of milliseconds, and a stop waits for one at most. A state
 * takes about as long as twenty intervals.
 */
const MOST_INTERVALS_PER_COMMIT = 20_000;
const MOST_STATES_PER_COMMIT = 2000;
const DEFAULT_MAX_QUEUED = 50_000;

export interface CommitLoopOptions {
  /** Stores them all or rejects. */
  readonly commit: (batch: Batch) => Promise<CommitResult>;
  /** What a commit rejected with, as one sentence. */
  readonly explain: (error: unknown) => string;
  /** Changes that may wait, 50,000 by default; those that are being committed come on top. */
  readonly maxQueued?: number | undefined;
}

export interface CommitStats {
  /** Changes that wait or are being committed. */
  readonly queued: number;
  /** Changes given up because the queue was full. */
  readonly dropped: number;
  /** Changes that the database refused as broken. */
  readonly rejected: number;
  readonly committed: number;
  /** Why the last of them was refused. */
  readonly rejection: string | null;
  /** Why the last commit failed, one sentence; null since one succeeded. */
  readonly problem: string | null;
}

/** Gathers changes and commits them, one commit at a time, again and again until the disk takes them. */
export class CommitLoop {
  readonly #options: CommitLoopOptions;
  readonly #queue: ChangeQueue;
  /** Changes recorded so far, and how many of them (the oldest) have been settled: committed, rejected or dropped. */
  #recorded = 0;
  #settled = 0;
  #waiting: { upTo: number; resolve: () => void }[] = [];
  #inFlight = 0;
  #committed = 0;
  #rejected = 0;
  #rejection: string | null = null;
  #problem: string | null = null;
  #gathering: { readonly kind: keyof typeof GATHER_MS; readonly timer: NodeJS.Timeout } | undefined;
  #draining = false;
  /** What has come since the commits that are under way began is due, too. */
  #isDue = false;
  #wakeUp: (() => void) | undefined;
  /** Nothing more is tried: what is not committed by now is lost. */
  #abandoned = false;

  constructor(options: CommitLoopOptions) {
    this.#options = options;
    this.#queue = new ChangeQueue(options.maxQueued ?? DEFAULT_MAX_QUEUED);
  }

  record(change: HistoryChange): void {
    this.#queue.push(change);
    this.#recorded++;
    const kind = change.kind === 'interval' ? 'interval' : 'state';
    if (this.#gathering === undefined || (this.#gathering.kind === 'interval' && kind === 'state')) this.#gather(kind);
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

  stats(): CommitStats {
    return {
      queued: this.#queue.size + this.#inFlight,
      dropped: this.#queue.dropped,
      rejected: this.#rejected,
      rejection: this.#rejection,
      committed: this.#committed,
      problem: this.#problem,
    };
  }

  /** Something else than a commit has failed. */
  noteProblem(error: unknown): void {
    this.#problem = this.#options.explain(error);
  }

  /** What a commit had stored was refused later. */
  noteRejected(count: number, rejection: string): void {
    this.#rejected += count;
    this.#rejection = rejection;
  }

  /** Tries at once, if it waits after a commit that failed. */
  retry(): void {
    this.#wakeUp?.();
  }

  /** Begins no other commit. */
  abandon(): void {
    this.#abandoned = true;
    this.#wakeUp?.();
    clearTimeout(this.#gathering?.timer);
  }

  #gather(kind: keyof typeof GATHER_MS): void {
    clearTimeout(this.#gathering?.timer);
    this.#gathering = { kind, timer: setTimeout(() => void this.#drain(), GATHER_MS[kind]) };
  }

  /** Commits what waits, and what is due when that is done; one commit runs at a time. */
  async #drain(): Promise<void> {
    clearTimeout(this.#gathering?.timer);
    this.#gathering = undefined;
    this.#isDue = true;
    if (this.#draining) return;
    this.#draining = true;
    let retryMs = FIRST_RETRY_MS;
    while (this.#isDue && this.#queue.size > 0) {
      this.#isDue = false;
      const upTo = this.#recorded;
      if (await this.#commit(this.#queue.take())) {
        retryMs = FIRST_RETRY_MS;
        this.#settle(upTo);
        continue;
      }
      if (!this.#abandoned) await this.#pause(retryMs);
      // Another try would wait for the lock, and the thread could not be ended before.
      if (this.#abandoned) break;
      this.#isDue = true;
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
    this.#draining = false;
  }

  /** Part after part. False when one failed, or no other is to begin: what is left waits again. */
  async #commit(batch: Batch): Promise<boolean> {
    let rest = batch;
    try {
      while (sizeOf(rest) > 0) {
        if (this.#abandoned) return false;
        this.#inFlight = sizeOf(rest);
        const part = firstPart(rest);
        const { applied, rejected, rejection } = await this.#options.commit(part);
        this.#committed += applied;
        this.#rejected += rejected;
        this.#rejection = rejection ?? this.#rejection;
        this.#problem = null;
        rest = without(rest, part);
        this.#queue.giveBack(part);
      }
      return true;
    } catch (error) {
      this.noteProblem(error);
      return false;
    } finally {
      this.#inFlight = 0;
      if (sizeOf(rest) > 0) this.#queue.putBack(rest);
    }
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
}

function sizeOf({ operations, intervals }: Batch): number {
  const states = operations.reduce((sum, { count }) => sum + count, 0);
  return states + intervals.reduce((sum, piece) => sum + countOf(piece), 0);
}

/** Intervals before states: a state that is stored counts no report that a crash could still take. */
function firstPart({ operations, intervals }: Batch): Batch {
  const first = firstPieces(intervals, countOf, MOST_INTERVALS_PER_COMMIT);
  if (first.length < intervals.length) return { operations: [], intervals: first };
  return { operations: firstPieces(operations, ({ count }) => count, MOST_STATES_PER_COMMIT), intervals: first };
}

/** As many of the first as have at most `most` together. */
function firstPieces<Piece>(pieces: readonly Piece[], countIn: (piece: Piece) => number, most: number): Piece[] {
  const first: Piece[] = [];
  let left = most;
  for (const piece of pieces) {
    left -= countIn(piece);
    if (left < 0) break;
    first.push(piece);
  }
  return first;
}

function without({ operations, intervals }: Batch, part: Batch): Batch {
  return {
    operations: operations.slice(part.operations.length),
    intervals: intervals.slice(part.intervals.length),
  };
}
