/** What is due is done no more often than this. */
const SOONEST_MS = 50;
/** But usually when the sockets are read: to wake up for each on its own takes as much processor time as the work itself. */
const LATEST_MS = 65;

/** Has what is due done many times a second: when the process is awake anyway, and else by a timer. */
export class Ticker {
  readonly #tick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #tickedAtMs = 0;

  constructor(tick: () => void) {
    this.#tick = tick;
  }

  start(): void {
    this.#tickedAtMs = performance.now();
    this.#timer = setTimeout(() => this.#run(), LATEST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The process is awake. */
  remind(): void {
    if (this.#timer !== undefined && performance.now() - this.#tickedAtMs >= SOONEST_MS) this.#run();
  }

  #run(): void {
    this.#tickedAtMs = performance.now();
    this.#timer?.refresh();
    this.#tick();
  }
}
