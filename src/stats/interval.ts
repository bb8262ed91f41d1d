import type { ReportBlock } from '../model/report.ts';
import { cumulativeLostDelta, SEQUENCE_CYCLE_PACKETS } from '../units/rtp.ts';
import { MAX_DROPOUT_PACKETS } from './packets/dropout.ts';
import { expectedAtFirst } from './first-report.ts';
import { type Sendable, sendablePackets, wrappedDelta } from './sendable.ts';
import type { ReportMoment, StreamMarks } from './stream-marks.ts';

const EXTENDED_SEQUENCE_MODULUS = 0x1_0000_0000;
const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** Packets sent so shortly before the receiver's report may still have been on their way. */
const IN_FLIGHT_ALLOWANCE_S = 0.5;
/** A step back by at most this many packets is disorder (RFC 3550 A.1). */
const MAX_MISORDER_PACKETS = 100;
/** No receiver can lose more than it expected, but a few count the two at slightly different moments. */
const COUNTING_SLACK_PACKETS = 5;
const COUNTING_SLACK_RATIO = 0.1;
/**
 * A receiver that has got at least this part of what was sent never stopped: its reports and the sender's are of different
 * moments.
 */
const REACHED_RATIO = 0.9;
/** A cumulative count that falls by fewer packets fell because packets came late or twice. */
const RESET_FALL_PACKETS = 5;

/** Packets moved. A count is null where the report cannot tell. */
export interface MediaMeasure {
  readonly kind: 'media';
  readonly packetsExpected: number | null;
  readonly packetsLost: number | null;
  /** Packets that earlier intervals counted as lost and that came after all. */
  readonly latePackets: number;
  readonly duplicates: number;
  /** The receiver began to count from zero again. */
  readonly isFresh: boolean;
  /** Sequence or cumulative loss jumped by more than can have been sent, so the numbering began anew. */
  readonly isRestart: boolean;
}

export type IntervalMeasure =
  | MediaMeasure
  /** Nothing was sent, or nothing that must have arrived by now. `undecided`: the next report decides, so keep the marks. */
  | { readonly kind: 'idle'; readonly undecided: boolean }
  /** Packets were sent and none arrived. `packetsLost` null: nobody counted them. */
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
 * Measures the packets between a receiver's last report and this one (RFC 3550 §6.4.1 and A.3). `block` null: the report has
 * none, because nothing was received.
 * Handles wraps of both counters, duplicates and late packets (the cumulative count falls), a new SSRC, a numbering that begins
 * anew, and a stream that stands still.
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

/** Moves the marks to this report. */
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
 * The sender's count at the highest number received, if the sender has counted beyond it: those packets have not arrived, as far
 * as the receiver knows. Null: the sender has not counted beyond it, or nobody can tell.
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

/**
 * Moves the baseline over losses that were not counted, because they were impossible or must not be judged. So no later report
 * counts them.
 */
function countFrom(marks: StreamMarks, measure: MediaMeasure, block: ReportBlock, lostNow: number): void {
  if (measure.isFresh) {
    marks.baselineLostPackets = 0;
    marks.countedLostPackets = 0;
    marks.recentLostPackets = 0;
  }
  marks.countedLostPackets = Math.max(0, marks.countedLostPackets + lostNow - measure.latePackets);
  marks.recentLostPackets = lostNow + marks.recentLostPackets / 2;
  const sinceBaseline = cumulativeLostDelta(block.cumulativeLostPackets, marks.baselineLostPackets);
  // A count below the baseline is of packets that came twice; RFC 3550 sets those against later losses.
  if (sinceBaseline < 0 && marks.countedLostPackets === 0) return;
  marks.baselineLostPackets = block.cumulativeLostPackets - marks.countedLostPackets;
}

