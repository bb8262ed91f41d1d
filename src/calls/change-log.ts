import type { HistoryChange, IntervalRecord, SegmentRecord } from '../model/record.ts';
import { type LinkedCalls, callRecord, type Merge } from './linked-calls.ts';
import type { CallState } from './call-state.ts';
import { channelTotals, segmentRecord } from './channels/channel-record.ts';
import type { ChannelViews } from './channels/channel-views.ts';
import { type ChannelState, isLive } from './channels/channel-state.ts';
import { segmentTally } from './directions/direction-state.ts';
import { writeResume } from './again/resume.ts';
import type { ScoringRules } from './scoring-rules.ts';

/**
 * How often a channel with new reports, and no other change, has its scores stored: within 5 s, commit included. Its reports are
 * stored at once.
 */
const ROUND_MS = 4500;
/**
 * How often all of a channel is stored, with the state from which scoring goes on after a restart. Reports that came later are
 * then counted again.
 */
const STATE_EVERY_MS = 60_000;

/** What has changed since the last `drain`: closed segments and merges in their order, then channels and calls, each once. */
export class ChangeLog {
  readonly #calls: LinkedCalls;
  #inOrder: HistoryChange[] = [];
  #firstIntervals: HistoryChange[] = [];
  readonly #channels = new Set<ChannelState>();
  readonly #touchedCalls = new Set<CallState>();
  /**
   * Goes through all calls, some at each `drain`, for channels that have only new scores. Calls come in the order in which they
   * began, which is that of their rows, so that each page of the database is written once a round.
   */
  #round: Iterator<CallState>;
  #drainedAtMs = Number.NEGATIVE_INFINITY;
  /** Channels that look different since somebody last asked. A channel's `shownTurn` tells whether it is listed already. */
  #shown: ChannelState[] = [];
  #shownTurn = 0;

  constructor(calls: LinkedCalls) {
    this.#calls = calls;
    this.#round = calls.all();
  }

  /** The channel and its call have to be stored anew. */
  touch(channel: ChannelState): void {
    this.#channels.add(channel);
    this.#show(channel);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#touchedCalls.add(call);
  }

  /** The channel's change follows from its stored reports, or soon changes again, so it is stored later. */
  touchLater(channel: ChannelState): void {
    if (!isLive(channel)) return this.touch(channel);
    this.#show(channel);
    channel.published.hasNewScores = true;
    channel.published.hasNewReports = true;
  }

  touchCall(call: CallState): void {
    this.#touchedCalls.add(call);
  }

  /**
   * Keeps an interval until its channel is stored; false: the channel is stored already. If the sidecar were killed in between, a
   * stored interval would have no channel, and the channel, found anew, would number its reports from 1 again.
   */
  keepsBack(channel: ChannelState, interval: IntervalRecord): boolean {
    if (channel.published.storedAtMs !== Number.NEGATIVE_INFINITY) return false;
    this.#firstIntervals.push({ kind: 'interval', interval });
    return true;
  }

  addSegment(segment: SegmentRecord): void {
    this.#inOrder.push({ kind: 'segment', segment });
  }

