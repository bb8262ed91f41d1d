import type { HistorySink } from '../model/ports.ts';
import type { ChannelRecord, HistoryChange } from '../model/record.ts';

/**
 * How long changes are gathered, plus the time until the next tick, at most 65 ms. A channel that changes several times meanwhile is
 * stored once, and many channels share a commit: one costs about as much as twenty reports, most of it for waking the other thread.
 */
const GATHER_MS = 160;

/** What is to be stored, as the switchboard has it. */
export interface ChangeSource {
  drain(nowMs?: number): HistoryChange[];
}

export interface HistoryRecorderOptions {
  readonly source: ChangeSource;
  readonly history: HistorySink;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Told of every channel that is stored. */
  readonly onChannel: (channel: ChannelRecord) => void;
}

/** Hands what has changed to the history, gathered. */
export class HistoryRecorder {
  readonly #options: HistoryRecorderOptions;
  /** By `performance.now()`. */
  #storedAtMs = 0;

  constructor(options: HistoryRecorderOptions) {
    this.#options = options;
  }

  /** Stores what is due, unless that happened within `GATHER_MS`. Call it several times as often. */
  tick(): void {
    if (performance.now() - this.#storedAtMs < GATHER_MS) return;
    this.#storedAtMs = performance.now();
    this.#store(this.#options.nowMs());
    // Reports that have come since, too.
    this.#options.history.hurry();
  }

  /** Stores what there is; nothing comes after it. */
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
