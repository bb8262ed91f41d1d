import type { ChannelRecord, SampleSummary, StreamRecord } from '../model/record.ts';
import type { MesProfile, VerdictThresholds } from '../model/score.ts';
import { OPINION_TO_100 } from '../score/opinion.ts';
import { type Moments, standardDeviation } from '../stats/moments.ts';
import { type ChannelScores, type ChannelState, endpointOf, type FinalView } from './channel-state.ts';
import { scoreDirection } from './direction-report.ts';
import { type DirectionState, jitterMs, lossPercent } from './direction-state.ts';
import { channelMes, explainDirection, judgeChannel, judgeDirection, worstInterval } from './judgement.ts';

/** By what a channel is scored and judged. */
export interface ScoringRules {
  readonly profile: MesProfile;
  readonly thresholds: VerdictThresholds;
  /** Delay of codecs that have one of their own, by Asterisk's codec name, ms. */
  readonly codecDelaysMs: ReadonlyMap<string, number>;
  /** Version of asterisk-mes. */
  readonly version: string;
}

export function codecDelayMs(channel: ChannelState, rules: ScoringRules): number | undefined {
  return channel.codec === null ? undefined : rules.codecDelaysMs.get(channel.codec);
}

/** The scores of both directions so far, to be kept in `channel.scores`; null where a direction is not known. */
export function channelScores(channel: ChannelState, rules: ScoringRules): ChannelScores {
  const context = { profile: rules.profile, codecDelayMs: codecDelayMs(channel, rules), rttMs: channel.rttMs };
  return {
    mesRx: scoreDirection(channel.rx, context)?.mes ?? null,
    mesTx: scoreDirection(channel.tx, context)?.mes ?? null,
  };
}

/** What the channel's variables are made of. */
export type ScoreView = Pick<
  ChannelRecord,
  'mes' | 'mesRx' | 'mesTx' | 'mesPeerRx' | 'mesPeerTx' | 'mesCall' | 'mesMin' | 'verdict'
>;

/** A channel's scores and those around it. `untilMs`: when it ended, undefined while it is up. */
export function scoreView(
  channel: ChannelState,
  rules: ScoringRules,
  others: FinalView,
  untilMs: number | undefined,
): ScoreView {
  return {
    mes: channelMes(channel.scores),
    mesRx: channel.scores.mesRx,
    mesTx: channel.scores.mesTx,
    ...(channel.final ?? others),
    mesMin: worstInterval(channel),
    verdict: judgeChannel(channel, channel.scores, rules.thresholds, untilMs),
  };
}

/** A channel as it is shown, stored and asked for. `others` are the scores around it at this moment. */
export function channelRecord(channel: ChannelState, rules: ScoringRules, others: FinalView): ChannelRecord {
  return {
    uniqueid: channel.uniqueid,
    linkedid: channel.linkedid,
    name: channel.name,
    endpoint: endpointOf(channel.name),
    callerNumber: channel.callerNumber,
    callerName: channel.callerName,
    connectedNumber: channel.connectedNumber,
    connectedName: channel.connectedName,
    exten: channel.exten,
    codec: channel.codec,
    startedAtMs: channel.startedAtMs,
    answeredAtMs: channel.answeredAtMs,
    endedAtMs: channel.endedAtMs,
    endReason: channel.endReason,
    hangupCause: channel.hangupCause,
    hangupCauseText: channel.hangupCauseText,
    bridgeId: channel.bridgeId,
    bridgeTechnology: channel.bridgeTechnology,
    peerUniqueid: channel.peerUniqueid,
    onHold: channel.onHold,
    ...scoreView(channel, rules, others, channel.endedAtMs ?? undefined),
    profile: rules.profile.name,
    version: rules.version,
    streams: [streamRecord(channel, channel.rx, rules), streamRecord(channel, channel.tx, rules)],
  };
}

function streamRecord(channel: ChannelState, state: DirectionState, rules: ScoringRules): StreamRecord {
  const scored = scoreDirection(state, {
    profile: rules.profile,
    codecDelayMs: codecDelayMs(channel, rules),
    rttMs: channel.rttMs,
  });
  const mes = scored?.mes ?? null;
  const stream: Omit<StreamRecord, 'why'> = {
    direction: state.direction,
    reporter: state.direction === 'rx' ? 'local' : 'remote',
    ssrc: state.ssrc,
    codec: channel.codec,
    clockRateHz: state.clockRateHz,
    clockRateSource: state.clockRateSource,
    reports: state.reports,
    idleReports: state.idleReports,
    deadReports: state.deadReports,
    ...packetCounts(channel, state),
    duplicates: state.duplicates,
    lostPacketsPerReportMean: state.lostPackets.count === 0 ? null : state.lostPackets.mean,
    rttMs: summarise(channel.rttMs),
    jitterMs: summarise(jitterMs(state)),
    rttKnown: channel.rttMs.count > 0,
    effectiveLatencyMs: scored?.score?.effectiveLatencyMs ?? null,
    rValue: scored?.score?.rValue ?? null,
    mes,
    mes100: mes === null ? null : mes * OPINION_TO_100,
    mesMin: state.mesMin,
    profile: rules.profile.name,
    nativeMes100: state.nativeMes100,
    verdict: judgeDirection(state, mes, rules.thresholds, channel.endedAtMs !== null),
  };
  return { ...stream, why: explainDirection(stream) };
}

type PacketCounts = Pick<StreamRecord, 'packetsExpected' | 'packetsReceived' | 'packetsLost' | 'lossPercent'>;

/**
 * Counts from the reports, completed by Asterisk's own counters where it has told them: those know the packets before
 * the first and after the last report. Of what we sent only the reports know how much arrived.
 */
function packetCounts(channel: ChannelState, state: DirectionState): PacketCounts {
  const { rxPackets, rxLostPackets } = channel.counters;
  const receivedByReports = state.packetsExpected - state.packetsLostOfExpected;
  if (
    state.direction === 'rx' &&
    rxPackets !== undefined &&
    rxLostPackets !== undefined &&
    rxPackets >= receivedByReports
  ) {
    const packetsLost = Math.max(rxLostPackets, state.packetsLost);
    const packetsExpected = rxPackets + packetsLost;
    return {
      packetsExpected,
      packetsReceived: rxPackets,
      packetsLost,
      lossPercent: packetsExpected === 0 ? null : (100 * packetsLost) / packetsExpected,
    };
  }
  const isKnown = state.packetsExpected > 0;
  return {
    packetsExpected: isKnown ? state.packetsExpected : null,
    packetsReceived: isKnown ? receivedByReports : null,
    packetsLost: state.lostPackets.count === 0 ? null : state.packetsLost,
    lossPercent: lossPercent(state),
  };
}

function summarise(moments: Moments): SampleSummary {
  if (moments.count === 0) return { last: null, mean: null, min: null, max: null, stdev: null, count: 0 };
  return {
    last: moments.last,
    mean: moments.mean,
    min: moments.min,
    max: moments.max,
    stdev: standardDeviation(moments),
    count: moments.count,
  };
}
