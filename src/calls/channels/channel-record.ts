import type {
  ChannelRecord,
  ChannelScores as StoredScores,
  SegmentRecord,
  StreamMeasures,
  StreamRecord,
} from '../../model/record.ts';
import type { SampleSummary } from '../../model/fields/field.ts';
import type { QualityWord } from '../../model/score.ts';
import { OPINION_TO_100 } from '../../score/opinion.ts';
import { type Moments, standardDeviation } from '../../stats/moments.ts';
import type { ChannelScores, ChannelState, ScoresAround } from './channel-state.ts';
import { endpointOf } from '../../model/channel.ts';
import { directionRules, eModelOf, scoreTally, tallyMes } from '../directions/direction-score.ts';
import {
  type DirectionState,
  knownCodec,
  leastReceived,
  segmentTally,
  sentInSegment,
} from '../directions/direction-state.ts';
import { captureRecord } from '../media/capture-record.ts';
import { explainDirection } from '../why/explanation.ts';
import { channelMes, directionWord, judgeChannel, judgeDirection, worstInterval } from '../why/judgement.ts';
import { nativeDifference } from '../why/native-difference.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { isLossKnown, jitterOf, lossPercentOf, meanLost, roundTripMeanMs, type Tally } from '../directions/tally.ts';

/** A direction's score so far, and its word; null: not known yet. */
export interface DirectionOutcome {
  readonly mes: number | null;
  readonly word: QualityWord | null;
}

/** `mes`: the score, where the caller knows it already. */
export function directionOutcome(
  channel: ChannelState,
  state: DirectionState,
  rules: ScoringRules,
  mes?: number | null,
): DirectionOutcome {
  const own = directionRules(channel, state, rules);
  const score = mes === undefined ? tallyMes(state, state.total, own) : mes;
  return { mes: score, word: directionWord(state, score, own, rules) };
}

/** The scores of both directions, to keep in `channel.scores`. */
export function channelScores(channel: ChannelState, rules: ScoringRules): ChannelScores {
  return joinOutcomes(directionOutcome(channel, channel.rx, rules), directionOutcome(channel, channel.tx, rules));
}

export function joinOutcomes(rx: DirectionOutcome, tx: DirectionOutcome): ChannelScores {
  return { mesRx: rx.mes, mesTx: tx.mes, wordRx: rx.word, wordTx: tx.word };
}

/** What the channel's variables and CDR fields are written from. */
export type ScoreView = Pick<
  ChannelRecord,
  'mes' | 'mesRx' | 'mesTx' | 'mesPeerRx' | 'mesPeerTx' | 'mesCall' | 'mesMin' | 'verdict'
>;

/** A channel's scores, and those of its peer and call. `untilMs`: when it ended; undefined: it is up. */
export function scoreView(
  channel: ChannelState,
  others: ScoresAround,
  peer: ChannelState | undefined,
  untilMs: number | undefined,
): ScoreView {
  const { mesPeerRx, mesPeerTx, mesCall } = channel.final ?? others;
  return {
    mes: channelMes(channel.scores),
    mesRx: channel.scores.mesRx,
    mesTx: channel.scores.mesTx,
    mesPeerRx,
    mesPeerTx,
    mesCall,
    mesMin: worstInterval(channel),
    verdict: judgeChannel(channel, peer, untilMs),
  };
}

/** Only the scores of a channel that is up and of its directions. */
export function channelScoresNow(channel: ChannelState, view: ScoreView, peer: ChannelState | undefined): StoredScores {
  const streams = [channel.rx, channel.tx].map((state) => {
    const mes = state.direction === 'rx' ? view.mesRx : view.mesTx;
    return {
      direction: state.direction,
      mes,
      mes100: mes === null ? null : mes * OPINION_TO_100,
      verdict: judgeDirection(channel, state, peer),
    };
  });
  return { uniqueid: channel.uniqueid, ...view, streams };
}