/** How many packets can have been sent since the receiver last moved, if `receivedPackets` of them arrived. */
function sendableSinceMark(marks: Readonly<StreamMarks>, moment: ReportMoment, receivedPackets: number): Sendable {
  const sinceMs = marks.markMovedAtMs ?? marks.markAtMs ?? moment.startedAtMs;
  return sendablePackets(marks, sinceMs, moment.atMs, receivedPackets);
}

/** The highest sequence number rose by `moved` packets, the cumulative loss by `lostDelta`. */
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
  // Only now does the receiver see what it lost while it stood still. Those packets were counted as expected already.
  const expectedBefore = cannotBeLost + (marks.markLostWhileStillPackets ?? 0);
  // Packets that nobody can have sent were not expected either.
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

/**
 * Bounds the reported loss by what can have been sent. If even that does not explain the step, only packets that the sender sent
 * beyond those that arrived are lost.
 */
function boundedLoss(reported: number, moved: number, sendable: Sendable): number {
  const atMost = Math.round(sendable.atMostPackets);
  if (reported <= atMost) return reported;
  if (moved <= sendable.farthestPackets) return atMost;
  return Math.min(atMost, Math.max(0, Math.round(sendable.aboutPackets) - (moved - reported)));
}

/**
 * Whether the count fell because the receiver counts from zero again: so many packets that were lost long ago do not arrive late.
 */
function isCounterReset(marks: Readonly<StreamMarks>, block: ReportBlock, lostDelta: number): boolean {
  const { cumulativeLostPackets: now } = block;
  const fall = -lostDelta;
  return fall >= RESET_FALL_PACKETS && fall > marks.recentLostPackets && now >= 0 && now < fall;
}

/** The highest sequence number fell: the receiver does not count wraps, or the report came late, or the numbering began anew. */
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

/** The first report about a stream counts everything since the stream began. */
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

/** The receiver got nothing since its last report. Was anything sent to it? */
function standingStill(marks: Readonly<StreamMarks>, { mayBeSilent }: ReportMoment): IntervalMeasure {
  const { markAtMs, markSenderPackets, markSenderAtMs, markLostWhileStillPackets, senderPackets, senderAtMs } = marks;
  if (mayBeSilent || senderPackets === null || senderAtMs === null) return { kind: 'idle', undecided: false };
  const sentPackets = wrappedDelta(senderPackets, markSenderPackets ?? 0, PACKET_COUNT_MODULUS);
  // Without a newer SR nobody can tell. A newer one that counts no more packets says that nothing was sent.
  if (sentPackets <= 0) return { kind: 'idle', undecided: senderAtMs === markSenderAtMs };
  // Some of these packets may have arrived between the older SR and the last report, unless the receiver stood still by then.
  const mayHaveCome = markAtMs !== null && markSenderAtMs !== null && markLostWhileStillPackets === null;
  const sinceOlderSrS = mayHaveCome ? (markAtMs - markSenderAtMs) / 1000 : 0;
  const perhapsNotOverdue = (sinceOlderSrS + IN_FLIGHT_ALLOWANCE_S) * marks.packetRateHz;
  if (sentPackets <= perhapsNotOverdue) return { kind: 'idle', undecided: true };
  return { kind: 'dead', packetsLost: Math.round(sentPackets * shareSinceLastReport(marks, senderAtMs)) };
}

/**
 * The part of the packets since the sender's older SR that it sent after the receiver's last report, if it sent them evenly.
 * Earlier ones arrived, unless the receiver already stood still.
 */
function shareSinceLastReport(
  { markAtMs, markSenderAtMs, markLostWhileStillPackets }: Readonly<StreamMarks>,
  senderAtMs: number,
): number {
  if (markAtMs === null || markSenderAtMs === null || markLostWhileStillPackets !== null) return 1;
  const sinceOlderMs = senderAtMs - markSenderAtMs;
  return sinceOlderMs > 0 ? Math.min(1, Math.max(0, (senderAtMs - markAtMs) / sinceOlderMs)) : 1;
}
