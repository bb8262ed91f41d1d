import type { ChannelCodecs, RtpCounters } from '../../model/event.ts';
import type { IntervalRecord, SegmentRecord } from '../../model/record.ts';
import { directionMeasuredBy, directionSentBy, type RtcpReport } from '../../model/report.ts';
import { DEAD_OPINION } from '../../score/mes.ts';
import { LONGEST_REPORT_PACE_MS, USUAL_REPORT_PACE_MS } from '../../stats/report-pace.ts';
import { roundTripSample } from '../../stats/round-trip.ts';
import { channelScores, type DirectionOutcome, directionOutcome, joinOutcomes } from './channel-record.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';
import { type ReportInputs, takeReport } from '../directions/direction-report.ts';
import { noteCodec, noteRoundTrip, noteSender } from '../directions/direction-state.ts';
import { hasForgotten, noteOwnSsrc, type ReportSubject, subjectOf } from '../directions/report-subject.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { roundTripsOf } from '../directions/tally.ts';

/** Intervals of our own reports without one after which the far end's word on what it sends stands alone. */
const SILENT_PACES = 2;
/** By so much one of ours may come after the far end's of the same moment. */
const ON_ITS_WAY_MS = 1000;

export interface TakenReport {
  readonly interval: IntervalRecord;
  /** A second one when the report also shows that nothing of what the sender sends arrives here, or else null. */
  readonly silence: IntervalRecord | null;
  /** Segments that the report closed. */
  readonly closed: readonly SegmentRecord[];
  readonly isRoundTripRefused: boolean;
}

/**
 * Takes one RTCP report into its channel. Its report block speaks of one direction, its sender part of the other, its
 * round trip of both: so both directions may have a new score. `slowestPaceMs`: of our own reports on all channels.
 */
export function takeRtcp(
  channel: ChannelState,
  report: RtcpReport,
  atMs: number,
  slowestPaceMs: number,
  rules: ScoringRules,
): TakenReport {
  const { reporter, sender = null, senderSsrc = null, nativeMes100 = null } = report;
  const sent = channel[directionSentBy(reporter)];
  const { clockRateHz } = sent;
  // A round trip is reckoned from the same block: of another stream it is as wrong as the rest.
  const told = { reporter, block: report.block ?? null, hasMoreBlocks: report.hasMoreBlocks ?? false };
  const isUsed = subjectIn(channel, told) === 'ours';
  const roundTrip = roundTripSample(report, roundTripsOf(channel.rx.total), isUsed);
  const isRoundTripRefused = roundTrip === 'refused';
  if (isRoundTripRefused) channel.rttRefused++;
  const rttSampleMs = typeof roundTrip === 'object' ? roundTrip.rttMs : null;

  const closed: SegmentRecord[] = [];
  const inputs = { sender, senderSsrc, rttSampleMs, nativeMes100, atMs, ...capturedInstead(channel, told) };
  const interval = takeInputs(channel, inputs, rules, closed);
  const isSilent =
    sender !== null && reporter === 'remote' && isLocallySilent(channel, atMs, overdueAfterMs(channel, slowestPaceMs));
  const silence = isSilent ? takeSilence(channel, atMs, rules, closed) : null;
  const isOtherNew = rttSampleMs !== null || sent.clockRateHz !== clockRateHz;
  channel.scores = scoresAfter(channel, interval, silence, isOtherNew, rules);
  return { interval, silence, closed, isRoundTripRefused };
}

/** Takes a report into both directions, as far as an interval of its own tells it again; adds to `closed` like `takeReport`. */
export function takeInputs(
  channel: ChannelState,
  inputs: ReportInputs,
  rules: ScoringRules,
  closed: SegmentRecord[],
): IntervalRecord {
  const { reporter, sender, senderSsrc, rttSampleMs, atMs } = inputs;
  channel.rtcpEvents++;
  if (sender !== null) noteSender(channel[directionSentBy(reporter)], sender, atMs);
  if (senderSsrc !== null) noteOwnSsrc(channel.tx, senderSsrc, atMs);
  if (reporter === 'remote') channel.lastReceivedAtMs = atMs;
  // Only reports of the far end bring one: those about tx, which note it for that direction themselves.
  if (rttSampleMs !== null) noteRoundTrip(channel.rx, rttSampleMs);
  const subject = subjectIn(channel, inputs);
  return takeReport(channel, channel[directionMeasuredBy(reporter)], subject, inputs, rules, closed);
}

/** What a report says, and who says it. */
type Told = Pick<ReportInputs, 'reporter' | 'block' | 'hasMoreBlocks'>;

/**
 * Where AMI shows a block about another stream, the one about ours out of the captured packet, if there is a new one. What was
 * captured before AMI's last report is of that one or older.
 */
function capturedInstead(channel: ChannelState, told: Told): Told {
  const { published, tx } = channel;
  const captured = published.capturedReport;
  if (captured === null || captured.block.sourceSsrc !== (tx.sentSsrc ?? captured.block.sourceSsrc)) return told;
  const subject = subjectIn(channel, told);
  const lastAtMs = Math.max(tx.capturedReportAtMs ?? 0, tx.reportedAtMs ?? 0);
  if ((subject !== 'another' && subject !== 'unsure') || captured.atMs <= lastAtMs) return told;
  tx.capturedReportAtMs = captured.atMs;
  return { ...told, block: captured.block, hasMoreBlocks: false };
}

/** What we measure ourselves is the stream that we receive, whatever its SSRC. */
function subjectIn({ rx, tx }: ChannelState, { reporter, block, hasMoreBlocks }: Told): ReportSubject {
  if (block === null) return 'ours';
  if (reporter === 'remote') return subjectOf(tx, block, hasMoreBlocks);
  return hasForgotten(rx, block) ? 'nobody' : 'ours';
}

