/** The shortest time between two ticks. */
const SOONEST_MS = 50;
/** The longest time between two ticks. Usually a tick comes with the reading of sockets: a wake-up of its own costs as much as its work. */
const LATEST_MS = 65;

/** Calls `tick` many times a second: when the process is awake anyway, otherwise by a timer. */
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

  /** Says that the process is awake. */
  remind(): void {
    if (this.#timer !== undefined && performance.now() - this.#tickedAtMs >= SOONEST_MS) this.#run();
  }

  #run(): void {
    this.#tickedAtMs = performance.now();
    this.#timer?.refresh();
    this.#tick();
  }
}
