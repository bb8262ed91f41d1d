/** Work of this kind may hold the event loop so long at a time; what Asterisk says meanwhile waits for it. */
const PART_MS = 4;

/**
 * Does pieces of work in the order in which they came, for some milliseconds in each turn of the event loop: a crowd at a port then
 * holds up nobody but itself.
 */
export class Turns {
  #waiting: (() => void)[] = [];
  #next = 0;

  take(work: () => void): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#run());
    this.#waiting.push(work);
  }

  #run(): void {
    const untilMs = performance.now() + PART_MS;
    do this.#waiting[this.#next++]?.();
    while (this.#next < this.#waiting.length && performance.now() < untilMs);
    if (this.#next < this.#waiting.length) {
      setImmediate(() => this.#run());
      return;
    }
    this.#waiting = [];
    this.#next = 0;
  }
}
