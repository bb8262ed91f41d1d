import type { HistoryChange } from '../../model/record.ts';
import type { CommitRequest, CommitResult } from '../thread/protocol.ts';
import { encodeBatch } from './batch.ts';
import { ChangeQueue, type Waiting } from './change-queue.ts';
import { partsOf } from './commit-parts.ts';

/** A change waits this long for others to be committed with it, unless somebody hurries. With the commit itself under 250 ms. */
const GATHER_MS = 200;
/** Pause after a commit that failed; doubled each time up to the longest. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** The thread has its next part before this one hears of the last: where all processors are busy, that takes 100 to 300 ms. */
const PARTS_SENT = 2;
/** Some 170 MB. Where others take the processors, 110,000 events a second leave over 50,000 changes waiting for a moment. */
const DEFAULT_MAX_QUEUED = 100_000;

export interface CommitLoopOptions {
  /** Stores them all or rejects; rejects one that `isAhead` when it rejects the one before. */
  readonly commit: (request: CommitRequest) => Promise<CommitResult>;
  /** What a commit rejected with, as one sentence. */
  readonly explain: (error: unknown) => string;
  /** Changes that may wait, 100,000 by default; those that are being committed come on top. */
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

/** A part that the disk has not answered for. */
interface Sent {
  readonly part: Waiting;
  readonly answer: Promise<void>;
}

/** Gathers changes and commits them in order; a commit that fails is tried again until the disk takes it. */
export class CommitLoop {
  readonly #options: CommitLoopOptions;
  readonly #queue: ChangeQueue;
  /** Changes recorded so far, and how many of them (the oldest) are done with: committed, rejected or dropped. */
  #recorded = 0;
  #done = 0;
  #waiting: { upTo: number; resolve: () => void }[] = [];
  #inFlight = 0;
  #committed = 0;
  #rejected = 0;
  #rejection: string | null = null;
  #problem: string | null = null;
  #gathering: NodeJS.Timeout | undefined;
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
    this.#gathering ??= setTimeout(() => void this.#drain(), GATHER_MS);
  }

  /** Commits what waits, at once and not together with what comes. */
  hurry(): void {
    void this.#drain();
  }

  /** Resolves when everything recorded so far is in the database, however long that takes. */
  flush(): Promise<void> {
    const upTo = this.#recorded;
    if (this.#done >= upTo) return Promise.resolve();
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

  /** Tries at once, if it waits after a commit that failed. */
  retry(): void {
    this.#wakeUp?.();
  }

  /** Begins no other commit. */
  abandon(): void {
    this.#abandoned = true;
    this.#wakeUp?.();
    clearTimeout(this.#gathering);
  }

  /** Commits what waits, and what is due when that is done; one commit runs at a time. */
  async #drain(): Promise<void> {
    clearTimeout(this.#gathering);
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
        this.#finish(upTo);
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
  async #commit(all: Waiting): Promise<boolean> {
    const sent: Sent[] = [];
    const left = partsOf(all);
    this.#inFlight = sizeOf(all);
    try {
      for (;;) {
        while (!this.#abandoned && sent.length < PARTS_SENT) {
          const part = left.shift();
          if (part === undefined) break;
          sent.push({ part, answer: this.#send(part, sent.length > 0) });
        }
        const [first] = sent;
        if (first === undefined) return left.length === 0;
        await first.answer;
        sent.shift();
        this.#inFlight -= sizeOf(first.part);
      }
    } catch (error) {
      this.noteProblem(error);
      await Promise.allSettled(sent.map(({ answer }) => answer));
      return false;
    } finally {
      this.#inFlight = 0;
      const undone = [...sent.map(({ part }) => part), ...left];
      if (undone.length > 0) this.#queue.putBack(together(undone));
    }
  }

  #send(part: Waiting, isAhead: boolean): Promise<void> {
    const answer = this.#commitPart(part, isAhead);
    // Nobody listens to a request that is sent ahead before the one in front of it is answered.
    answer.catch(() => {});
    return answer;
  }

  async #commitPart(part: Waiting, isAhead: boolean): Promise<void> {
    const { states, intervals, ...broken } = encodeBatch(part);
    const { applied, rejected, rejection } = await this.#options.commit({ states, intervals, isAhead });
    this.#committed += applied;
    this.#rejected += rejected + broken.rejected;
    this.#rejection = rejection ?? broken.rejection ?? this.#rejection;
    this.#problem = null;
  }

  #finish(upTo: number): void {
    this.#done = upTo;
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

function sizeOf({ states, intervals }: Waiting): number {
  return states.length + intervals.length;
}

function together(parts: readonly Waiting[]): Waiting {
  return { states: parts.flatMap(({ states }) => states), intervals: parts.flatMap(({ intervals }) => intervals) };
}
