/** Longest time in one turn of the event loop. Events of Asterisk wait meanwhile. */
const PART_MS = 4;

/** Runs pieces of work in order, some milliseconds in each turn of the event loop. A crowd at a port then delays only itself. */
export class WorkQueue {
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
