import type { ReportBlock } from '../model/report.ts';
import { cumulativeLostDelta, SEQUENCE_CYCLE_PACKETS } from '../units/rtp.ts';
import { MAX_DROPOUT_PACKETS } from './packets/dropout.ts';
import { expectedAtFirst } from './first-report.ts';
import { type Sendable, sendablePackets, wrappedDelta } from './sendable.ts';

const EXTENDED_SEQUENCE_MODULUS = 0x1_0000_0000;
const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** Packets sent this shortly before the receiver's report may still have been on their way. */
const IN_FLIGHT_ALLOWANCE_S = 0.5;
/** RFC 3550 A.1: a step back by no more than this is disorder. */
const MAX_MISORDER_PACKETS = 100;
/** No receiver can lose more than it expected; a few count both at slightly different moments. */
const COUNTING_SLACK_PACKETS = 5;
const COUNTING_SLACK_RATIO = 0.1;
/** A receiver that has got so far in what was sent has stopped nowhere: its reports and the sender's are not of one moment. */
const REACHED_RATIO = 0.9;
/** A cumulative count that falls by fewer packets fell because of packets that came late or twice. */
const RESET_FALL_PACKETS = 5;

/** Where the two ends of a stream stood, as far as they said. A sender's count is known together with its time. */
export interface StreamMarks {
  /** When the receiver last reported; null before its first report. */
  markAtMs: number | null;
  /** Where it stood then; all three null when it had received nothing at all. */
  markSsrc: number | null;
  markLostPackets: number | null;
  markHighestSequence: number | null;
  /** When its highest sequence number last moved. */
  markMovedAtMs: number | null;
  /** The sender's count that belongs to that number, and when it was told: null when it is reckoned from an older count. */
  markMovedSenderPackets: number | null;
  markMovedSenderAtMs: number | null;
  /** The sender's count as known then. */
  markSenderPackets: number | null;
  markSenderAtMs: number | null;
  /** Packets counted as lost since the receiver stood still; null when it had moved. */
  markLostWhileStillPackets: number | null;
  /** The cumulative count with which the present row of reports began: 0, or where a restart left it. */
  baselineLostPackets: number;
  /** Packets counted as lost in that row, less those that came late. */
  countedLostPackets: number;
  /** The newest of them: half as many with each report. */
  recentLostPackets: number;
  /** Packets sent by the sender's latest SR, and when we learnt it, epoch milliseconds. */
  readonly senderPackets: number | null;
  readonly senderAtMs: number | null;
  /** Packets a second that the sender sends while it sends; 50 when unknown. */
  readonly packetRateHz: number;
  /** How often the receiver reports; null when unknown. */
  readonly paceMs: number | null;
}

/** What else a receiver's report is judged by. */
export interface ReportMoment {
  readonly atMs: number;
  /** When the channel began: no packet is older. */
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  /** On hold, not up: nothing that stands still is a fault. */
  readonly mayBeSilent: boolean;
  /** We came in the middle: the cumulative count of a first report says nothing of its interval. */
  readonly joinedLate: boolean;
}

/** Packets moved. Counts are `null` where the report cannot tell. */
export interface MediaMeasure {
  readonly kind: 'media';
  readonly packetsExpected: number | null;
  readonly packetsLost: number | null;
  /** Counted as lost by earlier intervals, but came after all. */
  readonly latePackets: number;
  readonly duplicates: number;
  /** The receiver counts from another point on than before. */
  readonly isFresh: boolean;
  /** Sequence or cumulative loss jumped by more than can have been sent: the numbering began anew. */
  readonly isRestart: boolean;
}

export type IntervalMeasure =
  | MediaMeasure
  /** Nothing was sent, or nothing that must have arrived yet. `undecided`: keep the old mark. */
  | { readonly kind: 'idle'; readonly undecided: boolean }
  /** Packets were sent and none arrived; null when nobody counted them. */
  | { readonly kind: 'dead'; readonly packetsLost: number | null };

const RESTART: MediaMeasure = {
  kind: 'media',
  packetsExpected: null,
  packetsLost: null,
  latePackets: 0,
  duplicates: 0,
  isFresh: true,
  isRestart: true,
};

