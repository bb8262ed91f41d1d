import type { Verdict, VerdictThresholds } from '../model/score.ts';
import { meanOfKnown, verdictOf } from '../score/verdict.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';
import { type DirectionState, isDead } from './direction-state.ts';

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

/** The worst interval of either direction; null before the first. */
export function worstInterval(channel: ChannelState): number | null {
  const { mesMin: rx } = channel.rx.total;
  const { mesMin: tx } = channel.tx.total;
  if (rx === null || tx === null) return rx ?? tx;
  return Math.min(rx, tx);
}

/**
 * The word for a channel, or why it has no score; null while it is too early to say and for a channel that was never up.
 * `untilMs` is when it ended, or undefined while it is up.
 */
export function judgeChannel(
  channel: ChannelState,
  scores: ChannelScores,
  thresholds: VerdictThresholds,
  untilMs: number | undefined,
): Verdict | null {
  const rxDead = isDead(channel.rx);
  const txDead = isDead(channel.tx);
  if (rxDead) return scores.mesTx !== null && !txDead ? 'one-way-tx' : 'no-media';
  if (txDead) return scores.mesRx === null ? 'no-media' : 'one-way-rx';
  if (scores.mesRx !== null && hasNothingToPassOn(channel)) return 'one-way-rx';
  const mes = channelMes(scores);
  if (mes !== null) return verdictOf(mes, thresholds);
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
export function judgeDirection(
  channel: ChannelState,
  state: DirectionState,
  mes: number | null,
  thresholds: VerdictThresholds,
): Verdict | null {
  if (isDead(state)) return 'no-media';
  if (mes !== null) return verdictOf(mes, thresholds);
  if (channel.endedAtMs === null) return null;
  if (state.unknownSinceMs !== null) return 'no-rtcp';
  if (state.total.reports > 0) return 'no-media';
  const ofChannel = judgeChannel(channel, channel.scores, thresholds, channel.endedAtMs);
  return ofChannel === 'too-short' ? ofChannel : 'no-rtcp';
}
