import { describe, expect, test } from 'vitest';
import type { ReportBlock } from '../../../src/model/report.ts';
import { type IntervalMeasure, moveMarks } from '../../../src/stats/interval.ts';
import type { StreamMarks } from '../../../src/stats/stream-marks.ts';
import { block, input, type Mark, mark, marksOf, measureInterval, media } from './reported.ts';

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
