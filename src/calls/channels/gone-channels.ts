import { flatCopy } from '../../units/flat-copy.ts';

/** No event about a channel comes this long after its hang-up. */
const REMEMBERED_MS = 60_000;
/** Bound on remembered channels: no Asterisk ends more in that time. */
const MOST_REMEMBERED = 20_000;

/**
 * Channels that are over: forgotten ones, and those whose hang-up was the first event about them. A later event about one of them
 * must not create a channel, because no hang-up would ever end it.
 */
export class GoneChannels {
  readonly #goneAtMs = new Map<string, number>();

  note(uniqueid: string, atMs: number): void {
    this.#goneAtMs.delete(uniqueid);
    this.#goneAtMs.set(flatCopy(uniqueid), atMs);
    for (const [oldest, goneAtMs] of this.#goneAtMs) {
      if (this.#goneAtMs.size <= MOST_REMEMBERED && atMs - goneAtMs < REMEMBERED_MS) break;
      this.#goneAtMs.delete(oldest);
    }
  }

  has(uniqueid: string, atMs: number): boolean {
    const goneAtMs = this.#goneAtMs.get(uniqueid);
    return goneAtMs !== undefined && atMs - goneAtMs < REMEMBERED_MS;
  }

  /** Asterisk may have restarted, and may use any id again. */
  clear(): void {
    this.#goneAtMs.clear();
  }
}