/** What the reports of each direction add up to over the channel's life. */
export interface ChannelTotals {
  readonly rx: StreamMeasures;
  readonly tx: StreamMeasures;
}

export function channelTotals(channel: ChannelState, rules: ScoringRules): ChannelTotals {
  const totalOf = (state: DirectionState): StreamMeasures => measuresOf(channel, state, state.total, rules);
  return { rx: totalOf(channel.rx), tx: totalOf(channel.tx) };
}

/**
 * A channel as it is shown, stored and asked for. `others`: the present scores of its peer and call. `peer`: its bridged peer.
 */
export function channelRecord(
  channel: ChannelState,
  rules: ScoringRules,
  others: ScoresAround,
  peer: ChannelState | undefined,
  totals = channelTotals(channel, rules),
): ChannelRecord {
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
    codec: commonCodec(channel),
    startedAtMs: channel.startedAtMs,
    answeredAtMs: channel.answeredAtMs,
    endedAtMs: channel.endedAtMs,
    endReason: channel.endReason,
    hangupCause: channel.hangupCause,
    hangupCauseText: channel.hangupCauseText,
    hangupBy: channel.hangupRequest?.by ?? null,
    hangupAtMs: channel.hangupRequest?.atMs ?? null,
    hangupEndedTalk: channel.hangupRequest?.endedTalk ?? null,
    bridgeId: channel.bridgeId,
    bridgeTechnology: channel.bridgeTechnology,
    peerUniqueid: channel.peerUniqueid,
    onHold: channel.onHold,
    ...scoreView(channel, others, peer, channel.endedAtMs ?? undefined),
    profile: rules.profile.name,
    version: rules.version,
    finalAtMs: channel.final?.atMs ?? null,
    lastReceivedAtMs: channel.lastReceivedAtMs,
    sipCallId: channel.sipCallId,
    device: channel.device,
    site: channel.site,
    deviceDetails: channel.deviceDetails,
    phone: channel.phone,
    streams: [channel.rx, channel.tx].map((state) =>
      streamRecord(channel, state, rules, peer, totals[state.direction]),
    ),
  };
}

/** One direction over the channel's whole life. */
function streamRecord(
  channel: ChannelState,
  state: DirectionState,
  rules: ScoringRules,
  peer: ChannelState | undefined,
  total: StreamMeasures,
): StreamRecord {
  const measures = { ...total, ...countsOf(channel, state) };
  const own = directionRules(channel, state, rules);
  const interval = eModelOf({
    codec: own.codec,
    lossPercent: state.lastLossPercent,
    packetsReceived: state.lastPacketsReceived,
    rttMeanMs: roundTripMeanMs(state.total),
    advantage: own.advantage,
  });
  const capture = captureRecord(state, own, rules);
  const verdict = judgeDirection(channel, state, peer);
  return {
    ...measures,
    capture,
    lossyReports: state.lossyReports,
    lastReportAtMs: state.reportedAtMs,
    mosLqInterval: interval.mosLq,
    mosCqInterval: interval.mosCq,
    senderPackets: state.srPackets,
    senderOctets: state.srOctets,
    packetJitterMeanMs: (state.direction === 'rx' ? channel.counters.rxJitterMeanMs : undefined) ?? null,
    packetJitterStdevMs: (state.direction === 'rx' ? channel.counters.rxJitterStdevMs : undefined) ?? null,
    fractionLostQ8: state.lastFractionLostQ8,
    jitterTicks: state.lastJitterTicks,
    unknownSinceMs: state.unknownSinceMs,
    verdict,
    why: explainDirection({ channel, state, measures, verdict, capture, own, peer }),
    nativeWhy: nativeDifference(state, own, measures.mes100),
  };
}

/**
 * The RTP session that a direction is in, or was in last. `totals` are the channel's; if the session is the only one, they are
 * also its own.
 */
