import type { Clock } from '../../model/ports.ts';

/** A smaller step is followed silently: NTP slews the clock all the time, and the two clocks are not read at the same moment. */
const SMALLEST_STEP_MS = 1000;

/**
 * The time of day without steps. When somebody sets the system's clock, this one goes on as before until `follow` returns the
 * step, so that everybody who measures spans can move their marks by it.
 */
export class SteadyClock implements Clock {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #offsetMs: number;

  /** Milliseconds: `wallMs` since 1970, `monotonicMs` of a monotonic clock. */
  constructor(wallMs = (): number => Date.now(), monotonicMs = (): number => performance.now()) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    this.#offsetMs = wallMs() - monotonicMs();
  }

  /** Whole milliseconds since 1970. */
  nowMs(): number {
    return Math.round(this.#monotonicMs() + this.#offsetMs);
  }

  /** Takes over the system's time of day. Returns the step in milliseconds; 0 when nobody set the clock. */
  follow(): number {
    const offsetMs = this.#wallMs() - this.#monotonicMs();
    const stepMs = Math.round(offsetMs - this.#offsetMs);
    this.#offsetMs = offsetMs;
    return Math.abs(stepMs) < SMALLEST_STEP_MS ? 0 : stepMs;
  }
}
