import type { CallState } from './call-state.ts';

/**
 * How long a call stays in memory after its end was noted, because more may follow: ARI's answers within 3 s, captured packets
 * some 1.5 s after the hang-up, and the last reports and the hang-up of a channel that Asterisk's list already lacked. A report
 * about a forgotten channel would look like a new channel.
 */
const LINGER_MS = 5000;
/** Bound on these calls: no Asterisk ends 200 calls a second for long. */
const MOST_LINGERING = 1000;

/** Calls that have ended but are still in memory, in the order in which their ends were noted. */
export class EndedCalls {
  /** When each end was noted; the end itself may be much earlier. */
  readonly #notedAtMs = new Map<CallState, number>();

  /** The call may have ended or come back. One that ended again is the latest again. */
  note(call: CallState, atMs: number): void {
    this.#notedAtMs.delete(call);
    if (call.endedAtMs !== null) this.#notedAtMs.set(call, atMs);
  }

  /** Takes out the calls that nobody will ask for any more. Those that `mayGo` refuses stay for the next time. */
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

  /** Somebody set the clock by `byMs`. */
  clockStepped(byMs: number): void {
    for (const [call, notedAtMs] of this.#notedAtMs) this.#notedAtMs.set(call, notedAtMs + byMs);
  }
}
