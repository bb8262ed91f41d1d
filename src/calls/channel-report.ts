import type { ChannelCodecs, RtpCounters } from '../model/event.ts';
import type { IntervalRecord, SegmentRecord } from '../model/record.ts';
import {
  directionMeasuredBy,
  directionSentBy,
  type ReportBlock,
  type Reporter,
  type RtcpReport,
  type SenderInfo,
} from '../model/report.ts';
import { DEAD_OPINION } from '../score/mes.ts';
import { roundTripSample } from '../stats/round-trip.ts';
import { channelScores, directionMes, segmentRecord } from './channel-record.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';
import { type ReportContext, takeReport } from './direction-report.ts';
import { type DirectionState, noteCodec, noteRoundTrip, noteSender } from './direction-state.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { roundTripsOf } from './tally.ts';

/** Local report intervals without a local report after which the remote sender's word stands alone. */
const SILENT_PACES = 2;

export interface TakenReport {
  /** One for the report; a second one when it also shows that nothing of what the sender sends arrives here. */
  readonly intervals: readonly IntervalRecord[];
  /** Segments that the report closed. */
  readonly closed: readonly SegmentRecord[];
  readonly isRoundTripRefused: boolean;
}

/**
 * Takes one RTCP report into its channel. Its report block speaks of one direction, its sender part of the other, its
 * round trip of both: so both directions may have a new score. `localPaceMs`: how often we report ourselves.
 */
export function takeRtcp(
  channel: ChannelState,
  report: RtcpReport,
  atMs: number,
  localPaceMs: number,
  rules: ScoringRules,
): TakenReport {
  const sent = channel[directionSentBy(report.reporter)];
  const { clockRateHz } = sent;
  const roundTrip = roundTripSample(report, roundTripsOf(channel.rx.total));
  const isRoundTripRefused = roundTrip === 'refused';
  if (isRoundTripRefused) channel.rttRefused++;
  const rttSampleMs = typeof roundTrip === 'object' ? roundTrip.rttMs : null;

  const closed: SegmentRecord[] = [];
  const onSegmentEnd = (state: DirectionState): void => void closed.push(segmentRecord(channel, state, rules));
  const { reporter, sender = null, block = null, nativeMes100 = null } = report;
  const inputs = { reporter, sender, block, rttSampleMs, nativeMes100, atMs };
  const intervals = [takeInputs(channel, inputs, rules, onSegmentEnd)];
  if (sender !== null && reporter === 'remote' && isLocallySilent(channel, atMs, SILENT_PACES * localPaceMs)) {
    intervals.push(takeSilence(channel, atMs, rules, onSegmentEnd));
  }
  const isClockNew = sent.clockRateHz !== clockRateHz;
  channel.scores = scoresAfter(channel, intervals, rttSampleMs !== null || isClockNew, rules);
  return { intervals, closed, isRoundTripRefused };
}

/** What is taken of a report, all of which its interval tells again. */
export interface ReportInputs {
  readonly reporter: Reporter;
  readonly sender: SenderInfo | null;
  readonly block: ReportBlock | null;
  readonly rttSampleMs: number | null;
  readonly nativeMes100: number | null;
  readonly atMs: number;
}

type OnSegmentEnd = ReportContext['onSegmentEnd'];

/** Takes a report into both directions, as far as an interval of its own tells it again. */
export function takeInputs(
  channel: ChannelState,
  inputs: ReportInputs,
  rules: ScoringRules,
  onSegmentEnd: OnSegmentEnd,
): IntervalRecord {
  const { reporter, sender, block, rttSampleMs, atMs } = inputs;
  channel.rtcpEvents++;
  if (sender !== null) noteSender(channel[directionSentBy(reporter)], sender, atMs);
  if (reporter === 'remote') channel.lastReceivedAtMs = atMs;
  // Only reports of the far end bring one: those about tx, which note it for that direction themselves.
  if (rttSampleMs !== null) noteRoundTrip(channel.rx, rttSampleMs);
  const context = contextOf(channel, inputs, rules, onSegmentEnd);
  return takeReport(channel[directionMeasuredBy(reporter)], reporter, block, context);
}

/** The far end sends, by its own word, and nothing of it is heard here. */
export function takeSilence(
  channel: ChannelState,
  atMs: number,
  rules: ScoringRules,
  onSegmentEnd: OnSegmentEnd,
): IntervalRecord {
  const nothing = { sender: null, rttSampleMs: null, nativeMes100: null };
  return takeReport(channel.rx, 'remote', null, contextOf(channel, { ...nothing, atMs }, rules, onSegmentEnd));
}

function contextOf(
  channel: ChannelState,
  { sender, rttSampleMs, nativeMes100, atMs }: Omit<ReportInputs, 'reporter' | 'block'>,
  rules: ScoringRules,
  onSegmentEnd: OnSegmentEnd,
): ReportContext {
  return {
    uniqueid: channel.uniqueid,
    channelReportNumber: reportsOf(channel) + 1,
    atMs,
    rules,
    rttSampleMs,
    nativeMes100,
    sender,
    mayBeSilent: channel.onHold || channel.answeredAtMs === null,
    upSinceMs: channel.answeredAtMs,
    joinedLate: channel.joinedLate,
    onSegmentEnd,
  };
}

