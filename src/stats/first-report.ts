import type { ReportBlock } from '../model/report.ts';
import { Q8_ONE } from '../units/rtp.ts';
import type { ReportMoment, StreamMarks } from './stream-marks.ts';

/** The two estimates of what was expected before the first report may differ by this part of the coarser one. */
const ESTIMATE_TOLERANCE_RATIO = 0.25;
/** Up to this fraction lost, it tells the expected packets only to within a fifth. */
const COARSE_FRACTION_Q8 = 4;
/** Asterisk's longest `rtcpinterval`, ms. What came earlier had its own report, or did not exist. */
const LONGEST_PACE_MS = 60_000;

/**
 * Packets expected until the first report of a stream, `packetsLost` among them; null: nothing tells. A first report does not say
 * where the sequence began. Fraction lost is the finest measure, but it covers one interval. If the far end's first report got
 * lost, the first that we see counts the loss of two intervals; the sender's count shows that.
 */
export function expectedAtFirst(
  packetsLost: number,
  { fractionLostQ8, extendedHighestSequence }: ReportBlock,
  marks: Readonly<StreamMarks>,
  moment: ReportMoment,
): number | null {
  const byFraction = expectedFromFraction(packetsLost, fractionLostQ8);
  // This stream followed one that already had reports, and nobody can say when it began.
  if (marks.markHighestSequence !== null || moment.mayBeSilent) return byFraction;
  const bySending = expectedFromSending(marks, moment) ?? expectedFromTime(marks, moment);
  if (bySending === null) return byFraction;
  // Sequence numbers begin at 0 at the earliest. A sender's count may be of the stream before as well.
  const atLeastLost = Math.max(packetsLost, Math.min(bySending, extendedHighestSequence + 1));
  // The fraction is then of all that is lost, and rounded down: no more can have been expected.
  if (byFraction !== null && moment.isSurelyFirst && byFraction < atLeastLost) return byFraction;
  if (byFraction === null || isWithinFraction(atLeastLost, packetsLost, fractionLostQ8)) return atLeastLost;
  return Math.abs(byFraction - atLeastLost) <= atLeastLost * ESTIMATE_TOLERANCE_RATIO ? byFraction : atLeastLost;
}

/** Fraction lost = lost / expected. Null when nothing was lost, or too little to show in 1/256. */
function expectedFromFraction(packetsLost: number, fractionLostQ8: number): number | null {
  if (packetsLost === 0 || fractionLostQ8 === 0) return null;
  return Math.max(packetsLost, Math.round((packetsLost * Q8_ONE) / fractionLostQ8));
}

/** Whether `packets` fit the fraction. It is rounded down (RFC 3550 §6.4.1), so a small fraction allows a wide range. */
function isWithinFraction(packets: number, packetsLost: number, fractionLostQ8: number): boolean {
  return fractionLostQ8 <= COARSE_FRACTION_Q8 && Math.floor((packetsLost * Q8_ONE) / packets) === fractionLostQ8;
}

/** Packets sent until then by the sender's count; null before its first SR. */
function expectedFromSending(
  { markAtMs, senderPackets, senderAtMs, packetRateHz }: Readonly<StreamMarks>,
  { atMs }: ReportMoment,
): number | null {
  if (markAtMs !== null || senderPackets === null || senderAtMs === null || senderPackets === 0) return null;
  return senderPackets + Math.round(((atMs - senderAtMs) / 1000) * packetRateHz);
}

/** Packets sent at the usual pace since the answer, or since a report that knew of no packet; null: that is too long ago. */
function expectedFromTime(
  { markAtMs, packetRateHz }: Readonly<StreamMarks>,
  { atMs, answeredAtMs }: ReportMoment,
): number | null {
  if (answeredAtMs === null) return null;
  const elapsedMs = atMs - Math.max(answeredAtMs, markAtMs ?? answeredAtMs);
  if (elapsedMs <= 0 || elapsedMs > LONGEST_PACE_MS) return null;
  return Math.round((elapsedMs / 1000) * packetRateHz);
}
