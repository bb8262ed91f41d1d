import type { ReportBlock } from '../model/report.ts';
import { cumulativeLostDelta, Q8_ONE } from '../units/rtp.ts';

const EXTENDED_SEQUENCE_MODULUS = 0x1_0000_0000;
const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** Packets sent this shortly before the receiver's report may still have been on their way. */
const IN_FLIGHT_ALLOWANCE_S = 0.5;

/** What the sender of a stream said of itself in its latest SR. */
export interface SenderMark {
  readonly sentPackets: number;
  /** When we learnt it, epoch milliseconds. */
  readonly atMs: number;
}

/** Where the receiver of a stream stood at its last report. */
export interface ReceiverMark {
  /** Null when it had received nothing at all. */
  readonly block: Pick<ReportBlock, 'sourceSsrc' | 'cumulativeLostPackets' | 'extendedHighestSequence'> | null;
  /** The sender's count as known then. */
  readonly sender: SenderMark | null;
  readonly atMs: number;
  /** Packets counted as lost since it stood still; null when it had moved. */
  readonly lostWhileStillPackets: number | null;
}

export interface IntervalInput {
  /** Null before the first report. */
  readonly previous: ReceiverMark | null;
  /** Null when the report had no block: nothing was received. */
  readonly block: ReportBlock | null;
  readonly sender: SenderMark | null;
  readonly atMs: number;
  /** Packets a second that the sender sends while it sends; 50 when unknown. */
  readonly packetRateHz: number;
  /** On hold, not up: nothing that stands still is a fault. */
  readonly mayBeSilent: boolean;
  /** We came in the middle: the cumulative count says nothing of this interval. */
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
 * What one report says of the packets since the report before (RFC 3550 §6.4.1 and A.3).
 * Handles wraps of both counters, duplicates (a falling cumulative count), a changed SSRC and a stream that stands still.
 */
export function measureInterval(input: IntervalInput): IntervalMeasure {
  const { previous, block } = input;
  if (block === null) return standingStill(input);
  const before = previous?.block ?? null;
  if (before === null) return firstReport(block, input);
  if (before.sourceSsrc !== block.sourceSsrc) return firstReport(block, input);

  const moved = wrappedDelta(block.extendedHighestSequence, before.extendedHighestSequence, EXTENDED_SEQUENCE_MODULUS);
  if (moved === 0) return standingStill(input);
  // The receiver began to count afresh without a new SSRC.
  if (moved < 0) return firstReport(block, input);

  const lostDelta = cumulativeLostDelta(block.cumulativeLostPackets, before.cumulativeLostPackets);
  const lost = Math.min(Math.max(0, lostDelta), moved);
  // The receiver notices only now what was lost while it stood still, and what was counted as such already.
  const counted = Math.min(previous?.lostWhileStillPackets ?? 0, lost);
  return {
    kind: 'media',
    packetsExpected: moved - counted,
    packetsLost: lost - counted,
    duplicates: Math.max(0, -lostDelta),
  };
}

/** The mark that a report leaves for the next one. `sender` is the sender's count as known now. */
export function nextMark(
  measure: IntervalMeasure,
  { previous, block, sender, atMs }: Pick<IntervalInput, 'previous' | 'block' | 'sender' | 'atMs'>,
): ReceiverMark | null {
  if (measure.kind === 'idle' && measure.undecided) return previous;
  const lostNow = measure.kind === 'dead' ? (measure.packetsLost ?? 0) : 0;
  return {
    block: standOf(block) ?? previous?.block ?? null,
    sender,
    atMs,
    lostWhileStillPackets: measure.kind === 'media' ? null : (previous?.lostWhileStillPackets ?? 0) + lostNow,
  };
}

/** Of a report, what the next one is compared with. */
function standOf(block: ReportBlock | null): ReceiverMark['block'] {
  if (block === null) return null;
  const { sourceSsrc, cumulativeLostPackets, extendedHighestSequence } = block;
  return { sourceSsrc, cumulativeLostPackets, extendedHighestSequence };
}

function firstReport(block: ReportBlock, input: IntervalInput): IntervalMeasure {
  if (input.joinedLate) {
    return { kind: 'media', packetsExpected: null, packetsLost: null, duplicates: 0 };
  }
  const packetsLost = Math.max(0, block.cumulativeLostPackets);
  return {
    kind: 'media',
    packetsExpected: expectedAtFirst(packetsLost, block.fractionLostQ8, input),
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
function expectedAtFirst(packetsLost: number, fractionLostQ8: number, input: IntervalInput): number | null {
  const byFraction = expectedFromFraction(packetsLost, fractionLostQ8);
  const bySending = expectedFromSending(packetsLost, input);
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
  { previous, sender, atMs, packetRateHz, mayBeSilent }: IntervalInput,
): number | null {
  if (previous !== null || mayBeSilent || sender === null || sender.sentPackets === 0) return null;
  const sinceThenPackets = Math.round(((atMs - sender.atMs) / 1000) * packetRateHz);
  return Math.max(packetsLost, sender.sentPackets + sinceThenPackets);
}

/** The receiver got nothing since its last report: was anything sent to it? */
function standingStill(input: IntervalInput): IntervalMeasure {
  const { previous, sender } = input;
  if (input.mayBeSilent || sender === null) return { kind: 'idle', undecided: false };
  const sentBefore = previous?.sender ?? null;
  const sentPackets = wrappedDelta(sender.sentPackets, sentBefore?.sentPackets ?? 0, PACKET_COUNT_MODULUS);
  // Without a newer SR nobody can say; with one that counts no more packets, nothing was sent.
  if (sentPackets <= 0) return { kind: 'idle', undecided: sender.atMs === sentBefore?.atMs };
  // Part of these may have been sent, and received, between the older SR and the last report.
  const sinceOlderSrS = previous === null || sentBefore === null ? 0 : (previous.atMs - sentBefore.atMs) / 1000;
  const perhapsNotOverdue = (sinceOlderSrS + IN_FLIGHT_ALLOWANCE_S) * input.packetRateHz;
  if (sentPackets <= perhapsNotOverdue) return { kind: 'idle', undecided: true };
  return { kind: 'dead', packetsLost: Math.round(sentPackets * shareSinceLastReport(previous, sender)) };
}

/**
 * What part of the packets that the sender has counted since its older SR it sent after the receiver's last report: what
 * it had sent before came in, if the receiver was still moving then. Sent evenly, they are as their times.
 */
function shareSinceLastReport(previous: ReceiverMark | null, sender: SenderMark): number {
  const older = previous?.sender ?? null;
  if (previous === null || older === null || previous.lostWhileStillPackets !== null) return 1;
  const sinceOlderMs = sender.atMs - older.atMs;
  return sinceOlderMs > 0 ? Math.min(1, Math.max(0, (sender.atMs - previous.atMs) / sinceOlderMs)) : 1;
}

/** later − earlier of counters that wrap; negative when the later one is behind. */
function wrappedDelta(later: number, earlier: number, modulus: number): number {
  const forward = (((later - earlier) % modulus) + modulus) % modulus;
  return forward >= modulus / 2 ? forward - modulus : forward;
}
