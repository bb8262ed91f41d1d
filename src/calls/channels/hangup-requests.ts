import type { BridgePeers } from '../bridges/bridge-peers.ts';
import type { ChangeLog } from '../change-log.ts';
import type { LinkedCalls } from '../linked-calls.ts';
import { type ChannelState, type HangupRequest, isLocalChannel } from './channel-state.ts';

/**
 * Finds out who hung up. Asterisk 16 and 22 tell before the channel leaves its bridge: `HangupRequest` when the party did (BYE,
 * CANCEL or a refusal), `SoftHangupRequest` when something on the server did. The second also follows the first, and comes when a
 * channel's dialplan ends because its peer hung up. So only the first of them counts.
 */
export class HangupRequests {
  readonly #calls: LinkedCalls;
  readonly #bridges: BridgePeers;
  readonly #changes: ChangeLog;

  constructor(calls: LinkedCalls, bridges: BridgePeers, changes: ChangeLog) {
    this.#calls = calls;
    this.#bridges = bridges;
    this.#changes = changes;
  }

  noteRequest(channel: ChannelState, by: HangupRequest['by'], atMs: number): void {
    // Each half of a Local channel is asked to end by the other half.
    if (channel.hangupRequest !== null || isLocalChannel(channel)) return;
    const companions = this.#bridges.companionsOf(channel);
    // If two hang up at the same time, the first one ended the talk.
    const endedTalk =
      companions.length > 0 && companions.every(({ hangupRequest }) => hangupRequest?.endedTalk !== true);
    channel.hangupRequest = { by, atMs, endedTalk };
    this.#changes.touch(channel);
  }

  /**
   * The channel entered a bridge, so earlier hang-ups in the call did not end the talk: it goes on with others, as after a
   * transfer.
   */
  noteTalk(channel: ChannelState): void {
    const call = this.#calls.get(channel.linkedid);
    if (call === undefined || this.#bridges.companionsOf(channel).length === 0) return;
    for (const other of call.channels) {
      if (other.hangupRequest?.endedTalk !== true) continue;
      other.hangupRequest = { ...other.hangupRequest, endedTalk: false };
      this.#changes.touch(other);
    }
  }
}
