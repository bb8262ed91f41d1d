import type { ChannelState } from '../channels/channel-state.ts';
import { type DirectionState, knownCodec } from '../directions/direction-state.ts';
import { gapsSentPercent, sentOnRatio } from './flow.ts';
import { lossPercentOf } from '../directions/tally.ts';

/** Less of the audio that came in than this went out again: a quarter lost is bad with every codec (G.113). */
const TOO_LITTLE_RATIO = 0.75;

/**
 * What one party's network had lost, percent, of what goes out to the other (`downstream`): this server passes gaps in the
 * numbering on in every bridge in which it does not transcode, so that the far end counts them, too. `upstream` is what
 * comes in from the other party. Shown by the counts where there are enough of them: the numbers that the far end has seen go by
 * beside the packets that were sent. Else by what can pass through, if the far end has lost as much. 0 when nothing is known.
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

/** Whether the far end has lost as much as had been lost before, but for chance: the two do not report on the same packets. */
function mayHoldThatLoss({ total }: DirectionState, upstreamPercent: number): boolean {
  const passedOnPackets = (upstreamPercent / 100) * total.packetsExpected;
  return total.packetsLostOfExpected >= passedOnPackets - 3 * Math.sqrt(passedOnPackets);
}

/**
 * What part of the audio from `peer` was sent on to `channel`, when that was far less than all; undefined when it was
 * not, and where it cannot be told. This server leaves out what comes late or out of order when it transcodes.
 */
export function sentOnTooLittle(peer: ChannelState, channel: ChannelState): number | undefined {
  const ratio = sentOnRatio(peer.rx, channel.tx, peer.onHold || channel.onHold);
  return ratio !== undefined && ratio < TOO_LITTLE_RATIO ? ratio : undefined;
}
