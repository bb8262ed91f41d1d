import type { ReportBlock } from '../model/report.ts';
import { cumulativeLostDelta, Q8_ONE } from '../units/rtp.ts';

const EXTENDED_SEQUENCE_MODULUS = 0x1_0000_0000;
const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** Packets sent this shortly before the receiver's report may still have been on their way. */
const IN_FLIGHT_ALLOWANCE_S = 0.5;

/** Where the two ends of a stream stood, as far as they have told. A sender's count is known together with its time. */
export interface StreamMarks {
  /** When the receiver last reported; null before its first report. */
  markAtMs: number | null;
  /** Where it stood then; all three null when it had received nothing at all. */
  markSsrc: number | null;
  markLostPackets: number | null;
  markHighestSequence: number | null;
  /** The sender's count as known then. */
  markSenderPackets: number | null;
  markSenderAtMs: number | null;
  /** Packets counted as lost since the receiver stood still; null when it had moved. */
  markLostWhileStillPackets: number | null;
  /** Packets sent by the sender's latest SR, and when we learnt it, epoch milliseconds. */
  readonly senderPackets: number | null;
  readonly senderAtMs: number | null;
  /** Packets a second that the sender sends while it sends; 50 when unknown. */
  readonly packetRateHz: number;
}

/** What else a receiver's report is judged by. */
export interface ReportMoment {
  readonly atMs: number;
  /** On hold, not up: nothing that stands still is a fault. */
  readonly mayBeSilent: boolean;
  /** We came in the middle: the cumulative count of a first report says nothing of its interval. */
  readonly joinedLate: boolean;
}

export type IntervalMeasure =
  /** Packets moved. `null` where the report cannot tell. */
  | {
      readonly kind: 'media';
      readonly packetsExpected: number | null;
      readonly packetsLost: number | null;
      readonly duplicates: number;
    }
  /** Nothing was sent, or nothing that must have arrived yet. `undecided`: keep the old mark. */
  | { readonly kind: 'idle'; readonly undecided: boolean }
  /** Packets were sent and none arrived; null when nobody counted them. */
  | { readonly kind: 'dead'; readonly packetsLost: number | null };

/**
 * What one report says of the packets since the report before (RFC 3550 §6.4.1 and A.3). `block` null: it had none, since
 * nothing was received.
 * Handles wraps of both counters, duplicates (a falling cumulative count), a changed SSRC and a stream that stands still.
 */
export function measureInterval(
  marks: Readonly<StreamMarks>,
  block: ReportBlock | null,
  moment: ReportMoment,
): IntervalMeasure {
  if (block === null) return standingStill(marks, moment);
  const { markSsrc, markLostPackets, markHighestSequence } = marks;
  if (markLostPackets === null || markHighestSequence === null) return firstReport(block, marks, moment);
  if (markSsrc !== block.sourceSsrc) return firstReport(block, marks, moment);

  const moved = wrappedDelta(block.extendedHighestSequence, markHighestSequence, EXTENDED_SEQUENCE_MODULUS);
  if (moved === 0) return standingStill(marks, moment);
  // The receiver began to count afresh without a new SSRC.
  if (moved < 0) return firstReport(block, marks, moment);

  const lostDelta = cumulativeLostDelta(block.cumulativeLostPackets, markLostPackets);
  const lost = Math.min(Math.max(0, lostDelta), moved);
  // The receiver notices only now what was lost while it stood still, and what was counted as such already.
  const counted = Math.min(marks.markLostWhileStillPackets ?? 0, lost);
  return {
    kind: 'media',
    packetsExpected: moved - counted,
    packetsLost: lost - counted,
    duplicates: Math.max(0, -lostDelta),
  };
}

/** Leaves the marks as the next report needs them. */
export function moveMarks(marks: StreamMarks, measure: IntervalMeasure, block: ReportBlock | null, atMs: number): void {
  if (measure.kind === 'idle' && measure.undecided) return;
  const lostNow = measure.kind === 'dead' ? (measure.packetsLost ?? 0) : 0;
  marks.markAtMs = atMs;
  if (block !== null) {
    marks.markSsrc = block.sourceSsrc;
    marks.markLostPackets = block.cumulativeLostPackets;
    marks.markHighestSequence = block.extendedHighestSequence;
  }
  marks.markSenderPackets = marks.senderPackets;
  marks.markSenderAtMs = marks.senderAtMs;
  marks.markLostWhileStillPackets = measure.kind === 'media' ? null : (marks.markLostWhileStillPackets ?? 0) + lostNow;
}