  addMerge(merge: Merge): void {
    for (const call of this.#touchedCalls) if (call.linkedid === merge.fromLinkedid) this.#touchedCalls.delete(call);
    this.#inOrder.push({ kind: 'call-merged', ...merge });
    for (const channel of this.#calls.get(merge.intoLinkedid)?.channels ?? []) this.touch(channel);
  }

  /** The next `drain` stores these channels as they are now, before later changes. `call`: these are all of its channels. */
  storeFirst(
    channels: readonly ChannelState[],
    call: CallState | undefined,
    rules: ScoringRules,
    views: ChannelViews,
  ): void {
    for (const channel of channels) {
      if (this.#channels.delete(channel))
        this.#inOrder.push(...channelChanges(channel, this.#isOver(channel), rules, views));
    }
    if (call !== undefined && this.#touchedCalls.delete(call))
      this.#inOrder.push({ kind: 'call', call: callRecord(call, rules) });
  }

  isTouched(call: CallState): boolean {
    return this.#touchedCalls.has(call);
  }

  /** What is due by `nowMs`: each call with something due, and all its channels that have changed. */
  drain(rules: ScoringRules, views: ChannelViews, nowMs: number): HistoryChange[] {
    const changes = this.#inOrder;
    this.#inOrder = [];
    for (const call of new Set([...this.#touchedCalls, ...this.#nextOfRound(nowMs)])) {
      const channels = this.#takeNewScores(call, nowMs);
      if (channels.length > 0) changes.push({ kind: 'scores', scores: views.callScores(call, channels) });
    }
    // The last state stored is final.
    const storedAtMs = nowMs === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : nowMs;
    for (const channel of this.#channels) {
      channel.published.hasNewScores = false;
      channel.published.hasNewReports = false;
      channel.published.storedAtMs = storedAtMs;
      changes.push(...channelChanges(channel, this.#isOver(channel), rules, views));
    }
    for (const call of this.#touchedCalls) changes.push({ kind: 'call', call: callRecord(call, rules) });
    changes.push(...this.#firstIntervals);
    this.#firstIntervals = [];
    this.#channels.clear();
    this.#touchedCalls.clear();
    return changes;
  }

  /** The channels that look different since the last time; none while nobody `isWatching`. */
  takeShown(isWatching: boolean): ChannelState[] {
    const shown = this.#shown;
    this.#shown = [];
    this.#shownTurn++;
    return isWatching ? shown : [];
  }

  #show(channel: ChannelState): void {
    if (channel.published.shownTurn === this.#shownTurn) return;
    channel.published.shownTurn = this.#shownTurn;
    this.#shown.push(channel);
  }

  /** The next calls of the round: as large a part of all as the time since the last `drain` is of a round. */
  #nextOfRound(nowMs: number): CallState[] {
    if (nowMs === Number.POSITIVE_INFINITY) return [...this.#calls.all()];
    const { size } = this.#calls;
    const count = Math.min(size, Math.ceil((size * (nowMs - this.#drainedAtMs)) / ROUND_MS));
    this.#drainedAtMs = nowMs;
    const next: CallState[] = [];
    while (next.length < count) {
      const { done, value } = this.#round.next();
      if (done === true) this.#round = this.#calls.all();
      else next.push(value);
    }
    return next;
  }

  /** The call's channels that have only new scores. Those that have to be stored whole are touched. */
  #takeNewScores(call: CallState, nowMs: number): ChannelState[] {
    const channels: ChannelState[] = [];
    for (const channel of call.channels) {
      const { hasNewScores, hasNewReports, storedAtMs } = channel.published;
      if (this.#channels.has(channel)) continue;
      if (hasNewReports && nowMs - storedAtMs >= STATE_EVERY_MS) this.touch(channel);
      else if (hasNewScores) channels.push(channel);
      channel.published.hasNewScores = false;
    }
    return channels;
  }

  #isOver({ linkedid }: ChannelState): boolean {
    return this.#calls.get(linkedid)?.endedAtMs !== null;
  }
}

/** `isOver`: the whole call is over, so nothing will go on from the state. */
function channelChanges(
  channel: ChannelState,
  isOver: boolean,
  rules: ScoringRules,
  views: ChannelViews,
): HistoryChange[] {
  const totals = channelTotals(channel, rules);
  const changes: HistoryChange[] = [
    { kind: 'channel', channel: views.record(channel, totals), resume: isOver ? null : writeResume(channel) },
  ];
  for (const state of [channel.rx, channel.tx]) {
    if (segmentTally(state).reports > 0)
      changes.push({ kind: 'segment', segment: segmentRecord(channel, state, rules, totals) });
  }
  return changes;
}
