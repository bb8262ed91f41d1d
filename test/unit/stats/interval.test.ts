import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReportBlock } from '../../../src/model/report.ts';
import {
  type IntervalMeasure,
  type MediaMeasure,
  measureInterval as measureMarks,
  moveMarks,
  type ReportMoment,
  type StreamMarks,
} from '../../../src/stats/interval.ts';
import { cumulativeLostDelta, signed24 } from '../../../src/units/rtp.ts';

function block(
  extendedHighestSequence: number,
  cumulativeLostPackets: number,
  of: Partial<ReportBlock> = {},
): ReportBlock {
  return {
    sourceSsrc: 0xabc,
    fractionLostQ8: 0,
    cumulativeLostPackets,
    extendedHighestSequence,
    jitterTicks: 0,
    lsrNtp32: 0,
    dlsrS: 0,
    ...of,
  };
}

interface Sender {
  readonly sentPackets: number;
  readonly atMs: number;
}

/** Where the receiver stood at its last report. */
interface Mark {
  readonly block: ReportBlock | null;
  readonly sender: Sender | null;
  readonly atMs: number;
  readonly lostWhileStillPackets: number | null;
}

/** A report, and what was known before it. */
interface Input extends ReportMoment {
  readonly previous: Mark | null;
  readonly block: ReportBlock | null;
  readonly sender: Sender | null;
  readonly packetRateHz: number;
}

function mark(of: Partial<Mark>): Mark {
  return { block: block(1000, 0), sender: null, atMs: 10_000, lostWhileStillPackets: null, ...of };
}

function input(of: Partial<Input>): Input {
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
    ...of,
  };
}

