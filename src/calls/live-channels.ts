import { type ChannelState, isLive } from './channels/channel-state.ts';

/** Bound: four times the 10,000 channels of a large PBX, some 8 KB each. */
const MOST_LIVE_CHANNELS = 40_000;
/** A channel with media reports every 5 s; one on hold may be silent for longer. */
const QUIET_MS = 600_000;
/** How many channels are looked at for a quiet one. */
const MOST_LOOKS = 100;

/** Channels that are up, in the order in which they began. Asterisk never reports the end of some, so their number is bounded. */
export class LiveChannels {
  readonly #most: number;
  readonly #channels = new Set<ChannelState>();
  /** While there are too many. A search from the beginning would pass all deleted places, tens of thousands, for each look. */
  #round: SetIterator<ChannelState> | undefined;

  constructor(most = MOST_LIVE_CHANNELS) {
    this.#most = most;
  }

  get size(): number {
    return this.#channels.size;
  }

  all(): ChannelState[] {
    return [...this.#channels];
  }

  /** Adds a channel that is up. Returns the one to give up when there are too many: the oldest that has been quiet. */
  add(channel: ChannelState, nowMs: number): ChannelState | undefined {
    if (isLive(channel)) this.#channels.add(channel);
    if (this.#channels.size <= this.#most) {
      this.#round = undefined;
      return undefined;
    }
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const oldest = this.#next();
      if (oldest === undefined || nowMs - oldest.lastSeenAtMs >= QUIET_MS) return oldest;
    }
    return this.#next();
  }

  /** The next of a round: a channel is looked at again when all others were. */
  #next(): ChannelState | undefined {
    const next = this.#round?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#round = this.#channels.values();
    return this.#round.next().value;
  }

  delete(channel: ChannelState): void {
    this.#channels.delete(channel);
  }
}
