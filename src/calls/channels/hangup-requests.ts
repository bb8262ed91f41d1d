import type { BridgePeers } from '../bridges/bridge-peers.ts';
import type { ChangeLog } from '../change-log.ts';
import type { LinkedCalls } from '../linked-calls.ts';
import { type ChannelState, type HangupRequest, isLocalChannel } from './channel-state.ts';

/**
 * Who hung up. Asterisk 16 and 22 say so before the channel leaves its bridge: `HangupRequest` when the party did (BYE, CANCEL or a
 * refusal), `SoftHangupRequest` when something on the server did. The second also follows upon the first, and comes when the
 * dialplan of a channel ends because its peer has hung up: only what comes first counts.
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
    // Both halves of a Local channel are asked to end by the other one.
    if (channel.hangupRequest !== null || isLocalChannel(channel)) return;
    const companions = this.#bridges.companionsOf(channel);
    // Of two that hang up at the same time, the first one ended the talk.
    const endedTalk =
      companions.length > 0 && companions.every(({ hangupRequest }) => hangupRequest?.endedTalk !== true);
    channel.hangupRequest = { by, atMs, endedTalk };
    this.#changes.touch(channel);
  }

  /** The channel has come into a bridge: whoever of the call hung up before left it to others, such as after a transfer. */
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
