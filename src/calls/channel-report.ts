import type { IntervalRecord } from '../model/record.ts';
import { directionMeasuredBy, directionSentBy, type RtcpReport } from '../model/report.ts';
import { codecClockRateHz } from '../score/codec-clock.ts';
import { addSample } from '../stats/moments.ts';
import { roundTripSample } from '../stats/round-trip.ts';
import { channelScores, codecDelayMs, type ScoringRules } from './channel-record.ts';
import type { ChannelState } from './channel-state.ts';
import { takeReport } from './direction-report.ts';
import { noteClockRate, noteSender } from './direction-state.ts';

export interface TakenReport {
  readonly interval: IntervalRecord;
  readonly isRoundTripRefused: boolean;
}

/**
 * Takes one RTCP report into its channel. Its report block speaks of one direction, its sender part of the other, its
 * round trip of both: so the scores of both directions are computed anew.
 */
export function takeRtcp(channel: ChannelState, report: RtcpReport, atMs: number, rules: ScoringRules): TakenReport {
  if (report.sender !== undefined) noteSender(channel[directionSentBy(report.reporter)], report.sender, atMs);

  const roundTrip = roundTripSample(report, channel.rttMs.count);
  const isRoundTripRefused = roundTrip === 'refused';
  if (isRoundTripRefused) channel.rttRefused++;
  const rttSampleMs = typeof roundTrip === 'object' ? roundTrip.rttMs : null;
  if (rttSampleMs !== null) channel.rttMs = addSample(channel.rttMs, rttSampleMs);

  const direction = channel[directionMeasuredBy(report.reporter)];
  const interval = takeReport(direction, report.reporter, report.block ?? null, {
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
  });
  channel.scores = channelScores(channel, rules);
  return { interval, isRoundTripRefused };
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
