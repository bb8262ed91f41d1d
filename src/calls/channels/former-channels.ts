import type { ExistingChannel } from '../../model/event.ts';
import type { VariableWriter } from '../../model/ports.ts';
import type { LinkedCalls } from '../linked-calls.ts';
import type { CallState } from '../call-state.ts';
import { type ChannelState, isLive } from './channel-state.ts';

/** A list that comes late makes channels look younger by at most this much. */
const LATE_LIST_MS = 5000;

export interface FormerChannelsOptions {
  readonly channels: Map<string, ChannelState>;
  readonly calls: LinkedCalls;
  /** Stores these channels as they are, before later changes; `call`: the call of which they are all channels. */
  readonly storeFirst: (channels: readonly ChannelState[], call: CallState | undefined) => void;
  readonly writer: VariableWriter | null;
}

/**
 * Channels in memory that were over when Asterisk last listed its channels. If Asterisk restarts, it may give their ids to other
 * channels: it makes ids from its clock, and some machines start with the same clock each time.
 */
export class FormerChannels {
  readonly #options: FormerChannelsOptions;
  #uniqueids = new Set<string>();
  /** How much the clock was set back. Asterisk computes a channel's age by the clock, so its channels look that much younger. */
  #setBackMs = 0;

  constructor(options: FormerChannelsOptions) {
    this.#options = options;
  }

  has(uniqueid: string): boolean {
    return this.#uniqueids.has(uniqueid);
  }

  /** Asterisk has listed its channels. */
  noteList(): void {
    const ended = [...this.#options.channels.values()].filter((channel) => !isLive(channel));
    this.#uniqueids = new Set(ended.map(({ uniqueid }) => uniqueid));
  }

  /** Whether a listed channel is another one than the channel in memory with its id: it began after that one was last heard of. */
  isAnother({ uniqueid, ageS }: ExistingChannel, atMs: number): boolean {
    const known = this.#options.channels.get(uniqueid);
    if (known === undefined || ageS === undefined) return false;
    // The age is in whole seconds, so the channel may be a second older.
    const beganAtMs = atMs - (ageS + 1) * 1000;
    return beganAtMs > known.lastSeenAtMs + LATE_LIST_MS + this.#setBackMs;
  }

  /** Asterisk has created a channel with this id: stores a former channel with that id, and its call, and takes them out of memory. */
  makeWay(uniqueid: string): void {
    const { channels, calls, storeFirst, writer } = this.#options;
    // Nothing is written to a channel after its final scores.
    writer?.reopen(uniqueid);
    const former = channels.get(uniqueid);
    if (former === undefined || isLive(former) || !this.#uniqueids.has(uniqueid)) return;
    const call = calls.get(former.linkedid);
    const isWhole = call !== undefined && call.endedAtMs !== null;
    const going = isWhole ? [...call.channels] : [former];
    storeFirst(going, isWhole ? call : undefined);
    if (isWhole) calls.forget(call.linkedid);
    else call?.channels.delete(former);
    for (const channel of going) {
      channels.delete(channel.uniqueid);
      this.#uniqueids.delete(channel.uniqueid);
    }
  }

  clockStepped(byMs: number): void {
    this.#setBackMs += Math.max(0, -byMs);
  }
}
