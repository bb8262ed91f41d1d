import { explain } from '../history-error.ts';
import type { RetentionLimits } from '../thread/protocol.ts';
import type { Writer } from './writer.ts';

/** How long reports are gathered, so that several of a channel are moved together. */
const MOVE_AFTER_MS = 20_000;
/** Calls that end within this time are counted together: most of the sums that they count in are the same. */
const COUNT_AFTER_MS = 1000;
/** Pause after a step that failed. */
const RETRY_MS = 2000;
/** After a commit of more changes than this the next one follows at once: chores give way to it, but not for ever. */
const LARGE_COMMIT = 2000;
const GIVE_WAY_MS = 250;
const LONGEST_WAIT_MS = 60_000;

/** Does one step, of some tens of milliseconds. True: there is more to do. */
type Chore = () => boolean;

/**
 * Work that can wait: moving reports, counting ended calls, deleting what is too old. It goes in steps, so that a commit waits for
 * one of them at most.
 */
export class Chores {
  readonly #writer: Writer;
  readonly #path: string;
  readonly #due = new Set<Chore>();
  readonly #waiting = new Map<Chore, NodeJS.Timeout>();
  #limits: RetentionLimits = { intervalsBeforeMs: 0, callsBeforeMs: 0 };
  #next: NodeJS.Timeout | undefined;
  #problem: string | null = null;
  #steppedAtMs = performance.now();

  readonly #move: Chore = () => this.#writer.move() > 0;
  readonly #count: Chore = () => this.#writer.countEnded() > 0;
  readonly #purge: Chore = () => this.#writer.purge(this.#limits) > 0;
  readonly #shrink: Chore = () => this.#writer.shrink();

  constructor(writer: Writer, path: string) {
    this.#writer = writer;
    this.#path = path;
    this.#after(COUNT_AFTER_MS, this.#count);
  }

  /** Why the last step failed, one sentence; null since one, or a commit, succeeded. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Call it after each commit. */
  noteCommit({ reports, states }: { readonly reports: number; readonly states: number }): void {
    this.#problem = null;
    if (reports + states > LARGE_COMMIT) this.#giveWay();
    if (reports > 0) this.#after(MOVE_AFTER_MS, this.#move);
    if (states > 0) this.#after(COUNT_AFTER_MS, this.#count);
  }

  retain(limits: RetentionLimits): void {
    this.#limits = limits;
    for (const chore of [this.#purge, this.#shrink]) this.#after(0, chore);
  }

  /** Counts and moves all that waits, for about this long. */
  tidy(withinMs: number): void {
    const untilMs = performance.now() + withinMs;
    for (const chore of [this.#count, this.#move]) while (performance.now() < untilMs && chore());
  }

  stop(): void {
    clearTimeout(this.#next);
    for (const timer of this.#waiting.values()) clearTimeout(timer);
  }

  #after(ms: number, chore: Chore): void {
    if (this.#waiting.has(chore) || this.#due.has(chore)) return;
    const begin = (): void => {
      this.#waiting.delete(chore);
      this.#due.add(chore);
      this.#next ??= setTimeout(() => this.#step(), 0);
    };
    this.#waiting.set(chore, setTimeout(begin, ms));
  }

  /** What has piled up is committed first. */
  #giveWay(): void {
    if (this.#next === undefined || performance.now() - this.#steppedAtMs > LONGEST_WAIT_MS) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#step(), GIVE_WAY_MS);
  }

  #step(): void {
    this.#steppedAtMs = performance.now();
    let pauseMs = 0;
    const [chore] = this.#due;
    try {
      if (chore !== undefined && !chore()) this.#due.delete(chore);
      this.#problem = null;
    } catch (error) {
      this.#problem = explain(error, this.#path);
      pauseMs = RETRY_MS;
    }
    // Through the event loop: what the main thread asked for meanwhile comes first.
    this.#next = this.#due.size === 0 ? undefined : setTimeout(() => this.#step(), pauseMs);
  }
}
