import type { MoveResult } from '../thread/protocol.ts';

/** How often it looks whether a flood is over. */
const FLOOD_PAUSE_MS = 100;
/** Pause after a step that failed. */
const RETRY_MS = 2000;

export interface JournalLoopOptions {
  /** So long changes are gathered in the journal. */
  readonly gatherMs: number;
  /** With more in it the journal is emptied at once, */
  readonly most: number;
  /** and with more than this it does not wait for a flood to be over, either. */
  readonly mostInFlood: number;
  /** Whether so much comes that a step would hold it up. */
  readonly isFlood: () => boolean;
  /** One step, or rejects. */
  readonly move: () => Promise<MoveResult>;
  /** What a step rejected with, as one sentence. */
  readonly explain: (error: unknown) => string;
  /** Of changes that the tables do not take. */
  readonly onRejected: (count: number, rejection: string) => void;
}

/**
 * So long reports are gathered in their journal, so that several of a channel go into the table together. More would need
 * fewer pages, but what is gathered takes 300 bytes a report on the disk: 30 MB at most, and 120 MB in a flood.
 */
export const REPORT_JOURNAL = { gatherMs: 20_000, most: 100_000, mostInFlood: 400_000 } as const;
/** What else comes waits in its journal in a flood alone: these take about a second to be applied. */
export const OPERATION_JOURNAL = { gatherMs: 20_000, most: 0, mostInFlood: 50_000 } as const;

/**
 * Has a journal moved into the tables: every now and then, when it has grown long, and when asked to. In a flood, what is to
 * be committed goes first.
 */
export class JournalLoop {
  readonly #options: JournalLoopOptions;
  #left: number;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** So many, the oldest, are still to be moved by what is running. What comes meanwhile is left for the next time. */
  #due = 0;
  /** Somebody waits for what is running. */
  #isAsked = false;
  #stopped = false;

  /** `left`: what a former run left. */
  constructor(options: JournalLoopOptions, left: number) {
    this.#options = options;
    this.#left = left;
    if (left > options.most) void this.#start();
    else this.#wait(options.gatherMs);
  }

  /** Changes that are stored, but in the journal still. */
  get left(): number {
    return this.#left;
  }

  /** Why the last step failed, one sentence; null since one succeeded. */
  get problem(): string | null {
    return this.#problem;
  }

  /** To be told after each commit. */
  note(left: number): void {
    this.#left = left;
    if (left > this.#options.most && this.#problem === null) void this.#start();
  }

  /** Resolves when all that is in the journal now is in the tables, or when a step failed: `problem` says why. */
  finish(): Promise<void> {
    this.#isAsked = true;
    return this.#start();
  }

  /** Begins no other step. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #start(): Promise<void> {
    this.#due = this.#left;
    return (this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#isAsked = false;
    }));
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    let waitMs = this.#options.gatherMs;
    try {
      while (this.#due > 0 && !this.#stopped) {
        if (this.#mayWait()) {
          await new Promise((resolve) => setTimeout(resolve, FLOOD_PAUSE_MS).unref());
          continue;
        }
        const { moved, rejected, rejection, left } = await this.#options.move();
        this.#left = left;
        this.#problem = null;
        if (rejection !== null) this.#options.onRejected(rejected, rejection);
        this.#due = Math.min(this.#due - moved, left);
      }
      this.#problem = null;
    } catch (error) {
      this.#problem = this.#options.explain(error);
      waitMs = RETRY_MS;
    }
    this.#wait(waitMs);
  }

  #mayWait(): boolean {
    return !this.#isAsked && this.#left <= this.#options.mostInFlood && this.#options.isFlood();
  }

  #wait(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#start(), ms).unref();
  }
}
