/** Far more than a busy machine delays a process that runs every 65 ms, and less than any report interval. */
const STALL_MS = 1000;

/** Detects that the process stood still (stopped, starved, machine suspended) and could not read events. */
export class StallDetector {
  #lastMs: number;

  /** `nowMs` is of a monotonic clock. */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** Call it on every tick. True on the first tick after the process stood still for a second or more. */
  stoodStill(nowMs: number): boolean {
    const sinceMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    return sinceMs >= STALL_MS;
  }
}
