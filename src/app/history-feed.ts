import type { HistorySink } from '../model/ports.ts';
import type { ChannelRecord, HistoryChange } from '../model/record.ts';

/**
 * Changes are gathered for so long, and until it is looked again, 65 ms later at most: so that a channel that changes several
 * times meanwhile is stored once, and many with one commit. A commit costs about as much as twenty reports, most of it for
 * waking the other thread.
 */
const GATHER_MS = 160;

/**
 * A new channel is stored at once, but not sooner than this after the last one, for two that begin together. Ten may follow
 * each other like that, over time one a second; the others are gathered like all changes.
 */
const NEW_CHANNEL_GAP_MS = 20;
const NEW_CHANNEL_USUAL_GAP_MS = 1000;
const NEW_CHANNELS_IN_A_ROW = 10;

/** In a flood, calls that are up are stored no more often than this: they may be short, and so most are stored once, when they are over. */
const FLOOD_STORE_UP_MS = 2000;

/** What is to be stored, as the switchboard has it. */
export interface ChangeSource {
  readonly hasNewChannel: boolean;
  drain(nowMs?: number, onlyEnded?: boolean): HistoryChange[];
  bringForwardCall(linkedid: string): void;
  bringForwardChannel(uniqueid: string): void;
}

export interface HistoryFeedOptions {
  readonly source: ChangeSource;
  readonly history: HistorySink;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Told of every channel that is stored. */
  readonly onChannel: (channel: ChannelRecord) => void;
}

/** Hands what has changed to the history: most of it gathered, at once when a channel is seen for the first time. */
export class HistoryFeed {
  readonly #options: HistoryFeedOptions;
  /** These three by `performance.now()`. */
  #storedAtMs = 0;
  #storedUpAtMs = 0;
  /** When new channels could be stored at the usual pace; as far ahead as more of them came lately. */
  #paceAtMs = 0;
  #isFlood = false;
  #storingNew: NodeJS.Timeout | undefined;

  constructor(options: HistoryFeedOptions) {
    this.#options = options;
  }

  /**
   * To be called several times a `GATHER_MS`: stores what is to be stored by now, unless it was stored just before.
   * `isFlood`: events have come in a flood since the last time.
   */
  tick(isFlood: boolean): void {
    const isOver = this.#isFlood && !isFlood;
    this.#isFlood = isFlood;
    if (!isOver && performance.now() - this.#storedAtMs < GATHER_MS) return;
    const onlyEnded = isFlood && performance.now() - this.#storedUpAtMs < FLOOD_STORE_UP_MS;
    if (this.#store(this.#options.nowMs(), onlyEnded) && !isFlood) this.#options.history.hurry();
  }

  /** Stores everything that has changed, also what may be stored later. */
  storeAll(): void {
    this.#store();
  }

  /** What the history has of the call is what is known of it now, once all recorded so far is in it. */
  storeCall(linkedid: string): void {
    this.#options.source.bringForwardCall(linkedid);
    this.#store(this.#options.nowMs());
  }

  storeChannel(uniqueid: string): void {
    this.#options.source.bringForwardChannel(uniqueid);
    this.#store(this.#options.nowMs());
  }

  /** To be called after each event: sees to it that a new channel is stored soon, unless many are or events come in a flood. */
  noteNew(): void {
    if (this.#isFlood || this.#storingNew !== undefined || !this.#options.source.hasNewChannel) return;
    const nowMs = performance.now();
    if (this.#paceAtMs - nowMs > (NEW_CHANNELS_IN_A_ROW - 1) * NEW_CHANNEL_USUAL_GAP_MS) return;
    const earliestMs = this.#storedAtMs + NEW_CHANNEL_GAP_MS;
    this.#storingNew = setTimeout(() => this.#storeNew(), Math.max(0, earliestMs - nowMs));
  }

  /** Stores what there is; nothing comes after it. */
  close(): void {
    clearTimeout(this.#storingNew);
    this.#store();
  }

  #storeNew(): void {
    this.#storingNew = undefined;
    if (this.#isFlood || !this.#options.source.hasNewChannel) return;
    this.#paceAtMs = Math.max(this.#paceAtMs, performance.now()) + NEW_CHANNEL_USUAL_GAP_MS;
    this.#store(this.#options.nowMs());
    this.#options.history.hurry();
  }

  /** Returns whether there was anything. */
  #store(nowMs?: number, onlyEnded = false): boolean {
    this.#storedAtMs = performance.now();
    if (!onlyEnded) this.#storedUpAtMs = this.#storedAtMs;
    const changes = this.#options.source.drain(nowMs, onlyEnded);
    for (const change of changes) {
      this.#options.history.record(change);
      if (change.kind === 'channel') this.#options.onChannel(change.channel);
    }
    return changes.length > 0;
  }
}
