import type { HistorySink } from '../model/ports.ts';
import type { ChannelRecord, HistoryChange } from '../model/record.ts';

/** New channels are stored at once, but no more often than this: many may begin together. */
const NEW_CHANNELS_GAP_MS = 20;
/** Storing them may take one part in so many of the time: under a flood they come with everything else. */
const REST_PER_WORK = 20;

/** What is to be stored, as the switchboard has it. */
export interface ChangeSource {
  readonly hasNewChannels: boolean;
  drain(nowMs?: number): HistoryChange[];
  drainNew(): HistoryChange[];
  bringForwardCall(linkedid: string): void;
  bringForwardChannel(uniqueid: string): void;
}

export interface HistoryFeedOptions {
  readonly source: ChangeSource;
  readonly history: HistorySink;
  /** Told of every channel that is stored. */
  readonly onChannel: (channel: ChannelRecord) => void;
}

/** Hands what has changed to the history: most of it gathered, the first sight of a channel at once. */
export class HistoryFeed {
  readonly #options: HistoryFeedOptions;
  #storingNew: NodeJS.Timeout | undefined;
  /** Not before then, by `performance.now()`. */
  #nextNewAtMs = 0;

  constructor(options: HistoryFeedOptions) {
    this.#options = options;
  }

  /** Stores what is to be stored by `nowMs`, or everything that has changed; to be called a few times a second. */
  store(nowMs?: number): void {
    this.#record(this.#options.source.drain(nowMs));
  }

  /** What the history has of the call is what is known of it now, once all recorded so far is in it. */
  storeCall(linkedid: string, nowMs: number): void {
    this.#options.source.bringForwardCall(linkedid);
    this.store(nowMs);
  }

  storeChannel(uniqueid: string, nowMs: number): void {
    this.#options.source.bringForwardChannel(uniqueid);
    this.store(nowMs);
  }

  /** To be called after each event: sees to it that a new channel is stored soon. */
  noteNew(): void {
    if (this.#storingNew !== undefined || !this.#options.source.hasNewChannels) return;
    this.#storingNew = setTimeout(() => this.#storeNew(), Math.max(0, this.#nextNewAtMs - performance.now()));
  }

  /** Stores what there is; nothing comes after it. */
  close(): void {
    clearTimeout(this.#storingNew);
    this.store();
  }

  #storeNew(): void {
    this.#storingNew = undefined;
    const startedAtMs = performance.now();
    this.#record(this.#options.source.drainNew());
    this.#options.history.hurry();
    const endedAtMs = performance.now();
    this.#nextNewAtMs = endedAtMs + Math.max(NEW_CHANNELS_GAP_MS, REST_PER_WORK * (endedAtMs - startedAtMs));
  }

  #record(changes: readonly HistoryChange[]): void {
    for (const change of changes) {
      this.#options.history.record(change);
      if (change.kind === 'channel') this.#options.onChannel(change.channel);
    }
  }
}
