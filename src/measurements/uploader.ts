import { deliver, LONGEST_BACK_OFF_MS, type Outcome } from './delivery.ts';
import type { Spool } from './spool.ts';

/** Pause between two files, so that a full spool does not flood the collector. */
const PAUSE_MS = 200;
/** Time between two looks at an empty spool. */
const IDLE_MS = 1000;
const FIRST_BACK_OFF_MS = 5000;
/** After so many refusals in a row the collector is at fault, not the files. */
const MOST_REFUSED_IN_A_ROW = 3;

export interface UploaderOptions {
  readonly spool: Spool;
  /** Address of the collector, without a slash at its end. */
  readonly collector: string;
  /** The store that files are put into by signed addresses; null: files go through the collector. */
  readonly uploadTo: string | null;
  readonly random: () => number;
  /** Called with one sentence when the problem changes; null: it works. */
  readonly onState: (problem: string | null) => void;
  /** For tests: divides all waits. */
  readonly haste?: number;
}

export interface UploadCounters {
  readonly sent: number;
  /** Files that the collector refused for good. */
  readonly refused: number;
  readonly failed_attempts: number;
}

/** Sends the files of the spool in the background, one after another. Each is kept until the collector has acknowledged it. */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #sent = 0;
  #refused = 0;
  #failed = 0;
  #refusedInARow = 0;
  #problem: string | null = null;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  get counters(): UploadCounters {
    return { sent: this.#sent, refused: this.#refused, failed_attempts: this.#failed };
  }

  get problem(): string | null {
    return this.#problem;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Aborts the file under way; the next start sends it again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let backOffMs = FIRST_BACK_OFF_MS;
    while (!this.#stop.signal.aborted) {
      const name = this.#options.spool.pick(this.#options.random);
      if (name === null) {
        await this.#wait(IDLE_MS);
        continue;
      }
      const outcome = await this.#sendFile(name);
      if (outcome.is !== 'later') {
        backOffMs = FIRST_BACK_OFF_MS;
        await this.#wait(PAUSE_MS * (0.5 + this.#options.random()));
        continue;
      }
      this.#failed += 1;
      // Leave out up to half at random, so that not all senders return to a collector at once.
      await this.#wait(Math.max(outcome.waitMs ?? 0, backOffMs * (0.5 + this.#options.random() / 2)));
      backOffMs = Math.min(LONGEST_BACK_OFF_MS, backOffMs * 2);
    }
  }

  async #sendFile(name: string): Promise<Outcome> {
    try {
      const bytes = await this.#options.spool.read(name);
      const outcome: Outcome = bytes === null ? { is: 'sent' } : await deliver(bytes, this.#options, this.#stop.signal);
      if (bytes !== null && outcome.is === 'sent') {
        this.#sent += 1;
        this.#refusedInARow = 0;
        this.#note(null);
      }
      if (outcome.is === 'refused') {
        this.#refusedInARow += 1;
        this.#note(outcome.problem);
        if (this.#refusedInARow > MOST_REFUSED_IN_A_ROW) return { ...outcome, is: 'later' };
        this.#refused += 1;
      }
      if (outcome.is === 'later') this.#note(outcome.problem);
      else if (bytes !== null) await this.#options.spool.remove(name);
      return outcome;
    } catch (error) {
      const problem = `the spool cannot be read (${String((error as NodeJS.ErrnoException).code ?? error)})`;
      this.#note(problem);
      return { is: 'later', problem };
    }
  }

  #note(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onState(problem);
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms / (this.#options.haste ?? 1));
      timer.unref();
      signal.addEventListener('abort', done);
    });
  }
}
