import { flatCopy } from '../../units/flat-copy.ts';

/** Nothing that Asterisk says of a channel comes as much later than its hang-up. */
const REMEMBERED_MS = 60_000;
/** No Asterisk ends more in that time. */
const MOST_REMEMBERED = 20_000;

/**
 * Channels that are over: one that was forgotten, or whose hang-up came before anything else of it. What is told of such a channel
 * later is no new channel, which nobody would ever hang up.
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

  /** Asterisk may have begun anew, and gives what ids it likes. */
  clear(): void {
    this.#goneAtMs.clear();
  }
}
