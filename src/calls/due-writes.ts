import { type ChannelState, isLive, isLocalChannel } from './channel-state.ts';

/** A channel whose peers' scores changed is written at the latest this long after, if no report of its own comes first. */
const PEER_WRITE_DELAY_MS = 1000;

/** Channels that are to be written for the sake of others' scores, in order of time. */
export class DueWrites {
  readonly #dueAtMs = new Map<ChannelState, number>();

  /** The channel's scores have changed: the others of its call show them too. */
  noteOthers(channel: ChannelState, channelsOfCall: Iterable<ChannelState>, nowMs: number): void {
    for (const other of channelsOfCall) {
      if (other === channel || !isLive(other) || isLocalChannel(other) || this.#dueAtMs.has(other)) continue;
      this.#dueAtMs.set(other, nowMs + PEER_WRITE_DELAY_MS);
    }
  }

  /** It is written now, or not any more. */
  cancel(channel: ChannelState): void {
    this.#dueAtMs.delete(channel);
  }

  /** Takes out those that are due. */
  take(nowMs: number): ChannelState[] {
    const due: ChannelState[] = [];
    for (const [channel, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > nowMs) break;
      due.push(channel);
      this.#dueAtMs.delete(channel);
    }
    return due;
  }

  clockStepped(byMs: number): void {
    for (const [channel, dueAtMs] of this.#dueAtMs) this.#dueAtMs.set(channel, dueAtMs + byMs);
  }
}
