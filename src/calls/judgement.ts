import type { QualityWord, Verdict } from '../model/score.ts';
import { JITTER_LIMIT_MS } from '../score/limits.ts';
import { meanOfKnown, verdictOf, worstWord } from '../score/verdict.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';
import { type DirectionRules, judgedOpinion } from './direction-score.ts';
import { type DirectionState, isDead } from './direction-state.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { jitterFigures } from './tally.ts';

/**
 * A channel without any report that was up for less than this was too short for one; for longer, there is no RTCP.
 * Twice Asterisk's default `rtcpinterval`, because we cannot see what it is set to.
 */
const TOO_SHORT_MS = 10_000;
/** One idle report may be of the time before the parties were bridged. */
const FEW_REPORTS = 3;

/** A channel's score is the mean of its known directions, a dead one counting with its 1 (README, What is written). */
export function channelMes(scores: ChannelScores): number | null {
  return meanOfKnown([scores.mesRx, scores.mesTx]);
}

/**
 * The word that a direction deserves by what its reports add up to, null while it has no score: the worse of its MES (`mes`)
 * and MOS-CQ. Jitter that no usual jitter buffer takes is not good, even where the formulas do not weigh it.
 */
export function directionWord(
  state: DirectionState,
  mes: number | null,
  own: DirectionRules,
  { thresholds }: Pick<ScoringRules, 'thresholds'>,
): QualityWord | null {
  const opinion = judgedOpinion(state.total, mes, own);
  if (opinion === null) return null;
  const word = verdictOf(opinion, thresholds);
  return word === 'good' && isTooJittery(state) ? 'fair' : word;
}

/** More jitter, in the mean, than a usual jitter buffer takes. */
export function isTooJittery({ total, clockRateHz }: DirectionState): boolean {
  return jitterFigures(total, clockRateHz).meanMs > JITTER_LIMIT_MS;
}

/** The worst interval of either direction; null before the first. */
export function worstInterval(channel: ChannelState): number | null {
  const { mesMin: rx } = channel.rx.total;
  const { mesMin: tx } = channel.tx.total;
  if (rx === null || tx === null) return rx ?? tx;
  return Math.min(rx, tx);
}

/**
 * The word for a channel, that of its worst direction, or why it has no score; null while it is too early to say and for a channel that was never up.
 * `untilMs` is when it ended, or undefined while it is up.
 */
export function judgeChannel(
  channel: ChannelState,
  scores: ChannelScores,
  untilMs: number | undefined,
): Verdict | null {
  const rxDead = isDead(channel.rx);
  const txDead = isDead(channel.tx);
  if (rxDead) return scores.mesTx !== null && !txDead ? 'one-way-tx' : 'no-media';
  if (txDead) return scores.mesRx === null ? 'no-media' : 'one-way-rx';
  if (scores.mesRx !== null && hasNothingToPassOn(channel)) return 'one-way-rx';
  const word = worstWord([scores.wordRx, scores.wordTx]);
  if (word !== null) return word;
  if (untilMs === undefined || channel.answeredAtMs === null) return null;
  return reasonForNoScore(channel, untilMs - channel.answeredAtMs);
}

/** It has a peer, and in all its time not one packet of the peer's could be sent on to it: it hears nobody. */
function hasNothingToPassOn({ tx, peerUniqueid, onHold }: ChannelState): boolean {
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
  return channel.rtcpEvents === 0 || channel.rx.total.reports + channel.tx.total.reports === 0 ? 'no-rtcp' : 'no-media';
}

function isSipChannel(channel: ChannelState): boolean {
  return /^(?:PJSIP|SIP)\//.test(channel.name);
}

/** The word for one direction, or why it has no score; null while it is too early to say. */
export function judgeDirection(channel: ChannelState, state: DirectionState, scores: ChannelScores): Verdict | null {
  if (isDead(state)) return 'no-media';
  const word = state.direction === 'rx' ? scores.wordRx : scores.wordTx;
  if (word !== null) return word;
  if (channel.endedAtMs === null) return null;
  if (state.unknownSinceMs !== null) return 'no-rtcp';
  if (state.total.reports > 0) return 'no-media';
  const ofChannel = judgeChannel(channel, scores, channel.endedAtMs);
  return ofChannel === 'too-short' ? ofChannel : 'no-rtcp';
}