/** A report scores its own direction; the other one has a new score only when the round trip or its clock has changed. */
function scoresAfter(
  channel: ChannelState,
  intervals: readonly IntervalRecord[],
  isOtherNew: boolean,
  rules: ScoringRules,
): ChannelScores {
  let { mesRx, mesTx } = channel.scores;
  const reported = intervals[0]?.direction;
  if (isOtherNew && reported === 'tx') mesRx = directionMes(channel.rx, rules);
  if (isOtherNew && reported === 'rx') mesTx = directionMes(channel.tx, rules);
  for (const { direction, mesRunning } of intervals) {
    if (direction === 'rx') mesRx = mesRunning;
    else mesTx = mesRunning;
  }
  return { mesRx, mesTx };
}

function reportsOf({ rx, tx }: ChannelState): number {
  return rx.total.reports + tx.total.reports;
}

/** Where nothing was ever received and nothing is sent, Asterisk sends no reports: then only the far end tells that it is sending. */
function isLocallySilent(channel: ChannelState, atMs: number, forMs: number): boolean {
  if (channel.onHold || channel.answeredAtMs === null) return false;
  const lastReportAtMs = channel.rx.markAtMs ?? channel.watchedSinceMs;
  return atMs - Math.max(lastReportAtMs, channel.watchedSinceMs) >= forMs;
}

/**
 * Asterisk's own counters at the end of a channel. When they say that not one packet came in while ours went out, and no
 * report ever said so, the direction is dead all the same. Without packets in either direction there is no telling: the
 * media may have gone past us.
 */
export function takeFinalCounters(
  channel: ChannelState,
  counters: RtpCounters,
  nowMs: number,
  localPaceMs: number,
  rules: ScoringRules,
): void {
  noteCounters(channel, counters, nowMs);
  const { rx, tx } = channel;
  const sentSome = tx.total.mediaReports > 0 || (channel.counters.txPackets ?? 0) > 0;
  const gotNothing = channel.counters.rxPackets === 0 && rx.total.mediaReports + rx.total.deadReports === 0;
  // A far end that reported what it received had at least one interval of its own to be heard in.
  const silentForMs = tx.total.mediaReports > 0 ? 0 : SILENT_PACES * localPaceMs;
  if (!gotNothing || !sentSome || !isLocallySilent(channel, nowMs, silentForMs)) return;
  rx.total.deadReports++;
  rx.total.mesMin = DEAD_OPINION;
  channel.scores = channelScores(channel, rules);
}

/** A re-INVITE may bring other codecs, and no event tells of it: Asterisk is asked with every report at its usual pace of 5 s. */
const CODECS_EVERY_MS = 4000;

/** Whether Asterisk is to be asked for the codecs now: at the first report, at the first of each new RTP session, and then at a steady pace. */
export function noteCodecQuestion(channel: ChannelState, isNewSession: boolean, atMs: number): boolean {
  const { codecsAskedAtMs: lastMs } = channel;
  if (!isNewSession && lastMs !== null && atMs - lastMs < CODECS_EVERY_MS) return false;
  channel.codecsAskedAtMs = atMs;
  return true;
}

/** Asterisk told the codecs of a channel. Returns whether that is news. */
export function noteCodecs(channel: ChannelState, codecs: ChannelCodecs, atMs: number, rules: ScoringRules): boolean {
  const news = [noteCodec(channel.rx, codecs.rx, atMs), noteCodec(channel.tx, codecs.tx, atMs)];
  if (!news.includes(true)) return false;
  channel.scores = channelScores(channel, rules);
  return true;
}

/** Part of the packets of a call that may pass here before a native bridge sends the rest directly. */
const PASSING_RATIO = 0.1;
/** Shorter calls may not have got beyond that. */
const LONG_ENOUGH_MS = 10_000;
const USUAL_PACKETS_PER_MS = 0.05;

/** Asterisk told a channel's counters, whoever asked for them; at its end they also tell whether the audio went past us. */
export function noteCounters(channel: ChannelState, counters: RtpCounters, nowMs: number): void {
  channel.counters = { ...channel.counters, ...counters };
  channel.wentPastUs = wentPastUs(channel, channel.endedAtMs ?? nowMs);
}

/** Whether the parties sent their audio to each other (direct media), from what is known at the end. */
function wentPastUs(channel: ChannelState, nowMs: number): boolean {
  const { rxPackets, txPackets } = channel.counters;
  if (channel.answeredAtMs === null || rxPackets === undefined || txPackets === undefined) return false;
  const upMs = nowMs - channel.answeredAtMs;
  const few = upMs * USUAL_PACKETS_PER_MS * PASSING_RATIO;
  return channel.wasBridgedNatively && upMs >= LONG_ENOUGH_MS && rxPackets < few && txPackets < few;
}
