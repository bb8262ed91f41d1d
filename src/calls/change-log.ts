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
  /** Those of them that the history has never been told of. */
  readonly #newChannels = new Set<ChannelState>();
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

  /** Likewise, of a channel that was not there before. */
  touchNew(channel: ChannelState): void {
    this.#newChannels.add(channel);
    this.touch(channel);
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

  get hasNewChannels(): boolean {
    return this.#newChannels.size > 0;
  }

  /** Everything. */
  drain(rules: ScoringRules, recordOf: (channel: ChannelState) => ChannelRecord): HistoryChange[] {
    const changes = this.#inOrder;
    this.#inOrder = [];
    for (const channel of this.#channels)
      changes.push(...channelChanges(channel, this.#isOver(channel), rules, recordOf));
    for (const call of this.#touchedCalls) changes.push({ kind: 'call', call: callRecord(call, rules) });
    this.#channels.clear();
    this.#newChannels.clear();
    this.#touchedCalls.clear();
    return changes;
  }

  /**
   * Only channels that the history was never told of, their intervals and their calls. A state counts its reports: were it
   * stored before them, a crash in between would lose them.
   */
  drainNew(rules: ScoringRules, recordOf: (channel: ChannelState) => ChannelRecord): HistoryChange[] {
    const uniqueids = new Set(Array.from(this.#newChannels, ({ uniqueid }) => uniqueid));
    const isTheirs = (change: HistoryChange): boolean =>
      (change.kind === 'interval' && uniqueids.has(change.interval.uniqueid)) ||
      (change.kind === 'segment' && uniqueids.has(change.segment.uniqueid));
    const changes = this.#inOrder.filter(isTheirs);
    this.#inOrder = this.#inOrder.filter((change) => !isTheirs(change));
    const calls = new Set<CallState>();
    for (const channel of this.#newChannels) {
      changes.push(...channelChanges(channel, this.#isOver(channel), rules, recordOf));
      this.#channels.delete(channel);
      const call = this.#calls.get(channel.linkedid);
      if (call !== undefined) calls.add(call);
    }
    for (const call of calls) {
      changes.push({ kind: 'call', call: callRecord(call, rules) });
      this.#touchedCalls.delete(call);
    }
    this.#newChannels.clear();
    return changes;
  }

  #isOver({ linkedid }: ChannelState): boolean {
    return this.#calls.get(linkedid)?.endedAtMs !== null;
  }
}

/** `isOver`: so is its whole call, and nothing will be gone on with. */
function channelChanges(
  channel: ChannelState,
  isOver: boolean,
  rules: ScoringRules,
  recordOf: (channel: ChannelState) => ChannelRecord,
): HistoryChange[] {
  const changes: HistoryChange[] = [
    { kind: 'channel', channel: recordOf(channel), resume: isOver ? null : writeResume(channel) },
  ];
  for (const state of [channel.rx, channel.tx]) {
    if (segmentTally(state).reports > 0)
      changes.push({ kind: 'segment', segment: segmentRecord(channel, state, rules) });
  }
  return changes;
}
