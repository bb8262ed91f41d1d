import type { ChannelRecord, HistoryChange, IntervalRecord, SegmentRecord } from '../model/record.ts';
import { type CallBook, callRecord, type CallState, type Merge } from './call-book.ts';
import { segmentRecord } from './channel-record.ts';
import type { ChannelState } from './channel-state.ts';
import { segmentTally } from './direction-state.ts';
import { writeResume } from './resume.ts';
import type { ScoringRules } from './scoring-rules.ts';

/** What has changed since the history was last told: intervals and merges in order, then channels and calls once each. */
export class ChangeLog {
  readonly #calls: CallBook;
  #inOrder: HistoryChange[] = [];
  readonly #channels = new Set<ChannelState>();
  readonly #touchedCalls = new Set<CallState>();

  constructor(calls: CallBook) {
    this.#calls = calls;
  }

  /** The channel, and with it its call, must be stored anew. */
  touch(channel: ChannelState): void {
    this.#channels.add(channel);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#touchedCalls.add(call);
  }

  touchCall(call: CallState): void {
    this.#touchedCalls.add(call);
  }

  addInterval(interval: IntervalRecord): void {
    this.#inOrder.push({ kind: 'interval', interval });
  }

  addSegment(segment: SegmentRecord): void {
    this.#inOrder.push({ kind: 'segment', segment });
  }

  addMerge(merge: Merge): void {
    for (const call of this.#touchedCalls) if (call.linkedid === merge.fromLinkedid) this.#touchedCalls.delete(call);
    this.#inOrder.push({ kind: 'call-merged', ...merge });
    for (const channel of this.#calls.get(merge.intoLinkedid)?.channels ?? []) this.touch(channel);
  }

  isTouched(call: CallState): boolean {
    return this.#touchedCalls.has(call);
  }

  drain(rules: ScoringRules, recordOf: (channel: ChannelState) => ChannelRecord): HistoryChange[] {
    const changes = this.#inOrder;
    this.#inOrder = [];
    for (const channel of this.#channels) {
      const isOver = this.#calls.get(channel.linkedid)?.endedAtMs !== null;
      changes.push({ kind: 'channel', channel: recordOf(channel), resume: isOver ? null : writeResume(channel) });
      for (const state of [channel.rx, channel.tx]) {
        if (segmentTally(state).reports > 0)
          changes.push({ kind: 'segment', segment: segmentRecord(channel, state, rules) });
      }
    }
    for (const call of this.#touchedCalls) changes.push({ kind: 'call', call: callRecord(call, rules) });
    this.#channels.clear();
    this.#touchedCalls.clear();
    return changes;
  }
}