function marksOf({ previous, sender, packetRateHz }: Pick<Input, 'previous' | 'sender' | 'packetRateHz'>): StreamMarks {
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
function media(of: Partial<MediaMeasure>): MediaMeasure {
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

function measureInterval(told: Input): IntervalMeasure {
  return measureMarks(marksOf(told), told.block, told);
}

describe('signed 24-bit loss', () => {
  test.each([
    [0, 0],
    [8_388_607, 8_388_607],
    [8_388_608, -8_388_608],
    [16_777_215, -1],
    [16_777_216, 0],
  ])('%d on the wire is %d', (wire, packets) => {
    expect(signed24(wire)).toBe(packets);
  });

  test('a difference across the wrap is small', () => {
    expect(cumulativeLostDelta(-8_388_606, 8_388_606)).toBe(4);
    expect(cumulativeLostDelta(8_388_606, -8_388_606)).toBe(-4);
  });
});

describe('packets that moved', () => {
  test('loss is the difference of the cumulative counts', () => {
    const measured = measureInterval(input({ previous: mark({ block: block(1000, 7) }), block: block(1250, 17) }));
    expect(measured).toEqual(media({ packetsExpected: 250, packetsLost: 10 }));
  });

  test('a falling count is duplicates, not loss', () => {
    const measured = measureInterval(
      input({ previous: mark({ block: block(1000, 0) }), block: block(1250, signed24(16_777_215)) }),
    );
    expect(measured).toEqual(media({ packetsExpected: 250, packetsLost: 0, duplicates: 1 }));
  });

  test('the sequence wraps at 32 bits', () => {
    const measured = measureInterval(
      input({ previous: mark({ block: block(0xffff_fff0, 0) }), block: block(0x10, 2) }),
    );
    expect(measured).toMatchObject({ packetsExpected: 32, packetsLost: 2 });
  });

  test('the first report of a stream counts from 0, what was expected follows from the fraction lost', () => {
    const first = block(30_250, 10, { fractionLostQ8: 10 });
    expect(measureInterval(input({ previous: null, block: first }))).toEqual(
      media({ packetsExpected: 256, packetsLost: 10, isFresh: true }),
    );
    expect(measureInterval(input({ previous: null, block: block(30_250, 0) }))).toMatchObject({
      packetsExpected: null,
      packetsLost: 0,
    });
  });

  test('a first report whose predecessor was lost counts the loss of two, and its fraction that of one', () => {
    const sender = { sentPackets: 95, atMs: 14_900 };
    const second = block(30_100, 4, { fractionLostQ8: 5 });
    // 4 · 256 / 5 would be 205 packets; 95 were sent 0.1 s ago, at 50 a second.
    expect(measureInterval(input({ previous: null, block: second, sender }))).toMatchObject({ packetsExpected: 100 });
    const first = block(30_100, 4, { fractionLostQ8: 10 });
    expect(measureInterval(input({ previous: null, block: first, sender }))).toMatchObject({ packetsExpected: 102 });
  });

  test('a first report cannot have expected more than its sequence has numbers, whatever the sender counts', () => {
    // The sender's count is of another stream as well: 99 numbers from 0 to 98.
    const sender = { sentPackets: 250, atMs: 15_000 };
    const lossy = block(98, 6, { fractionLostQ8: 15 });
    expect(measureInterval(input({ previous: null, block: lossy, sender }))).toMatchObject({ packetsExpected: 102 });
    expect(measureInterval(input({ previous: null, block: block(98, 0), sender }))).toMatchObject({
      packetsExpected: 99,
    });
  });

  test('a new SSRC is a new baseline', () => {
    const other = block(9, 1, { sourceSsrc: 0xdef, fractionLostQ8: 26 });
    const measured = measureInterval(input({ previous: mark({ block: block(60_000, 500) }), block: other }));
    expect(measured).toMatchObject({ kind: 'media', packetsLost: 1, packetsExpected: 10 });
  });

  test('a first report without loss: what the sender had sent until then is what was expected', () => {
    const first = { previous: null, block: block(30_250, 0), atMs: 15_000 };
    const counted = { sentPackets: 220, atMs: 14_500 };
    expect(measureInterval(input({ ...first, sender: counted }))).toMatchObject({ packetsExpected: 245 });
    expect(measureInterval(input({ ...first, sender: counted, mayBeSilent: true }))).toMatchObject({
      packetsExpected: null,
    });
  });

  test('one who joined late knows nothing of the first interval', () => {
    const measured = measureInterval(
      input({ previous: null, joinedLate: true, block: block(30_250, 4000, { fractionLostQ8: 10 }) }),
    );
    expect(measured).toEqual(media({ isFresh: true }));
  });

  test('the sum of the intervals is the whole, however it is cut', () => {
    const steps = fc.array(
      fc.record({ moved: fc.integer({ min: 1, max: 500 }), lostRatio: fc.double({ min: 0, max: 1, noNaN: true }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: -8_388_608, max: 8_388_607 }),
        steps,
        (startSequence, startLost, row) => {
          let at = block(startSequence, startLost);
          let expected = 0;
          let lost = 0;
          let wantedExpected = 0;
          let wantedLost = 0;
          for (const { moved, lostRatio } of row) {
            const lostNow = Math.floor(moved * lostRatio);
            const next = block(
              (at.extendedHighestSequence + moved) % 2 ** 32,
              signed24(at.cumulativeLostPackets + lostNow),
            );
            const measured = measureInterval(input({ previous: mark({ block: at }), block: next }));
            if (measured.kind !== 'media') throw new Error(`${measured.kind} for ${moved} packets`);
            expected += measured.packetsExpected ?? 0;
            lost += measured.packetsLost ?? 0;
            wantedExpected += moved;
            wantedLost += lostNow;
            at = next;
          }
          expect({ expected, lost }).toEqual({ expected: wantedExpected, lost: wantedLost });
        },
      ),
    );
  });
});

describe('packets that stood still', () => {
  const still = { block: block(1000, 0) };
  const sentBefore = { sentPackets: 500, atMs: 9000 };

  test('sent but nothing arrived: dead, and what was sent after the last report is lost', () => {
    // The older SR came 1 s before the last report, this one 4 s after it: four fifths of 250.
    const moving = mark({ sender: sentBefore });
    const sender = { sentPackets: 750, atMs: 14_000 };
    expect(measureInterval(input({ ...still, previous: moving, sender }))).toEqual({ kind: 'dead', packetsLost: 200 });
    // It had stood still before: nothing of the 250 came in.
    const standing = mark({ sender: sentBefore, lostWhileStillPackets: 0 });
    expect(measureInterval(input({ ...still, previous: standing, sender }))).toEqual({
      kind: 'dead',
      packetsLost: 250,
    });
  });

  test('two SRs of one moment leave the loss whole', () => {
    const previous = mark({ sender: { sentPackets: 500, atMs: 10_000 } });
    const sender = { sentPackets: 750, atMs: 10_000 };
    expect(measureInterval(input({ ...still, previous, sender }))).toEqual({ kind: 'dead', packetsLost: 250 });
  });

  test('what was counted as lost while it stood still is not lost once more when it moves', () => {
    const previous = mark({ block: block(1000, 10), lostWhileStillPackets: 375 });
    expect(measureInterval(input({ previous, block: block(1750, 510) }))).toEqual(
      media({ packetsExpected: 375, packetsLost: 125 }),
    );
    // Less was lost than was thought: of 750 packets 300, where 375 had been counted.
    expect(measureInterval(input({ previous, block: block(1750, 310) }))).toEqual(
      media({ packetsExpected: 375, packetsLost: 0, latePackets: 75 }),
    );
    // Another stream knows nothing of that.
    const other = block(9, 1, { sourceSsrc: 0xdef, fractionLostQ8: 26 });
    expect(measureInterval(input({ previous, block: other }))).toMatchObject({ packetsLost: 1, packetsExpected: 10 });
  });

  test('a report without any block while we send is dead as well', () => {
    const measured = measureInterval(
      input({ previous: null, block: null, sender: { sentPackets: 250, atMs: 14_000 } }),
    );
    expect(measured).toEqual({ kind: 'dead', packetsLost: 250 });
  });

  test('nothing sent: idle', () => {
    const measured = measureInterval(
      input({ ...still, previous: mark({ sender: sentBefore }), sender: { sentPackets: 500, atMs: 14_000 } }),
    );
    expect(measured).toEqual({ kind: 'idle', undecided: false });
  });

  test('what was sent before the last report may have arrived before it: nobody can say yet', () => {
    const measured = measureInterval(
      input({ ...still, previous: mark({ sender: sentBefore }), sender: { sentPackets: 540, atMs: 14_000 } }),
    );
    expect(measured).toEqual({ kind: 'idle', undecided: true });
  });

  test('no newer SR: nobody can say yet', () => {
    const measured = measureInterval(input({ ...still, previous: mark({ sender: sentBefore }), sender: sentBefore }));
    expect(measured).toEqual({ kind: 'idle', undecided: true });
  });

  test('on hold nothing that stands still is a fault', () => {
    const measured = measureInterval(
      input({
        ...still,
        mayBeSilent: true,
        previous: mark({ sender: sentBefore }),
        sender: { sentPackets: 750, atMs: 14_000 },
      }),
    );
    expect(measured).toEqual({ kind: 'idle', undecided: false });
  });

  test('the sender counts 32 bits', () => {
    const measured = measureInterval(
      input({
        ...still,
        previous: mark({ sender: { sentPackets: 0xffff_ff00, atMs: 10_000 }, lostWhileStillPackets: 0 }),
        sender: { sentPackets: 0x40, atMs: 15_000 },
      }),
    );
    expect(measured).toEqual({ kind: 'dead', packetsLost: 320 });
  });
});

describe('the marks that a report leaves', () => {
  const sender = { sentPackets: 750, atMs: 14_000 };
  const before = mark({ sender: { sentPackets: 500, atMs: 9000 }, lostWhileStillPackets: 40 });

  function leftBy(measure: IntervalMeasure, next: ReportBlock | null): StreamMarks {
    const marks = marksOf({ previous: before, sender, packetRateHz: 50 });
    moveMarks(marks, measure, next, 15_000);
    return marks;
  }

  test('are where the receiver stands now, and what the sender had counted by then', () => {
    const measure = media({ packetsExpected: 250, packetsLost: 3, isFresh: true });
    const next = block(1250, 3, { sourceSsrc: 0xdef });
    const after = mark({ block: next, sender, atMs: 15_000 });
    expect(leftBy(measure, next)).toEqual({
      ...marksOf({ previous: after, sender, packetRateHz: 50 }),
      baselineLostPackets: 0,
      countedLostPackets: 3,
      recentLostPackets: 3,
    });
  });

  test('add up what was lost while it stood still, at the old place where the report had no block', () => {
    const after = { ...before, sender, atMs: 15_000 };
    const standing = (previous: Mark) => ({
      ...marksOf({ previous, sender, packetRateHz: 50 }),
      markMovedAtMs: before.atMs,
      markMovedSenderPackets: before.sender?.sentPackets ?? null,
      markMovedSenderAtMs: before.sender?.atMs ?? null,
    });
    expect(leftBy({ kind: 'dead', packetsLost: 200 }, null)).toEqual(
      standing({ ...after, lostWhileStillPackets: 240 }),
    );
    for (const measure of [{ kind: 'dead', packetsLost: null } as const, { kind: 'idle', undecided: false } as const]) {
      expect(leftBy(measure, null)).toEqual(standing(after));
    }
  });

  test('stay as they were while nobody can say', () => {
    const measure = { kind: 'idle', undecided: true } as const;
    expect(leftBy(measure, block(1000, 0))).toEqual(marksOf({ previous: before, sender, packetRateHz: 50 }));
  });
});
