import type { QualityWord, Verdict } from '../../model/score.ts';
import { G711 } from '../../score/codec-impairment.ts';
import { mosCqOf } from '../../score/e-model.ts';
import { JITTER_LIMIT_MS } from '../../score/limits.ts';
import { opinionOf } from '../../score/mes.ts';
import { meanOfKnown, verdictOf, worseOpinion, worstWord } from '../../score/verdict.ts';
import type { ChannelScores, ChannelState } from '../channels/channel-state.ts';
import { type DirectionRules, eModelInputs, judgedOpinion, scoreInputs } from '../directions/direction-score.ts';
import { type DirectionState, isDead } from '../directions/direction-state.ts';
import { sentOnTooLittle } from './passed-on.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { jitterFigures } from '../directions/tally.ts';

/**
 * A channel without any report that was up for a shorter time was too short for one; otherwise there is no RTCP. It is twice
 * Asterisk's default `rtcpinterval`, whose real value the sidecar cannot see.
 */
const TOO_SHORT_MS = 10_000;
/** A single idle report may be about the time before the parties were bridged. */
const FEW_REPORTS = 3;

/** A channel's score is the mean of its known directions; a dead one counts as 1 (README, What is written). */
export function channelMes(scores: ChannelScores): number | null {
  return meanOfKnown([scores.mesRx, scores.mesTx]);
}

/** The word for a direction's network alone: with `lossShare` (0-1) of its loss, and a codec that costs nothing. */
export function networkWord(
  state: DirectionState,
  lossShare: number,
  own: DirectionRules,
  { thresholds }: Pick<ScoringRules, 'thresholds'>,
): QualityWord | null {
  const codec = own.codec === undefined ? undefined : { ...own.codec, ie: 0, r0Is: G711.r0Is, isWidebandScale: false };
  const network = { ...own, codec };
  const inputs = scoreInputs(state, state.total, network);
  const mes = opinionOf(own.profile, {
    ...inputs,
    lossPercent: inputs.lossPercent * lossShare,
    lostPacketsMean: inputs.lostPacketsMean * lossShare,
    cumulativeLostMean: inputs.cumulativeLostMean * lossShare,
  });
  const ofEModel = own.profile.usesCodecImpairment ? undefined : eModelInputs(state.total, network);
  const mosCq = ofEModel === undefined ? null : mosCqOf({ ...ofEModel, lossPercent: ofEModel.lossPercent * lossShare });
  return wordFor(state, worseOpinion(mes, mosCq) ?? mes, thresholds);
}

/**
 * The word that a direction deserves by its reports: that of the worse of its MES (`mes`) and MOS-CQ; null: it has no score.
 * Jitter above what a usual jitter buffer can smooth is never good, even where the formulas do not count it.
 */
export function directionWord(
  state: DirectionState,
  mes: number | null,
  own: DirectionRules,
  { thresholds }: Pick<ScoringRules, 'thresholds'>,
): QualityWord | null {
  const opinion = judgedOpinion(state.total, mes, own);
  return opinion === null ? null : wordFor(state, opinion, thresholds);
}

function wordFor(
  { total, clockRateHz }: DirectionState,
  opinion: number,
  thresholds: ScoringRules['thresholds'],
): QualityWord {
  const word = verdictOf(opinion, thresholds);
  return word === 'good' && jitterFigures(total, clockRateHz).meanMs > JITTER_LIMIT_MS ? 'fair' : word;
}

/** The word where this server passed on much too little audio: so much loss is bad with every codec. */
const SENT_ON_TOO_LITTLE: QualityWord = 'bad';

/** The word for what a channel is sent, by its reports and by how much of its peer's audio is sent on to it. */
function txWord(channel: ChannelState, peer: ChannelState | undefined): QualityWord | null {
  const isTooLittle = peer !== undefined && sentOnTooLittle(peer, channel) !== undefined;
  return isTooLittle ? SENT_ON_TOO_LITTLE : channel.scores.wordTx;
}

/** The worst interval of either direction; null: there is none yet. */
export function worstInterval(channel: ChannelState): number | null {
  const { mesMin: rx } = channel.rx.total;
  const { mesMin: tx } = channel.tx.total;
  if (rx === null || tx === null) return rx ?? tx;
  return Math.min(rx, tx);
}

/**
 * The word for a channel: that of its worst direction, or why it has no score. Null: it is too early to say, or the channel was
 * never up. `untilMs`: when it ended; undefined: it is up.
 */
export function judgeChannel(
  channel: ChannelState,
  peer: ChannelState | undefined,
  untilMs: number | undefined,
): Verdict | null {
  const { scores } = channel;
  const rxDead = isDead(channel.rx);
  const txDead = isDead(channel.tx);
  if (rxDead) return scores.mesTx !== null && !txDead ? 'one-way-tx' : 'no-media';
  if (txDead) return scores.mesRx === null ? 'no-media' : 'one-way-rx';
  if (scores.mesRx !== null && hasNothingToPassOn(channel)) return 'one-way-rx';
  const word = worstWord([scores.wordRx, txWord(channel, peer)]);
  if (word !== null) return word;
  if (untilMs === undefined || channel.answeredAtMs === null) return null;
  return reasonForNoScore(channel, untilMs - channel.answeredAtMs);
}

/** Whether it has a peer of which not one packet could be sent on to it in all its time: it hears nobody. */
export function hasNothingToPassOn({ tx, peerUniqueid, onHold }: ChannelState): boolean {
  return (
    peerUniqueid !== null && !onHold && tx.total.reports >= FEW_REPORTS && tx.total.reports === tx.total.idleReports
  );
}

function reasonForNoScore(channel: ChannelState, upMs: number): Verdict | null {
  const { rxPackets } = channel.counters;
  const isRtpChannel = channel.rtcpEvents > 0 || rxPackets !== undefined;
  if (!isRtpChannel && !isSipChannel(channel)) return null;
  if (channel.wentPastUs) return 'no-rtcp';
  if (upMs < TOO_SHORT_MS) return 'too-short';
  if (rxPackets === 0) return 'no-media';
  return channel.rtcpEvents === 0 || (hasNoReport(channel.rx) && hasNoReport(channel.tx)) ? 'no-rtcp' : 'no-media';
}

/** A report about nobody does not count. */
function hasNoReport({ total }: DirectionState): boolean {
  return total.reports === total.unusedReports;
}

function isSipChannel(channel: ChannelState): boolean {
  return /^(?:PJSIP|SIP)\//.test(channel.name);
}

/** The word for one direction, or why it has no score; null: it is too early to say. */
export function judgeDirection(
  channel: ChannelState,
  state: DirectionState,
  peer: ChannelState | undefined,
): Verdict | null {
  if (isDead(state)) return 'no-media';
  const isTx = state.direction === 'tx';
  const word = isTx ? txWord(channel, peer) : channel.scores.wordRx;
  if (word !== null) return word;
  if (isTx && channel.scores.mesRx !== null && hasNothingToPassOn(channel)) return 'no-media';
  if (channel.endedAtMs === null) return null;
  if (state.unknownSinceMs !== null) return 'no-rtcp';
  if (!hasNoReport(state)) return 'no-media';
  const ofChannel = judgeChannel(channel, peer, channel.endedAtMs);
  return ofChannel === 'too-short' ? ofChannel : 'no-rtcp';
}