function firstReport(block: ReportBlock, marks: Readonly<StreamMarks>, moment: ReportMoment): IntervalMeasure {
  if (moment.joinedLate && marks.markAtMs === null) {
    return { kind: 'media', packetsExpected: null, packetsLost: null, duplicates: 0 };
  }
  const packetsLost = Math.max(0, block.cumulativeLostPackets);
  return {
    kind: 'media',
    packetsExpected: expectedAtFirst(packetsLost, block.fractionLostQ8, marks, moment),
    packetsLost,
    duplicates: Math.max(0, -block.cumulativeLostPackets),
  };
}

/** The two ways to know what was expected before the first report may differ by this much of the coarser one. */
const ESTIMATE_TOLERANCE_RATIO = 0.25;

/**
 * Packets expected until the first report. Fraction lost is the finer measure, but of one interval only: when the far end's
 * first report was lost on the way, the one that is first for us counts the loss of two. The sender's count shows that.
 */
function expectedAtFirst(
  packetsLost: number,
  fractionLostQ8: number,
  marks: Readonly<StreamMarks>,
  moment: ReportMoment,
): number | null {
  const byFraction = expectedFromFraction(packetsLost, fractionLostQ8);
  const bySending = expectedFromSending(packetsLost, marks, moment);
  if (byFraction === null || bySending === null) return byFraction ?? bySending;
  return Math.abs(byFraction - bySending) <= bySending * ESTIMATE_TOLERANCE_RATIO ? byFraction : bySending;
}

/**
 * A first report does not say where the sequence began; but fraction lost = lost / expected.
 * Null when nothing was lost, or too little to show in 1/256.
 */
function expectedFromFraction(packetsLost: number, fractionLostQ8: number): number | null {
  if (packetsLost === 0 || fractionLostQ8 === 0) return null;
  return Math.max(packetsLost, Math.round((packetsLost * Q8_ONE) / fractionLostQ8));
}

/**
 * What must have been sent until the first report, by the sender's count. Left out, a first report without loss would make
 * the percentage of the loss after it too high. Null before the sender's first SR.
 */
function expectedFromSending(
  packetsLost: number,
  { markAtMs, senderPackets, senderAtMs, packetRateHz }: Readonly<StreamMarks>,
  { atMs, mayBeSilent }: ReportMoment,
): number | null {
  if (markAtMs !== null || mayBeSilent || senderPackets === null || senderAtMs === null || senderPackets === 0)
    return null;
  const sinceThenPackets = Math.round(((atMs - senderAtMs) / 1000) * packetRateHz);
  return Math.max(packetsLost, senderPackets + sinceThenPackets);
}

/** The receiver got nothing since its last report: was anything sent to it? */
function standingStill(marks: Readonly<StreamMarks>, { mayBeSilent }: ReportMoment): IntervalMeasure {
  const { markAtMs, markSenderPackets, markSenderAtMs, senderPackets, senderAtMs } = marks;
  if (mayBeSilent || senderPackets === null || senderAtMs === null) return { kind: 'idle', undecided: false };
  const sentPackets = wrappedDelta(senderPackets, markSenderPackets ?? 0, PACKET_COUNT_MODULUS);
  // Without a newer SR nobody can say; with one that counts no more packets, nothing was sent.
  if (sentPackets <= 0) return { kind: 'idle', undecided: senderAtMs === markSenderAtMs };
  // Part of these may have been sent, and received, between the older SR and the last report.
  const sinceOlderSrS = markAtMs === null || markSenderAtMs === null ? 0 : (markAtMs - markSenderAtMs) / 1000;
  const perhapsNotOverdue = (sinceOlderSrS + IN_FLIGHT_ALLOWANCE_S) * marks.packetRateHz;
  if (sentPackets <= perhapsNotOverdue) return { kind: 'idle', undecided: true };
  return { kind: 'dead', packetsLost: Math.round(sentPackets * shareSinceLastReport(marks, senderAtMs)) };
}

/**
 * What part of the packets that the sender has counted since its older SR it sent after the receiver's last report: what
 * it had sent before came in, if the receiver was still moving then. Sent evenly, they are as their times.
 */
function shareSinceLastReport(
  { markAtMs, markSenderAtMs, markLostWhileStillPackets }: Readonly<StreamMarks>,
  senderAtMs: number,
): number {
  if (markAtMs === null || markSenderAtMs === null || markLostWhileStillPackets !== null) return 1;
  const sinceOlderMs = senderAtMs - markSenderAtMs;
  return sinceOlderMs > 0 ? Math.min(1, Math.max(0, (senderAtMs - markAtMs) / sinceOlderMs)) : 1;
}

/** later − earlier of counters that wrap; negative when the later one is behind. */
function wrappedDelta(later: number, earlier: number, modulus: number): number {
  const forward = (((later - earlier) % modulus) + modulus) % modulus;
  return forward >= modulus / 2 ? forward - modulus : forward;
}
