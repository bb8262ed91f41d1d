import type { CallState } from './linked-calls.ts';

/**
 * A call stays in memory this long after its end was noted, for what is told of it later: ARI's answers, which have 3 s;
 * captured packets, which are summed up some 1.5 s after a hang-up; reports and the hang-up of a channel that Asterisk's list
 * lacked already, which follow at once; and the hangup handler, which has 50 ms and comes before the end. A report for a
 * channel that is forgotten would look like a channel that begins.
 */
const LINGER_MS = 5000;
/** Unless more than so many do: no Asterisk ends 200 a second for long. */
const MOST_LINGERING = 1000;

/** Calls that have ended and are not yet forgotten, in the order in which that was noted. */
export class EndedCalls {
  /** When, each; the end itself may be long ago. */
  readonly #notedAtMs = new Map<CallState, number>();

  /** The call may have ended, or come back; one that ended again goes to the end of the line. */
  note(call: CallState, atMs: number): void {
    this.#notedAtMs.delete(call);
    if (call.endedAtMs !== null) this.#notedAtMs.set(call, atMs);
  }

  /** Takes out the calls that nobody will ask for any more; what `mayGo` refuses stays for the next time. */
  take(nowMs: number, mayGo: (call: CallState) => boolean): CallState[] {
    const gone: CallState[] = [];
    for (const [call, notedAtMs] of this.#notedAtMs) {
      const mayLinger = this.#notedAtMs.size <= MOST_LINGERING;
      if (mayLinger && call.endedAtMs !== null && nowMs - notedAtMs < LINGER_MS) break;
      if (call.endedAtMs !== null && !mayGo(call)) continue;
      this.#notedAtMs.delete(call);
      if (call.endedAtMs !== null) gone.push(call);
    }
    return gone;
  }

  /** The clock was set, by so many milliseconds. */
  clockStepped(byMs: number): void {
    for (const [call, notedAtMs] of this.#notedAtMs) this.#notedAtMs.set(call, notedAtMs + byMs);
  }
}