export function segmentRecord(
  channel: ChannelState,
  state: DirectionState,
  rules: ScoringRules,
  totals?: ChannelTotals,
): SegmentRecord {
  const { number, openedBy, startedAtMs } = state.segment;
  const sent = sentInSegment(state);
  const tally = segmentTally(state);
  const known = tally === state.total ? totals?.[state.direction] : undefined;
  return {
    uniqueid: channel.uniqueid,
    segmentNumber: number,
    openedBy,
    startedAtMs,
    endedAtMs: Math.max(startedAtMs, state.markAtMs ?? startedAtMs),
    senderPackets: sent?.packets ?? null,
    senderOctets: sent?.octets ?? null,
    ...(known ?? measuresOf(channel, state, tally, rules)),
  };
}

function measuresOf(channel: ChannelState, state: DirectionState, tally: Tally, rules: ScoringRules): StreamMeasures {
  const own = directionRules(channel, state, rules);
  const scored = scoreTally(state, tally, own);
  const mes = scored?.mes ?? null;
  const codec = knownCodec(state);
  const isKnown = tally.packetsExpected > 0;
  const packetsReceived = isKnown ? tally.packetsExpected - tally.packetsLostOfExpected : null;
  const lossPercent = lossPercentOf(tally);
  const { rttMs } = tally;
  return {
    direction: state.direction,
    reporter: state.direction === 'rx' ? 'local' : 'remote',
    ssrc: state.ssrc,
    codec,
    clockRateHz: state.clockRateHz,
    clockRateSource: state.clockRateSource,
    reports: tally.reports,
    idleReports: tally.idleReports,
    deadReports: tally.deadReports,
    unusedReports: tally.unusedReports,
    packetsExpected: isKnown ? tally.packetsExpected : null,
    packetsReceived,
    packetsLost: isLossKnown(tally) ? tally.packetsLost : null,
    duplicates: tally.duplicates,
    sequenceRestarts: tally.sequenceRestarts,
    jitterResets: tally.jitterResets,
    lossPercent,
    lostPacketsPerReportMean: isLossKnown(tally) ? meanLost(tally) : null,
    rttMs: summarise(rttMs),
    jitterMs: summarise(jitterOf(tally, state.clockRateHz)),
    rttKnown: rttMs.count > 0,
    effectiveLatencyMs: scored?.score?.effectiveLatencyMs ?? null,
    rValue: scored?.score?.rValue ?? null,
    mes,
    mes100: mes === null ? null : mes * OPINION_TO_100,
    mesMin: tally.mesMin,
    profile: rules.profile.name,
    nativeMes100: state.nativeMes100,
    ...eModelOf({
      codec: own.codec,
      lossPercent,
      packetsReceived,
      rttMeanMs: roundTripMeanMs(tally),
      advantage: own.advantage,
    }),
  };
}

function commonCodec(channel: ChannelState): string | null {
  const rx = knownCodec(channel.rx);
  const tx = knownCodec(channel.tx);
  if (rx === null || tx === null) return rx ?? tx;
  return rx === tx ? rx : null;
}

type PacketCounts = Pick<StreamMeasures, 'packetsExpected' | 'packetsReceived' | 'packetsLost' | 'lossPercent'>;

/**
 * The counts of Asterisk's own counters where these go beyond the reports; undefined: they do not. They know the packets before
 * the first and after the last report. How much of our own audio arrived, only the reports know.
 */
export function countsOf(channel: ChannelState, state: DirectionState): PacketCounts | undefined {
  const { rxPackets, rxLostPackets } = channel.counters;
  const { packetsLost } = state.total;
  const isComplete = rxPackets !== undefined && rxLostPackets !== undefined;
  if (state.direction !== 'rx' || !isComplete || rxPackets < leastReceived(state)) return undefined;
  const lost = Math.max(rxLostPackets, packetsLost);
  const expected = rxPackets + lost;
  return {
    packetsExpected: expected,
    packetsReceived: rxPackets,
    packetsLost: lost,
    // The counters count received packets up to now, but lost ones only up to the last report.
    lossPercent: lossPercentOf(state.total) ?? (expected === 0 ? null : (100 * lost) / expected),
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
