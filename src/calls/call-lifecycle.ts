import type { LinkedCalls, Merge } from './linked-calls.ts';
import type { CallState } from './call-state.ts';
import type { ChangeLog } from './change-log.ts';
import type { ChannelState } from './channels/channel-state.ts';
import { EndedCalls } from './ended-calls.ts';

/** Moves channels between calls and ends calls; notes what has to be stored then, and what may be forgotten. */
export class CallLifecycle {
  readonly #calls: LinkedCalls;
  readonly #changes: ChangeLog;
  readonly #ended = new EndedCalls();

  constructor(calls: LinkedCalls, changes: ChangeLog) {
    this.#calls = calls;
    this.#changes = changes;
  }

  /** Asterisk gave the channel another linkedid. */
  move(channel: ChannelState, linkedid: string, atMs: number): void {
    const left = this.#calls.get(channel.linkedid);
    const merge = this.#calls.move(channel, linkedid);
    if (left !== undefined && merge === undefined) {
      this.#changes.touchCall(left);
      this.#ended.note(left, atMs);
    }
    this.#changes.touch(channel);
    this.#noteMerge(merge, atMs);
  }

  /** Ends the call if none of its channels is up. `atMs`: when that became known. */
  endIfOver(call: CallState, atMs: number): void {
    this.#noteMerge(this.#calls.endIfOver(call), atMs);
    this.#ended.note(call, atMs);
    // A call's end also ends the stored states of its channels.
    if (call.endedAtMs !== null) for (const channel of call.channels) this.#changes.touch(channel);
  }

  /** Takes out the calls that ended a while ago and are stored. */
  takeEnded(nowMs: number): CallState[] {
    return this.#ended.take(nowMs, (call) => !this.#changes.isTouched(call));
  }

  clockStepped(byMs: number): void {
    this.#ended.clockStepped(byMs);
  }

  #noteMerge(merge: Merge | undefined, atMs: number): void {
    if (merge === undefined) return;
    this.#changes.addMerge(merge);
    // The other call may have ended before and now has a later end.
    const into = this.#calls.get(merge.intoLinkedid);
    if (into !== undefined) this.#ended.note(into, atMs);
  }
}
