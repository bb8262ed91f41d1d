import type { FoldResult } from './protocol.ts';

/**
 * So long reports are gathered in the journal, so that several of a channel go into the table together. More would need
 * fewer pages, but what is gathered takes 300 bytes a report on the disk.
 */
const GATHER_MS = 20_000;
/** With more in it the journal is folded at once: it takes 30 MB then. */
const MOST_JOURNALED = 100_000;
/** Nor does it wait any longer for a flood to be over: it takes 120 MB then. */
const MOST_JOURNALED_IN_FLOOD = 400_000;
/** How often it looks whether the flood is over. */
const FLOOD_PAUSE_MS = 100;
/** Pause after a step that failed. */
const RETRY_MS = 2000;

export interface FoldLoopOptions {
  /** Whether so much waits to be committed that a step would hold it up. */
  readonly isFlooded: () => boolean;
  /** One step, or rejects. */
  readonly fold: () => Promise<FoldResult>;
  /** What a step rejected with, as one sentence. */
  readonly explain: (error: unknown) => string;
  /** Of reports that the table does not take. */
  readonly onRejected: (count: number, rejection: string) => void;
}

/**
 * Has the journal folded into the table `intervals`: every now and then, when it has grown long, and when asked to. In a
 * flood, what is to be committed goes first.
 */
export class FoldLoop {
  readonly #options: FoldLoopOptions;
  #journaled: number;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** So many, the oldest, are still to be moved by what is running. What comes meanwhile is left for the next time. */
  #due = 0;
  /** Somebody waits for what is running. */
  #isAsked = false;
  #stopped = false;

  /** `journaled`: what a former run left. */
  constructor(options: FoldLoopOptions, journaled: number) {
    this.#options = options;
    this.#journaled = journaled;
    this.#wait(GATHER_MS);
  }

  /** Reports that are stored, but in the journal still. */
  get journaled(): number {
    return this.#journaled;
  }

  /** Why the last step failed, one sentence; null since one succeeded. */
  get problem(): string | null {
    return this.#problem;
  }

  /** To be told after each commit. */
  note(journaled: number): void {
    this.#journaled = journaled;
    if (journaled > MOST_JOURNALED && this.#problem === null) void this.#start();
  }

  /** Resolves when all that is in the journal now is in the table, or when a step failed: `problem` says why. */
  fold(): Promise<void> {
    this.#isAsked = true;
    return this.#start();
  }

  /** Begins no other step. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #start(): Promise<void> {
    this.#due = this.#journaled;
    return (this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#isAsked = false;
    }));
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    let waitMs = GATHER_MS;
    try {
      while (this.#due > 0 && !this.#stopped) {
        if (this.#mayWait()) {
          await new Promise((resolve) => setTimeout(resolve, FLOOD_PAUSE_MS).unref());
          continue;
        }
        const { folded, rejected, rejection, journaled } = await this.#options.fold();
        this.#journaled = journaled;
        this.#problem = null;
        if (rejection !== null) this.#options.onRejected(rejected, rejection);
        this.#due = Math.min(this.#due - folded, journaled);
      }
      this.#problem = null;
    } catch (error) {
      this.#problem = this.#options.explain(error);
      waitMs = RETRY_MS;
    }
    this.#wait(waitMs);
  }

  #mayWait(): boolean {
    return !this.#isAsked && this.#journaled <= MOST_JOURNALED_IN_FLOOD && this.#options.isFlooded();
  }

  #wait(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#start(), ms).unref();
  }
}
