import { coded, type Logger } from './log.ts';

/** Said so often at most. */
const LOG_EVERY_MS = 60_000;

/** Logs that channels were given up because too many were up. */
export class GivenUpLog {
  readonly #log: Logger;
  #logged = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Call it often. `givenUp`: how many since the start; `nowMs` is of a monotonic clock. */
  look(givenUp: number, nowMs: number): void {
    if (givenUp === this.#logged || nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#log.warn(
      coded('MES_ERR_CHANNELS_GIVEN_UP'),
      `calls: ${givenUp - this.#logged} channels were taken for over, the oldest that are silent, because too many are up; see "core show channels" in Asterisk`,
    );
    this.#logged = givenUp;
    this.#loggedAtMs = nowMs;
  }
}
