import { coded, type Logger } from './log.ts';

/** Dropped changes are logged this often at most. */
const LOG_DROPS_EVERY_MS = 10_000;

/** What administrators need to know of the history. */
export interface HistoryState {
  readonly problem: string | null;
  /** Changes that were dropped since the start. */
  readonly dropped: number;
  /** Changes that the database refused since the start, and why it refused the last one. */
  readonly rejected: number;
  readonly rejection: string | null;
}

/** Logs when the history cannot be written, when it can again, and what was lost. */
export class HistoryLog {
  readonly #log: Logger;
  #problem: string | null = null;
  #droppedLogged = 0;
  #rejectedLogged = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Call it often; `nowMs` is of a monotonic clock. */
  look({ problem, dropped, rejected, rejection }: HistoryState, nowMs: number): void {
    if (problem !== this.#problem) {
      this.#problem = problem;
      if (problem === null) this.#log.info('history: it can be written again');
      else this.#log.warn(coded('MES_ERR_HISTORY_WRITE'), `history: ${problem}; trying again`);
    }
    if (nowMs - this.#loggedAtMs < LOG_DROPS_EVERY_MS) return;
    const logsDropped = this.#logDropped(dropped);
    const logsRejected = rejected !== this.#rejectedLogged;
    if (logsRejected)
      this.#log.warn(
        coded('MES_ERR_HISTORY_REJECTED'),
        `history: ${rejected - this.#rejectedLogged} changes were left out: ${rejection}`,
      );
    this.#rejectedLogged = rejected;
    if (logsDropped || logsRejected) this.#loggedAtMs = nowMs;
  }

  /** Call it when the history is closed: changes that still wait are lost. */
  close({ queued, dropped }: { readonly queued: number; readonly dropped: number }): void {
    this.#logDropped(dropped);
    if (queued === 0) return;
    const reason = this.#problem === null ? 'it took too long to store them' : this.#problem;
    this.#log.error(
      coded('MES_ERR_HISTORY_LOST'),
      `history: the last ${queued} changes were lost at the end, because ${reason}`,
    );
  }

  #logDropped(dropped: number): boolean {
    if (dropped === this.#droppedLogged) return false;
    this.#log.warn(
      coded('MES_ERR_HISTORY_DROPPED'),
      `history: ${dropped - this.#droppedLogged} changes were given up, the oldest reports first, because more came than the disk took`,
    );
    this.#droppedLogged = dropped;
    return true;
  }
}
