import { coded, type Logger } from './log.ts';

/** While changes are being given up, this often at most. */
const TELL_DROPS_EVERY_MS = 10_000;

/** What of the history's own account matters to whoever runs the sidecar. */
export interface HistoryState {
  readonly problem: string | null;
  /** Changes given up since the start. */
  readonly dropped: number;
  /** Changes that the database will never take, since the start; and why, of the last. */
  readonly rejected: number;
  readonly rejection: string | null;
}

/** Says in the log when the history cannot be written, when it can again, and what was given up or left out meanwhile or at the end. */
export class HistoryWatch {
  readonly #log: Logger;
  #problem: string | null = null;
  #droppedTold = 0;
  #rejectedTold = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** To be called often; `nowMs` is of any clock that is not set. */
  look({ problem, dropped, rejected, rejection }: HistoryState, nowMs: number): void {
    if (problem !== this.#problem) {
      this.#problem = problem;
      if (problem === null) this.#log.info('history: it can be written again');
      else this.#log.warn(coded('MES_ERR_HISTORY_WRITE'), `history: ${problem}; trying again`);
    }
    if (nowMs - this.#toldAtMs < TELL_DROPS_EVERY_MS) return;
    const tellsDropped = this.#tellDropped(dropped);
    const tellsRejected = rejected !== this.#rejectedTold;
    if (tellsRejected)
      this.#log.warn(
        coded('MES_ERR_HISTORY_REJECTED'),
        `history: ${rejected - this.#rejectedTold} changes were left out: ${rejection}`,
      );
    this.#rejectedTold = rejected;
    if (tellsDropped || tellsRejected) this.#toldAtMs = nowMs;
  }

  /** To be called when the history is closed: what waits now is lost. */
  close({ queued, dropped }: { readonly queued: number; readonly dropped: number }): void {
    this.#tellDropped(dropped);
    if (queued === 0) return;
    const reason = this.#problem === null ? 'it took too long to store them' : this.#problem;
    this.#log.error(
      coded('MES_ERR_HISTORY_LOST'),
      `history: the last ${queued} changes were lost at the end, because ${reason}`,
    );
  }

  #tellDropped(dropped: number): boolean {
    if (dropped === this.#droppedTold) return false;
    this.#log.warn(
      coded('MES_ERR_HISTORY_DROPPED'),
      `history: ${dropped - this.#droppedTold} changes were given up, the oldest reports first, because more came than the disk took`,
    );
    this.#droppedTold = dropped;
    return true;
  }
}
