import type { ChannelRecord, HistoryChange, SegmentRecord } from '../model/record.ts';
import { type CallBook, callRecord, type CallState, type Merge } from './call-book.ts';
import { type ChannelTotals, channelTotals, segmentRecord } from './channel-record.ts';
import { type ChannelState, isLive } from './channel-state.ts';
import { segmentTally } from './direction-state.ts';
import { writeResume } from './resume.ts';
import type { ScoringRules } from './scoring-rules.ts';

/**
 * Of a channel of which nothing but new reports is told, the state is stored so often; its reports are stored at once, and
 * a restart makes the state up from them.
 */
const LATER_MS = 60_000;

type RecordOf = (channel: ChannelState, totals: ChannelTotals) => ChannelRecord;

/** What has changed since the history was last told: closed segments and merges in order, then channels and calls once each. */
export class ChangeLog {
  readonly #calls: CallBook;
  #inOrder: HistoryChange[] = [];
  readonly #channels = new Set<ChannelState>();
  /** One of them was never stored. */
  hasNewChannel = false;
  readonly #touchedCalls = new Set<CallState>();
  /** Channels that are to be stored some time, in order of it. */
  readonly #dueAtMs = new Map<ChannelState, number>();
  /** Channels that look different since somebody last asked; each knows by its `shownTurn` whether it is in here. */
  #shown: ChannelState[] = [];
  #shownTurn = 0;

  constructor(calls: CallBook) {
    this.#calls = calls;
  }

  /** The channel, and with it its call, must be stored anew. */
  touch(channel: ChannelState): void {
    this.#channels.add(channel);
    this.#show(channel);
    this.#dueAtMs.delete(channel);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#touchedCalls.add(call);
  }

  /** Likewise, of a channel that was not there before. */
  touchNew(channel: ChannelState): void {
    this.hasNewChannel = true;
    this.touch(channel);
  }

  /** What has changed can be told from the channel's stored reports, or is told again soon: it need not be stored yet. */
  touchLater(channel: ChannelState, nowMs: number): void {
    if (!isLive(channel)) return this.touch(channel);
    this.#show(channel);
    if (!this.#channels.has(channel) && !this.#dueAtMs.has(channel)) this.#dueAtMs.set(channel, nowMs + LATER_MS);
  }

  touchCall(call: CallState): void {
    this.#touchedCalls.add(call);
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

  /** What was to be stored later is to be stored now, of those channels. */
  bringForward(channels: Iterable<ChannelState> = this.#dueAtMs.keys()): void {
    for (const channel of channels) if (this.#dueAtMs.has(channel)) this.touch(channel);
  }

  /** Everything but what may be stored later; with `onlyEnded`, channels and calls only of calls that are over. */
  drain(rules: ScoringRules, recordOf: RecordOf, nowMs: number, onlyEnded: boolean): HistoryChange[] {
    for (const [channel, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > nowMs) break;
      this.touch(channel);
    }
    const changes = this.#inOrder;
    this.#inOrder = [];
    for (const channel of this.#channels) {
      const isOver = this.#isOver(channel);
      if (onlyEnded && !isOver) continue;
      this.#channels.delete(channel);
      changes.push(...channelChanges(channel, isOver, rules, recordOf));
    }
    for (const call of this.#touchedCalls) {
      if (onlyEnded && call.endedAtMs === null) continue;
      this.#touchedCalls.delete(call);
      changes.push({ kind: 'call', call: callRecord(call, rules) });
    }
    this.hasNewChannel &&= this.#channels.size > 0;
    return changes;
  }

  /** The channels that look different since the last time; none when nobody `isWatching`. */
  takeShown(isWatching: boolean): ChannelState[] {
    const shown = this.#shown;
    this.#shown = [];
    this.#shownTurn++;
    return isWatching ? shown : [];
  }

  #show(channel: ChannelState): void {
    if (channel.told.shownTurn === this.#shownTurn) return;
    channel.told.shownTurn = this.#shownTurn;
    this.#shown.push(channel);
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
  recordOf: RecordOf,
): HistoryChange[] {
  const totals = channelTotals(channel, rules);
  const changes: HistoryChange[] = [
    { kind: 'channel', channel: recordOf(channel, totals), resume: isOver ? null : writeResume(channel) },
  ];
  for (const state of [channel.rx, channel.tx]) {
    if (segmentTally(state).reports > 0)
      changes.push({ kind: 'segment', segment: segmentRecord(channel, state, rules, totals) });
  }
  return changes;
}