/**
 * What one report says of the packets since the report before (RFC 3550 §6.4.1 and A.3). `block` null: it had none, since
 * nothing was received.
 * Handles wraps of both counters, duplicates and late packets (a falling cumulative count), a changed SSRC, a numbering that
 * begins anew, and a stream that stands still.
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
  const lostDelta = cumulativeLostDelta(block.cumulativeLostPackets, markLostPackets);
  return moved > 0
    ? movedOn(marks, block, moved, lostDelta, moment)
    : movedBack(marks, block, moved, lostDelta, moment);
}

/** Leaves the marks as the next report needs them. */
export function moveMarks(marks: StreamMarks, measure: IntervalMeasure, block: ReportBlock | null, atMs: number): void {
  if (measure.kind === 'idle' && measure.undecided) return;
  const lostNow = measure.kind === 'idle' ? 0 : (measure.packetsLost ?? 0);
  marks.markAtMs = atMs;
  if (measure.kind === 'media') {
    const reckonedPackets = block === null ? null : countWhereItStopped(marks, block);
    marks.markMovedAtMs = atMs;
    marks.markMovedSenderPackets = reckonedPackets ?? marks.senderPackets;
    marks.markMovedSenderAtMs = reckonedPackets === null ? marks.senderAtMs : null;
    if (block !== null) countFrom(marks, measure, block, lostNow);
  } else {
    marks.countedLostPackets += lostNow;
  }
  if (block !== null) {
    marks.markSsrc = block.sourceSsrc;
    marks.markLostPackets = block.cumulativeLostPackets;
    marks.markHighestSequence = block.extendedHighestSequence;
  }
  marks.markSenderPackets = marks.senderPackets;
  marks.markSenderAtMs = marks.senderAtMs;
  marks.markLostWhileStillPackets = measure.kind === 'media' ? null : (marks.markLostWhileStillPackets ?? 0) + lostNow;
}

/**
 * The sender's count that belongs to the highest number received, where that lags behind what the sender has told: the rest did
 * not arrive, as far as the receiver can know. Null where it does not lag, and where nobody can say.
 */
function countWhereItStopped(marks: Readonly<StreamMarks>, block: ReportBlock): number | null {
  const { markSsrc, markHighestSequence, markMovedSenderPackets, markSenderPackets, senderPackets } = marks;
  if (markSsrc !== block.sourceSsrc || markHighestSequence === null) return null;
  if (markMovedSenderPackets === null || senderPackets === null) return null;
  const moved = wrappedDelta(block.extendedHighestSequence, markHighestSequence, EXTENDED_SEQUENCE_MODULUS);
  const sent = wrappedDelta(senderPackets, markMovedSenderPackets, PACKET_COUNT_MODULUS);
  if (moved < 0 || moved >= sent * REACHED_RATIO) return null;
  return Math.max(markMovedSenderPackets + moved, markSenderPackets ?? 0);
}

/** What was not counted, because it cannot have been lost or must not be judged, is never counted later either. */
function countFrom(marks: StreamMarks, measure: MediaMeasure, block: ReportBlock, lostNow: number): void {
  if (measure.isFresh) {
    marks.baselineLostPackets = 0;
    marks.countedLostPackets = 0;
    marks.recentLostPackets = 0;
  }
  marks.countedLostPackets = Math.max(0, marks.countedLostPackets + lostNow - measure.latePackets);
  marks.recentLostPackets = lostNow + marks.recentLostPackets / 2;
  const sinceBaseline = cumulativeLostDelta(block.cumulativeLostPackets, marks.baselineLostPackets);
  // Below the baseline are packets that came twice: they stand against those that will be lost.
  if (sinceBaseline < 0 && marks.countedLostPackets === 0) return;
  marks.baselineLostPackets = block.cumulativeLostPackets - marks.countedLostPackets;
}

/** How many packets can have been sent since the receiver last moved, of which `receivedPackets` arrived. */
function sendableSinceMark(marks: Readonly<StreamMarks>, moment: ReportMoment, receivedPackets: number): Sendable {
  const sinceMs = marks.markMovedAtMs ?? marks.markAtMs ?? moment.startedAtMs;
  return sendablePackets(marks, sinceMs, moment.atMs, receivedPackets);
}

