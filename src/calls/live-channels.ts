import { type ChannelState, isLive } from './channels/channel-state.ts';

/** Four times the 10,000 legs that a large PBX has; some 8 KB each. */
const MOST_LIVE_CHANNELS = 40_000;
/** Of a channel with media something is heard every 5 s; one on hold may be silent for longer. */
const QUIET_MS = 600_000;
/** Channels that are looked at for one that is quiet. */
const MOST_LOOKS = 100;

/** Channels that are up, in the order in which they began. Asterisk never says of some that they are over: their number is bounded. */
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

  /** Takes in a channel if it is up; returns the one to give up when there are too many: the oldest of which nothing was heard lately. */
  add(channel: ChannelState, nowMs: number): ChannelState | undefined {
    if (isLive(channel)) this.#channels.add(channel);
    if (this.#channels.size <= this.#most) return undefined;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const [oldest] = this.#channels;
      if (oldest === undefined || nowMs - oldest.lastSeenAtMs >= QUIET_MS) return oldest;
      // Looked at again when all others were.
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
