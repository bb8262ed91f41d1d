import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cumulativeLostDelta, signed24 } from '../../../src/units/rtp.ts';
import { block, input, mark, measureInterval, media } from './reported.ts';

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

  test('a small fraction of a first report says no better than the sender what was expected, unless it contradicts', () => {
    const sender = { sentPackets: 505, atMs: 14_800 };
    // 10 of 515 are 4.97/256, told as 4: by that alone it would be 640 packets.
    const coarse = block(30_514, 10, { fractionLostQ8: 4 });
    expect(measureInterval(input({ previous: null, block: coarse, sender }))).toMatchObject({ packetsExpected: 515 });
    // 7 of 515 are told as 3; with 4 the receiver expected at most 448.
    const other = block(30_514, 7, { fractionLostQ8: 4 });
    expect(measureInterval(input({ previous: null, block: other, sender }))).toMatchObject({ packetsExpected: 448 });
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
