import type { CallState } from './call-book.ts';

/** An ended call stays in memory this long, for stragglers, unless more than so many do: no Asterisk ends 100 a second for long. */
const LINGER_MS = 10_000;
const MOST_LINGERING = 1000;

/** Calls that have ended and are not yet forgotten, in the order of their ends. */
export class EndedCalls {
  readonly #calls = new Set<CallState>();

  /** The call may have ended, or come back; one that ended again goes to the end of the line. */
  note(call: CallState): void {
    this.#calls.delete(call);
    if (call.endedAtMs !== null) this.#calls.add(call);
  }

  /** Takes out the calls that nobody will ask for any more; what `mayGo` refuses stays for the next time. */
  take(nowMs: number, mayGo: (call: CallState) => boolean): CallState[] {
    const gone: CallState[] = [];
    for (const call of this.#calls) {
      const mayLinger = this.#calls.size <= MOST_LINGERING;
      if (mayLinger && call.endedAtMs !== null && nowMs - call.endedAtMs < LINGER_MS) break;
      if (call.endedAtMs !== null && !mayGo(call)) continue;
      this.#calls.delete(call);
      if (call.endedAtMs !== null) gone.push(call);
    }
    return gone;
  }
}
