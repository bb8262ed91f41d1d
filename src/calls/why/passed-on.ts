import type { ChannelState } from '../channels/channel-state.ts';
import { type DirectionState, knownCodec } from '../directions/direction-state.ts';
import { gapsSentPercent, sentOnRatio } from './flow.ts';
import { lossPercentOf } from '../directions/tally.ts';

/**
 * If less than this part of the audio that came in went out again, that is too little: a quarter lost is bad with every codec
 * (G.113).
 */
const TOO_LITTLE_RATIO = 0.75;

/**
 * How much one party's network had lost, percent, of the audio that goes out to the other (`downstream`). `upstream` is what
 * comes in from the one party. In every bridge without transcoding this server passes gaps in the numbering on, and the far end
 * counts them, too. Where there are enough counts they tell: the sequence numbers that the far end has seen go by, beside the
 * packets that were sent. Otherwise it is the loss that may pass through, if the far end lost as much. 0: nothing is known.
 */
export function passedOnLossPercent(upstream: DirectionState | undefined, downstream: DirectionState): number {
  const upstreamPercent = upstream === undefined ? 0 : (lossPercentOf(upstream.total) ?? 0);
  if (upstream === undefined || upstreamPercent === 0) return 0;
  const gapsPercent = gapsSentPercent(downstream);
  if (gapsPercent !== undefined) return Math.min(upstreamPercent, gapsPercent);
  // A native bridge passes packets on with their SSRC.
  if (upstream.ssrc !== null && upstream.ssrc === downstream.ssrc) return upstreamPercent;
  const codec = knownCodec(upstream);
  const isSameCodec = codec !== null && codec === knownCodec(downstream);
  return isSameCodec && mayHoldThatLoss(downstream, upstreamPercent) ? upstreamPercent : 0;
}

/** Whether the far end lost at least as much as was lost before, within chance: the two do not report about the same packets. */
function mayHoldThatLoss({ total }: DirectionState, upstreamPercent: number): boolean {
  const passedOnPackets = (upstreamPercent / 100) * total.packetsExpected;
  return total.packetsLostOfExpected >= passedOnPackets - 3 * Math.sqrt(passedOnPackets);
}

/**
 * The part of the audio from `peer` that was sent on to `channel`, if that was much too little; undefined: it was enough, or
 * cannot be told. When this server transcodes, it leaves out packets that come late or out of order.
 */
export function sentOnTooLittle(peer: ChannelState, channel: ChannelState): number | undefined {
  const ratio = sentOnRatio(peer.rx, channel.tx, peer.onHold || channel.onHold);
  return ratio !== undefined && ratio < TOO_LITTLE_RATIO ? ratio : undefined;
}
