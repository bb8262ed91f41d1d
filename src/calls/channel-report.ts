import type { RtpCounters } from '../model/event.ts';
import type { IntervalRecord } from '../model/record.ts';
import { directionMeasuredBy, directionSentBy, type RtcpReport } from '../model/report.ts';
import { DEAD_OPINION } from '../score/mes.ts';
import { codecClockRateHz } from '../score/codec-clock.ts';
import { addSample } from '../stats/moments.ts';
import { roundTripSample } from '../stats/round-trip.ts';
import { channelScores, codecDelayMs, type ScoringRules } from './channel-record.ts';
import type { ChannelState } from './channel-state.ts';
import { type ReportContext, takeReport } from './direction-report.ts';
import { noteClockRate, noteSender } from './direction-state.ts';

/** Local report intervals without a local report after which the remote sender's word stands alone (formulas.md §1). */
const SILENT_PACES = 2;

export interface TakenReport {
  /** One for the report; a second one when it also shows that nothing of what the sender sends arrives here. */
  readonly intervals: readonly IntervalRecord[];
  readonly isRoundTripRefused: boolean;
}

/**
 * Takes one RTCP report into its channel. Its report block speaks of one direction, its sender part of the other, its
 * round trip of both: so the scores of both directions are computed anew. `localPaceMs`: how often we report ourselves.
 */
export function takeRtcp(
  channel: ChannelState,
  report: RtcpReport,
  atMs: number,
  localPaceMs: number,
  rules: ScoringRules,
): TakenReport {
  if (report.sender !== undefined) noteSender(channel[directionSentBy(report.reporter)], report.sender, atMs);

  const roundTrip = roundTripSample(report, channel.rttMs.count);
  const isRoundTripRefused = roundTrip === 'refused';
  if (isRoundTripRefused) channel.rttRefused++;
  const rttSampleMs = typeof roundTrip === 'object' ? roundTrip.rttMs : null;
  if (rttSampleMs !== null) channel.rttMs = addSample(channel.rttMs, rttSampleMs);

  const direction = channel[directionMeasuredBy(report.reporter)];
  const context: ReportContext = {
    uniqueid: channel.uniqueid,
    atMs,
    profile: rules.profile,
    codecDelayMs: codecDelayMs(channel, rules),
    rttMs: channel.rttMs,
    rttSampleMs,
    nativeMes100: report.nativeMes100 ?? null,
    mayBeSilent: channel.onHold || channel.answeredAtMs === null,
    upSinceMs: channel.answeredAtMs,
    joinedLate: channel.joinedLate,
  };
  const intervals = [takeReport(direction, report.reporter, report.block ?? null, context)];
  if (report.sender !== undefined && report.reporter === 'remote' && isLocallySilent(channel, atMs, localPaceMs)) {
    intervals.push(takeReport(channel.rx, 'remote', null, { ...context, rttSampleMs: null, nativeMes100: null }));
  }
  channel.scores = channelScores(channel, rules);
  return { intervals, isRoundTripRefused };
}

/** Where nothing was ever received and nothing is sent, Asterisk sends no reports: then only the far end tells that it is sending. */
function isLocallySilent(channel: ChannelState, atMs: number, localPaceMs: number): boolean {
  if (channel.onHold || channel.answeredAtMs === null) return false;
  const lastReportAtMs = channel.rx.mark?.atMs ?? channel.watchedSinceMs;
  return atMs - Math.max(lastReportAtMs, channel.watchedSinceMs) >= SILENT_PACES * localPaceMs;
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
  channel.counters = { ...channel.counters, ...counters };
  const { rx, tx } = channel;
  const sentSome = tx.mediaReports > 0 || (channel.counters.txPackets ?? 0) > 0;
  const gotNothing = channel.counters.rxPackets === 0 && rx.mediaReports + rx.deadReports === 0;
  if (!gotNothing || !sentSome || !isLocallySilent(channel, nowMs, localPaceMs)) return;
  rx.deadReports++;
  rx.mesMin = DEAD_OPINION;
  channel.scores = channelScores(channel, rules);
}

/** Asterisk told the channel's codec: its clock serves until SRs show one, its delay enters the score. */
export function noteCodec(channel: ChannelState, codec: string, rules: ScoringRules): void {
  channel.codec = codec;
  const rateHz = codecClockRateHz(codec);
  if (rateHz !== undefined) {
    noteClockRate(channel.rx, rateHz, 'codec');
    noteClockRate(channel.tx, rateHz, 'codec');
  }
  channel.scores = channelScores(channel, rules);
}
