import type { ReportBlock } from '../../../src/model/report.ts';
import {
  type IntervalMeasure,
  type MediaMeasure,
  measureInterval as measureMarks,
} from '../../../src/stats/interval.ts';
import type { ReportMoment, StreamMarks } from '../../../src/stats/stream-marks.ts';
import { reportBlock } from '../calls/script.ts';

/** A report block without jitter, from a receiver that has had no SR. */
export const block = (
  extendedHighestSequence: number,
  cumulativeLostPackets: number,
  of: Partial<ReportBlock> = {},
): ReportBlock => reportBlock(extendedHighestSequence, cumulativeLostPackets, { lsrNtp32: 0, ...of });

/** What the sender had counted at its last SR. */
export interface Sender {
  readonly sentPackets: number;
  readonly atMs: number;
}

/** Where the receiver stood at its last report. */
export interface Mark {
  readonly block: ReportBlock | null;
  readonly sender: Sender | null;
  readonly atMs: number;
  readonly lostWhileStillPackets: number | null;
}

/** A report, and what was known before it. */
export interface Input extends ReportMoment {
  readonly previous: Mark | null;
  readonly block: ReportBlock | null;
  readonly sender: Sender | null;
  readonly packetRateHz: number;
}

export function mark(of: Partial<Mark>): Mark {
  return { block: block(1000, 0), sender: null, atMs: 10_000, lostWhileStillPackets: null, ...of };
}

export function input(of: Partial<Input>): Input {
  return {
    previous: mark({}),
    block: block(1250, 0),
    sender: null,
    atMs: 15_000,
    packetRateHz: 50,
    startedAtMs: 9000,
    answeredAtMs: null,
    mayBeSilent: false,
    joinedLate: false,
    isSurelyFirst: false,
    ...of,
  };
}

export function marksOf({
  previous,
  sender,
  packetRateHz,
}: Pick<Input, 'previous' | 'sender' | 'packetRateHz'>): StreamMarks {
  return {
    markAtMs: previous?.atMs ?? null,
    markSsrc: previous?.block?.sourceSsrc ?? null,
    markLostPackets: previous?.block?.cumulativeLostPackets ?? null,
    markHighestSequence: previous?.block?.extendedHighestSequence ?? null,
    markMovedAtMs: previous === null || previous.block === null ? null : previous.atMs,
    markMovedSenderPackets: previous?.sender?.sentPackets ?? null,
    markMovedSenderAtMs: previous?.sender?.atMs ?? null,
    markSenderPackets: previous?.sender?.sentPackets ?? null,
    markSenderAtMs: previous?.sender?.atMs ?? null,
    markLostWhileStillPackets: previous?.lostWhileStillPackets ?? null,
    baselineLostPackets: previous?.block?.cumulativeLostPackets ?? 0,
    countedLostPackets: previous?.lostWhileStillPackets ?? 0,
    recentLostPackets: 0,
    senderPackets: sender?.sentPackets ?? null,
    senderAtMs: sender?.atMs ?? null,
    packetRateHz,
    paceMs: null,
  };
}

/** Packets that moved and were counted from where they were before. */
export function media(of: Partial<MediaMeasure>): MediaMeasure {
  return {
    kind: 'media',
    packetsExpected: null,
    packetsLost: null,
    latePackets: 0,
    duplicates: 0,
    isFresh: false,
    isRestart: false,
    ...of,
  };
}

export function measureInterval(given: Input): IntervalMeasure {
  return measureMarks(marksOf(given), given.block, given);
}
