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

/** After so many intervals without a report of ours, the far end's report of what it sends counts alone. */
const SILENT_PACES = 2;
/** Our report may come this much later than the far end's of the same moment. */
const ON_ITS_WAY_MS = 1000;

export interface TakenReport {
  readonly interval: IntervalRecord;
  /** A second interval, where the report also shows that nothing of what the sender sends arrives here; otherwise null. */
  readonly silence: IntervalRecord | null;
  /** Segments that the report closed. */
  readonly closed: readonly SegmentRecord[];
  readonly isRoundTripRefused: boolean;
}

/**
 * Takes one RTCP report into its channel. Its report block is about one direction, its sender part about the other, its round
 * trip about both, so both may have a new score. `slowestPaceMs`: the slowest pace of our own reports on all channels.
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
  const { clockRateHz, doubted, digitsToldAtMs } = sent;
  // The round trip is calculated from the same block. If the block is about another stream, the round trip is wrong, too.
  const part = { reporter, block: report.block ?? null, hasMoreBlocks: report.hasMoreBlocks ?? false };
  const isUsed = subjectIn(channel, part) === 'ours';
  const roundTrip = roundTripSample(report, roundTripsOf(channel.rx.total), isUsed);
  const isRoundTripRefused = roundTrip === 'refused';
  if (isRoundTripRefused) channel.rttRefused++;
  const rttSampleMs = typeof roundTrip === 'object' ? roundTrip.rttMs : null;

  const closed: SegmentRecord[] = [];
  const inputs = { sender, senderSsrc, rttSampleMs, nativeMes100, atMs, ...capturedInstead(channel, part) };
  const interval = takeInputs(channel, inputs, rules, closed);
  const isSilent =
    sender !== null && reporter === 'remote' && isLocallySilent(channel, atMs, overdueAfterMs(channel, slowestPaceMs));
  const silence = isSilent ? takeSilence(channel, atMs, rules, closed) : null;
  // The sender's count may have decided whether digits made its jitter.
  const isJitterKnown = sent.doubted !== doubted || sent.digitsToldAtMs !== digitsToldAtMs;
  const isOtherNew = rttSampleMs !== null || sent.clockRateHz !== clockRateHz || isJitterKnown;
  channel.scores = scoresAfter(channel, interval, silence, isOtherNew, rules);
  return { interval, silence, closed, isRoundTripRefused };
}

/** Takes a report into both directions, as far as its stored interval contains it. Adds to `closed` as `takeReport` does. */
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
  // Only far-end reports, which are about tx, bring a round trip, and `takeReport` notes it for tx.
  if (rttSampleMs !== null) noteRoundTrip(channel.rx, rttSampleMs);
  const subject = subjectIn(channel, inputs);
  return takeReport(channel, channel[directionMeasuredBy(reporter)], subject, inputs, rules, closed);
}

/** What a report says, and who reports. */
type ReportPart = Pick<ReportInputs, 'reporter' | 'block' | 'hasMoreBlocks'>;

/**
 * Where AMI shows a block about another stream, takes the block about ours from the captured packet, if a new one was captured.
 * One that was captured before AMI's last report is of that report or older.
 */
function capturedInstead(channel: ChannelState, part: ReportPart): ReportPart {
  const { published, tx } = channel;
  const captured = published.capturedReport;
  if (captured === null || captured.block.sourceSsrc !== (tx.sentSsrc ?? captured.block.sourceSsrc)) return part;
  const subject = subjectIn(channel, part);
  const lastAtMs = Math.max(tx.capturedReportAtMs ?? 0, tx.reportedAtMs ?? 0);
  if ((subject !== 'another' && subject !== 'unsure') || captured.atMs <= lastAtMs) return part;
  tx.capturedReportAtMs = captured.atMs;
  return { ...part, block: captured.block, hasMoreBlocks: false };
}

/** Our own measurements are always about the stream that we receive, whatever its SSRC. */
function subjectIn({ rx, tx }: ChannelState, { reporter, block, hasMoreBlocks }: ReportPart): ReportSubject {
  if (block === null) return 'ours';
  if (reporter === 'remote') return subjectOf(tx, block, hasMoreBlocks);
  return hasForgotten(rx, block) ? 'nobody' : 'ours';
}

/** The far end reports that it sends, and nothing of it arrives here. Adds to `closed` as `takeReport` does. */
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

/** A report changes the score of its own direction. The other direction's changes only with the round trip or the clock rate. */
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
  // A silence is about rx, so its score is the newest one of rx.
  if (silence !== null) return joinOutcomes(directionOutcome(channel, rx, rules, silence.mesRunning), txNow);
  const rxBefore: DirectionOutcome = { mes: scores.mesRx, word: scores.wordRx };
  return joinOutcomes(isOtherNew ? directionOutcome(channel, rx, rules) : rxBefore, txNow);
}