/** The highest sequence number rose by `moved` packets, and the cumulative loss by `lostDelta`. */
function movedOn(
  marks: Readonly<StreamMarks>,
  block: ReportBlock,
  moved: number,
  lostDelta: number,
  moment: ReportMoment,
): IntervalMeasure {
  const sendable = sendableSinceMark(marks, moment, moved - Math.max(0, lostDelta));
  const isFarStep = moved >= MAX_DROPOUT_PACKETS && moved > sendable.farthestPackets;
  const isLeapOfCount = lostDelta - moved > Math.max(COUNTING_SLACK_PACKETS, moved * COUNTING_SLACK_RATIO);
  if (isFarStep || isLeapOfCount) return RESTART;

  const isFresh = isCounterReset(marks, block, lostDelta);
  const sinceBaseline = isFresh
    ? block.cumulativeLostPackets
    : cumulativeLostDelta(block.cumulativeLostPackets, marks.baselineLostPackets);
  const change = Math.max(0, sinceBaseline) - (isFresh ? 0 : marks.countedLostPackets);
  const reported = Math.min(isFresh ? sinceBaseline : Math.max(0, lostDelta), moved);
  const cannotBeLost = reported - boundedLoss(reported, moved, sendable);
  const packetsLost = Math.min(Math.max(0, change - cannotBeLost), moved);
  const latePackets = Math.max(0, -change);
  // The receiver notices only now what was lost while it stood still, and what was expected as such already.
  const expectedBefore = cannotBeLost + (marks.markLostWhileStillPackets ?? 0);
  // Nor were packets expected that nobody can have sent.
  const canBeExpected = moved > sendable.farthestPackets ? Math.round(sendable.farthestPackets) : moved;
  return {
    kind: 'media',
    packetsExpected: Math.max(packetsLost, Math.min(moved - expectedBefore, canBeExpected)),
    packetsLost,
    latePackets,
    duplicates: isFresh ? 0 : Math.max(0, -lostDelta - latePackets),
    isFresh,
    isRestart: false,
  };
}

/** No more can be lost than was sent, and of a step that nothing explains no more than the sender sent beyond what arrived. */
function boundedLoss(reported: number, moved: number, sendable: Sendable): number {
  const atMost = Math.round(sendable.atMostPackets);
  if (reported <= atMost) return reported;
  if (moved <= sendable.farthestPackets) return atMost;
  return Math.min(atMost, Math.max(0, Math.round(sendable.aboutPackets) - (moved - reported)));
}

/** Whether the count fell because the receiver counts afresh: that many packets, lost long ago, do not arrive after all. */
function isCounterReset(marks: Readonly<StreamMarks>, block: ReportBlock, lostDelta: number): boolean {
  const { cumulativeLostPackets: now } = block;
  const fall = -lostDelta;
  return fall >= RESET_FALL_PACKETS && fall > marks.recentLostPackets && now >= 0 && now < fall;
}

/** The highest sequence number fell: a wrap that the receiver does not count, a report that came late, or a new beginning. */
function movedBack(
  marks: Readonly<StreamMarks>,
  block: ReportBlock,
  moved: number,
  lostDelta: number,
  moment: ReportMoment,
): IntervalMeasure {
  const { farthestPackets } = sendableSinceMark(marks, moment, 0);
  const afterWrap = moved + SEQUENCE_CYCLE_PACKETS;
  if (afterWrap > 0 && afterWrap <= farthestPackets && Math.abs(lostDelta) <= afterWrap) {
    return movedOn(marks, block, afterWrap, lostDelta, moment);
  }
  return -moved <= MAX_MISORDER_PACKETS ? { kind: 'idle', undecided: true } : RESTART;
}

/** The first report about a stream: its counts are those since the stream began. */
function firstReport(block: ReportBlock, marks: Readonly<StreamMarks>, moment: ReportMoment): IntervalMeasure {
  if (moment.joinedLate && marks.markAtMs === null) return { ...RESTART, isRestart: false };
  const { atMostPackets, farthestPackets } = sendableSinceMark(marks, moment, 0);
  if (block.cumulativeLostPackets > farthestPackets) return RESTART;
  const packetsLost = Math.min(Math.max(0, block.cumulativeLostPackets), Math.round(atMostPackets));
  return {
    kind: 'media',
    packetsExpected: expectedAtFirst(packetsLost, block, marks, moment),
    packetsLost,
    latePackets: 0,
    duplicates: Math.max(0, -block.cumulativeLostPackets),
    isFresh: true,
    isRestart: false,
  };
}

/** The receiver got nothing since its last report: was anything sent to it? */
function standingStill(marks: Readonly<StreamMarks>, { mayBeSilent }: ReportMoment): IntervalMeasure {
  const { markAtMs, markSenderPackets, markSenderAtMs, markLostWhileStillPackets, senderPackets, senderAtMs } = marks;
  if (mayBeSilent || senderPackets === null || senderAtMs === null) return { kind: 'idle', undecided: false };
  const sentPackets = wrappedDelta(senderPackets, markSenderPackets ?? 0, PACKET_COUNT_MODULUS);
  // Without a newer SR nobody can say; with one that counts no more packets, nothing was sent.
  if (sentPackets <= 0) return { kind: 'idle', undecided: senderAtMs === markSenderAtMs };
  // Part of these may have been sent, and received, between the older SR and the last report, unless it stood still by then.
  const mayHaveCome = markAtMs !== null && markSenderAtMs !== null && markLostWhileStillPackets === null;
  const sinceOlderSrS = mayHaveCome ? (markAtMs - markSenderAtMs) / 1000 : 0;
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
