import type { HistorySink } from '../model/ports.ts';
import type { ChannelRecord, HistoryChange } from '../model/record.ts';

/**
 * Changes are gathered for this time, and up to the next tick, 65 ms at most. A channel that changes several times is stored
 * once, and many channels share a commit, which costs as much as twenty reports, mostly for waking the other thread.
 */
const GATHER_MS = 160;

/** The changes to be stored. The switchboard implements it. */
export interface ChangeSource {
  drain(nowMs?: number): HistoryChange[];
}

export interface HistoryRecorderOptions {
  readonly source: ChangeSource;
  readonly history: HistorySink;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Called with each stored channel. */
  readonly onChannel: (channel: ChannelRecord) => void;
}

/** Hands gathered changes to the history. */
export class HistoryRecorder {
  readonly #options: HistoryRecorderOptions;
  /** By `performance.now()`. */
  #storedAtMs = 0;

  constructor(options: HistoryRecorderOptions) {
    this.#options = options;
  }

  /** Stores what is due, unless it did so within `GATHER_MS`. Call it several times as often. */
  tick(): void {
    if (performance.now() - this.#storedAtMs < GATHER_MS) return;
    this.#storedAtMs = performance.now();
    this.#store(this.#options.nowMs());
    // Also the reports that have come since.
    this.#options.history.hurry();
  }

  /** Stores everything. Nothing may come after it. */
  close(): void {
    this.#store();
  }

  #store(nowMs?: number): void {
    for (const change of this.#options.source.drain(nowMs)) {
      this.#options.history.record(change);
      if (change.kind === 'channel') this.#options.onChannel(change.channel);
    }
  }
}
