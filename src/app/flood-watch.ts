/** Twice what Asterisk says of 8,000 channels that report every 5 s; it comes when something is wrong, or all at once after a stall. */
const FLOOD_EVENTS_PER_MS = 10;

/** Notices that events come in a flood, where what can be put off is put off, so that all of them are taken. */
export class FloodWatch {
  #events = 0;
  #lastMs: number;

  /** Milliseconds of a clock that is never set. */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** To be called at each event. */
  noteEvent(): void {
    this.#events++;
  }

  /** To be called several times a second: whether they have come in a flood since the last time. */
  isFlood(nowMs: number): boolean {
    const isFlood = this.#events > FLOOD_EVENTS_PER_MS * (nowMs - this.#lastMs);
    this.#events = 0;
    this.#lastMs = nowMs;
    return isFlood;
  }
}
