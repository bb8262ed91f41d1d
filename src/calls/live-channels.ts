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

  constructor(most = MOST_LIVE_CHANNELS) {
    this.#most = most;
  }

  get size(): number {
    return this.#channels.size;
  }

  all(): ChannelState[] {
    return [...this.#channels];
  }

  /** Adds a channel that is up. Returns the channel to give up if there are too many: the oldest quiet one. */
  add(channel: ChannelState, nowMs: number): ChannelState | undefined {
    if (isLive(channel)) this.#channels.add(channel);
    if (this.#channels.size <= this.#most) return undefined;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const [oldest] = this.#channels;
      if (oldest === undefined || nowMs - oldest.lastSeenAtMs >= QUIET_MS) return oldest;
      // It is looked at again after all others.
      this.delete(oldest);
      this.#channels.add(oldest);
    }
    const [oldest] = this.#channels;
    return oldest;
  }

  delete(channel: ChannelState): void {
    this.#channels.delete(channel);
  }
}