/** The far end sends, by its own word, and nothing of it is heard here; adds to `closed` like `takeReport`. */
export function takeSilence(
  channel: ChannelState,
  atMs: number,
  rules: ScoringRules,
  closed: SegmentRecord[],
): IntervalRecord {
  const nothing = {
    sender: null,
    senderSsrc: null,
    block: null,
    hasMoreBlocks: false,
    rttSampleMs: null,
    nativeMes100: null,
  };
  return takeReport(channel, channel.rx, 'ours', { reporter: 'remote', ...nothing, atMs }, rules, closed);
}

/** A report scores its own direction; the other one has a new score only when the round trip or its clock has changed. */
function scoresAfter(
  channel: ChannelState,
  { direction, mesRunning }: IntervalRecord,
  silence: IntervalRecord | null,
  isOtherNew: boolean,
  rules: ScoringRules,
): ChannelScores {
  const { rx, tx, scores } = channel;
  if (direction === 'rx') {
    const txBefore: DirectionOutcome = { mes: scores.mesTx, word: scores.wordTx };
    return joinOutcomes(
      directionOutcome(channel, rx, rules, mesRunning),
      isOtherNew ? directionOutcome(channel, tx, rules) : txBefore,
    );
  }
  const txNow = directionOutcome(channel, tx, rules, mesRunning);
  // A silence is of rx: its score is the newest.
  if (silence !== null) return joinOutcomes(directionOutcome(channel, rx, rules, silence.mesRunning), txNow);
  const rxBefore: DirectionOutcome = { mes: scores.mesRx, word: scores.wordRx };
  return joinOutcomes(isOtherNew ? directionOutcome(channel, rx, rules) : rxBefore, txNow);
}

/** Where nothing was ever received and nothing is sent, Asterisk sends no reports: then only the far end tells that it is sending. */
function isLocallySilent(channel: ChannelState, atMs: number, forMs: number): boolean {
  if (channel.onHold || channel.answeredAtMs === null) return false;
  const lastReportAtMs = channel.rx.markAtMs ?? channel.watchedSinceMs;
  return atMs - Math.max(lastReportAtMs, channel.watchedSinceMs) >= forMs;
}

/**
 * After which time without a report of ours one is overdue. Once Asterisk has reported on a channel that is not on hold, or
 * has sent packets that the far end received, it reports whether packets come or not: only its `rtcpinterval` explains a
 * longer gap, and it may be a minute. What a native bridge forwards starts no reports (seen on 16.28 and 22.10).
 */
function overdueAfterMs(channel: ChannelState, slowestPaceMs: number): number {
  const { rx, tx, watchedSinceMs } = channel;
  // It is silent already: then each report of the far end tells of one more interval.
  if (rx.deadSinceMs !== null && rx.markAtMs !== null && (rx.reportedAtMs ?? 0) < rx.markAtMs) return 0;
  const ownPaceMs = rx.paceMs ?? 0;
  const hasReported = rx.reportedAtMs !== null && rx.reportedAtMs > watchedSinceMs;
  const mayForward = channel.bridgeId !== null || channel.wasBridgedNatively;
  const mustReport = hasReported || (tx.total.mediaReports > 0 && !mayForward);
  const slowestMs = mustReport ? LONGEST_REPORT_PACE_MS : Math.max(USUAL_REPORT_PACE_MS, slowestPaceMs);
  return SILENT_PACES * Math.max(ownPaceMs, slowestMs) + ON_ITS_WAY_MS;
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
  rules: ScoringRules,
): void {
  noteCounters(channel, counters, nowMs);
  const { rx, tx } = channel;
  const sentSome = tx.total.mediaReports > 0 || (channel.counters.txPackets ?? 0) > 0;
  const gotNothing = channel.counters.rxPackets === 0 && rx.total.mediaReports + rx.total.deadReports === 0;
  // A far end that reported what it received had at least one interval of its own to be heard in.
  const silentForMs = tx.total.mediaReports > 0 ? 0 : SILENT_PACES * (rx.paceMs ?? USUAL_REPORT_PACE_MS);
  if (!gotNothing || !sentSome || !isLocallySilent(channel, nowMs, silentForMs)) return;
  rx.total.deadReports++;
  rx.total.mesMin = DEAD_OPINION;
  channel.scores = channelScores(channel, rules);
}

/** A re-INVITE may bring other codecs, and no event tells of it: Asterisk is asked with every report at its usual pace of 5 s. */
const CODECS_EVERY_MS = 4000;
/** But with many channels that would be as many questions as reports: they take turns, fifty a second. */
const CODECS_TURN_MS = 20;

/**
 * Whether Asterisk is to be asked for the codecs now: at the first report, at the first of each new RTP session, and then at
 * a steady pace, which is slower with more than 200 `channels` (of all).
 */
export function noteCodecQuestion(
  channel: ChannelState,
  isNewSession: boolean,
  channels: number,
  atMs: number,
): boolean {
  const { codecsAskedAtMs: lastMs } = channel;
  const everyMs = Math.max(CODECS_EVERY_MS, CODECS_TURN_MS * channels);
  if (!isNewSession && lastMs !== null && atMs - lastMs < everyMs) return false;
  channel.codecsAskedAtMs = atMs;
  return true;
}

/** Takes in the codecs that Asterisk names for a channel. Returns whether they differ from what was known. */
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

/** Takes in Asterisk's own counters of a channel. At its end they also show whether the audio went past this server. */
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
