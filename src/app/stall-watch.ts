/** Far more than a busy machine holds up a process that is to run every 65 ms, and less than any report interval. */
const STALL_MS = 1000;

/** Notices that the process stood still (stopped, starved, its machine suspended): it heard nothing, whatever was said. */
export class StallWatch {
  #lastMs: number;

  /** Milliseconds of a clock that is never set. */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** Told whenever the process runs; true at the first moment after it stood still for a second or more. */
  stoodStill(nowMs: number): boolean {
    const sinceMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    return sinceMs >= STALL_MS;
  }
}
