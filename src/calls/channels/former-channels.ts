import type { ExistingChannel } from '../../model/event.ts';
import type { VariableWriter } from '../../model/ports.ts';
import type { LinkedCalls } from '../linked-calls.ts';
import type { CallState } from '../call-state.ts';
import { type ChannelState, isLive } from './channel-state.ts';

/** A list that comes in late makes channels look younger by as much. */
const LATE_LIST_MS = 5000;

export interface FormerChannelsOptions {
  readonly channels: Map<string, ChannelState>;
  readonly calls: LinkedCalls;
  /** Stores these as they are, before anything that comes later. */
  readonly settle: (channels: readonly ChannelState[], call: CallState | undefined) => void;
  readonly writer: VariableWriter | null;
}

/**
 * Channels in memory that were over when Asterisk last listed its channels. An Asterisk that has begun anew since may give their ids to
 * other channels: it makes them from its clock, and some machines begin with the same clock each time.
 */
export class FormerChannels {
  readonly #options: FormerChannelsOptions;
  #uniqueids = new Set<string>();
  /** By how much the clock was set back: Asterisk reckons a channel's age by the clock, and begins to count later by as much. */
  #setBackMs = 0;

  constructor(options: FormerChannelsOptions) {
    this.#options = options;
  }

  has(uniqueid: string): boolean {
    return this.#uniqueids.has(uniqueid);
  }

  /** Asterisk has listed its channels, and what was over is. */
  noteList(): void {
    const ended = [...this.#options.channels.values()].filter((channel) => !isLive(channel));
    this.#uniqueids = new Set(ended.map(({ uniqueid }) => uniqueid));
  }

  /** Whether a listed channel is another one than the one in memory with its id: it began after that one was last heard of. */
  isAnother({ uniqueid, ageS }: ExistingChannel, atMs: number): boolean {
    const known = this.#options.channels.get(uniqueid);
    if (known === undefined || ageS === undefined) return false;
    // Whole seconds: it may be a second older.
    const beganAtMs = atMs - (ageS + 1) * 1000;
    return beganAtMs > known.lastSeenAtMs + LATE_LIST_MS + this.#setBackMs;
  }

  /** Asterisk has made a channel of this id: a former one of the same id, and its call, are stored and no longer in memory. */
  makeWay(uniqueid: string): void {
    const { channels, calls, settle, writer } = this.#options;
    // Nothing is written to a channel after its final scores.
    writer?.reopen(uniqueid);
    const former = channels.get(uniqueid);
    if (former === undefined || isLive(former) || !this.#uniqueids.has(uniqueid)) return;
    const call = calls.get(former.linkedid);
    const isWhole = call !== undefined && call.endedAtMs !== null;
    const going = isWhole ? [...call.channels] : [former];
    settle(going, isWhole ? call : undefined);
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
