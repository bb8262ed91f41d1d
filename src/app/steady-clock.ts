import type { Clock } from '../model/ports.ts';

/** The system's clock is followed in silence when it is off by less: it is slewed all the time, and read in turns. */
const SMALLEST_STEP_MS = 1000;

/**
 * The system's time of day, which does not step by itself: when somebody sets the system's clock, this one goes on as
 * before until `follow` says by how much it has to be moved, so that who measures spans can move their marks with it.
 */
export class SteadyClock implements Clock {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #offsetMs: number;

  /** Both in milliseconds; `wallMs` since 1970, `monotonicMs` since any moment, and never set. */
  constructor(wallMs = (): number => Date.now(), monotonicMs = (): number => performance.now()) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    this.#offsetMs = wallMs() - monotonicMs();
  }

  /** Whole milliseconds since 1970. */
  nowMs(): number {
    return Math.round(this.#monotonicMs() + this.#offsetMs);
  }

  /** Takes the system's time of day. Returns by how many milliseconds that has moved this clock; 0 when nobody set it. */
  follow(): number {
    const offsetMs = this.#wallMs() - this.#monotonicMs();
    const stepMs = Math.round(offsetMs - this.#offsetMs);
    this.#offsetMs = offsetMs;
    return Math.abs(stepMs) < SMALLEST_STEP_MS ? 0 : stepMs;
  }
}