/**
 * Whether our own reports have been missing for `forMs`. Asterisk sends none where it never received and does not send anything;
 * then only the far end tells that it is sending.
 */
function isLocallySilent(channel: ChannelState, atMs: number, forMs: number): boolean {
  if (channel.onHold || channel.answeredAtMs === null) return false;
  const lastReportAtMs = channel.rx.markAtMs ?? channel.watchedSinceMs;
  return atMs - Math.max(lastReportAtMs, channel.watchedSinceMs) >= forMs;
}

/**
 * After how long without a report of ours one is overdue, ms. Once Asterisk has reported on a channel that is not on hold, or has
 * sent packets that the far end received, it reports whether packets come or not. Only its `rtcpinterval`, up to a minute,
 * explains a longer gap. What a native bridge forwards starts no reports (seen on 16.28 and 22.10).
 */
function overdueAfterMs(channel: ChannelState, slowestPaceMs: number): number {
  const { rx, tx, watchedSinceMs } = channel;
  // The direction is silent already, so each far-end report stands for one more interval.
  if (rx.deadSinceMs !== null && rx.markAtMs !== null && (rx.reportedAtMs ?? 0) < rx.markAtMs) return 0;
  const ownPaceMs = rx.paceMs ?? 0;
  const hasReported = rx.reportedAtMs !== null && rx.reportedAtMs > watchedSinceMs;
  const mayForward = channel.bridgeId !== null || channel.wasBridgedNatively;
  const mustReport = hasReported || (tx.total.mediaReports > 0 && !mayForward);
  const slowestMs = mustReport ? LONGEST_REPORT_PACE_MS : Math.max(USUAL_REPORT_PACE_MS, slowestPaceMs);
  return SILENT_PACES * Math.max(ownPaceMs, slowestMs) + ON_ITS_WAY_MS;
}

/**
 * Takes Asterisk's own counters at the end of a channel. If they say that ours went out and not one packet came in, the direction
 * is dead even without a report that said so. Without packets in either direction nobody can tell: the media may have gone past
 * us.
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
  // A far end that has reported what it received had at least one interval in which we could hear it.
  const silentForMs = tx.total.mediaReports > 0 ? 0 : SILENT_PACES * (rx.paceMs ?? USUAL_REPORT_PACE_MS);
  if (!gotNothing || !sentSome || !isLocallySilent(channel, nowMs, silentForMs)) return;
  rx.total.deadReports++;
  rx.total.mesMin = DEAD_OPINION;
  channel.scores = channelScores(channel, rules);
}

/** A re-INVITE may bring other codecs, and no event tells. So Asterisk is asked with every report, at the usual pace of 5 s. */
const CODECS_EVERY_MS = 4000;
/** With many channels that would be as many questions as reports, so they take turns: fifty a second. */
const CODECS_TURN_MS = 20;

/**
 * Whether to ask Asterisk for the codecs now: at the first report, at the first of each new RTP session, and then at a steady
 * pace, which is slower with more than 200 `channels`.
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

/** Takes the codecs that Asterisk names for a channel. Returns whether they differ from those known before. */
export function noteCodecs(channel: ChannelState, codecs: ChannelCodecs, atMs: number, rules: ScoringRules): boolean {
  const news = [noteCodec(channel.rx, codecs.rx, atMs), noteCodec(channel.tx, codecs.tx, atMs)];
  if (!news.includes(true)) return false;
  channel.scores = channelScores(channel, rules);
  return true;
}

/** Up to this part of a call's packets may pass here before a native bridge sends the rest directly. */
const PASSING_RATIO = 0.1;
/** A shorter call may still have been in that phase. */
const LONG_ENOUGH_MS = 10_000;
const USUAL_PACKETS_PER_MS = 0.05;

/** Takes Asterisk's own counters of a channel. At its end they also show whether the audio went past this server. */
export function noteCounters(channel: ChannelState, counters: RtpCounters, nowMs: number): void {
  channel.counters = { ...channel.counters, ...counters };
  channel.wentPastUs = wentPastUs(channel, channel.endedAtMs ?? nowMs);
}

/** Whether the parties sent their audio to each other (direct media), judged at the end of the channel. */
function wentPastUs(channel: ChannelState, nowMs: number): boolean {
  const { rxPackets, txPackets } = channel.counters;
  if (channel.answeredAtMs === null || rxPackets === undefined || txPackets === undefined) return false;
  const upMs = nowMs - channel.answeredAtMs;
  const few = upMs * USUAL_PACKETS_PER_MS * PASSING_RATIO;
  return channel.wasBridgedNatively && upMs >= LONG_ENOUGH_MS && rxPackets < few && txPackets < few;
}
