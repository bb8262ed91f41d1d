import { type ChannelState, isLive, isLocalChannel } from '../channels/channel-state.ts';

/** A channel whose peers' scores changed is written at the latest this much later, if no report of its own comes first. */
const PEER_WRITE_DELAY_MS = 1000;

interface DueWrite {
  readonly channel: ChannelState;
  readonly ticket: number;
  readonly dueAtMs: number;
}

/**
 * Channels to write because others' scores in their call changed. Most of them get a report of their own first, which writes
 * them. Then the ticket is cancelled, and the entry in the queue has no effect.
 */
export class DueWrites {
  /** In order of time. */
  #queue: DueWrite[] = [];
  #lastTicket = 0;

  /** The channel's scores have changed, which the other channels of its call show, too. */
  noteOthers(channel: ChannelState, channelsOfCall: ReadonlySet<ChannelState>, nowMs: number): void {
    channelsOfCall.forEach((other) => {
      if (other === channel || other.published.writeTicket !== null || !isLive(other) || isLocalChannel(other)) return;
      other.published.writeTicket = ++this.#lastTicket;
      this.#queue.push({ channel: other, ticket: other.published.writeTicket, dueAtMs: nowMs + PEER_WRITE_DELAY_MS });
    });
  }

  /** The channel is being written, or never will be again. */
  cancel(channel: ChannelState): void {
    channel.published.writeTicket = null;
  }

  /** Takes out the channels that are due. */
  take(nowMs: number): ChannelState[] {
    const later = this.#queue.findIndex(({ dueAtMs }) => dueAtMs > nowMs);
    const past = this.#queue.splice(0, later < 0 ? this.#queue.length : later);
    const due: ChannelState[] = [];
    for (const { channel, ticket } of past) {
      if (channel.published.writeTicket !== ticket) continue;
      channel.published.writeTicket = null;
      due.push(channel);
    }
    return due;
  }

  clockStepped(byMs: number): void {
    this.#queue = this.#queue.map((write) => ({ ...write, dueAtMs: write.dueAtMs + byMs }));
  }
}
