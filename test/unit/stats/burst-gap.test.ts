import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BurstGapTotals } from '../../../src/model/capture.ts';
import { BurstGapMeter, burstRatio } from '../../../src/stats/packets/burst-gap.ts';
import { BurstLog, MOST_SPANS } from '../../../src/stats/packets/burst-log.ts';

/** `1` received, anything else lost or discarded. */
function measure(packets: string, gmin = 16): BurstGapTotals {
  const meter = new BurstGapMeter(gmin);
  for (const packet of packets) {
    if (packet === '1') meter.received();
    else meter.missing();
  }
  return meter.totals();
}

/** The definition word by word, with every packet in memory. */
function bruteForce(packets: string, gmin: number): BurstGapTotals {
  const losses = packets.split('').flatMap((packet, index) => (packet === '1' ? [] : [index]));
  const inBurst = Array.from(packets, () => false);
  let bursts = 0;
  for (let from = 0; from < losses.length;) {
    let to = from;
    // Fewer than Gmin received packets up to the next loss: it belongs to the same stretch.
    while (to + 1 < losses.length && (losses[to + 1] ?? 0) - (losses[to] ?? 0) - 1 < gmin) to += 1;
    if (to > from) {
      bursts += 1;
      inBurst.fill(true, losses[from], (losses[to] ?? 0) + 1);
    }
    from = to + 1;
  }
  const countWhere = (holds: (index: number) => boolean): number =>
    packets.split('').filter((_, index) => holds(index)).length;
  const isLoss = (index: number): boolean => packets[index] !== '1';
  return {
    bursts,
    burstPackets: countWhere((index) => inBurst[index] === true),
    burstLosses: countWhere((index) => inBurst[index] === true && isLoss(index)),
    gaps: countWhere((index) => inBurst[index] === false && (index === 0 || inBurst[index - 1] === true)),
    gapPackets: countWhere((index) => inBurst[index] === false),
    gapLosses: countWhere((index) => inBurst[index] === false && isLoss(index)),
    lossRuns: packets.match(/[^1]+/g)?.length ?? 0,
    longestLossRun: Math.max(0, ...(packets.match(/[^1]+/g) ?? []).map(({ length }) => length)),
  };
}

describe('bursts and gaps', () => {
  test('the worked example of RFC 3611 §4.7.2', () => {
    const totals = measure('11110111111111111111111X111X1011110111111111111111111X111111111');
    expect(totals.bursts).toBe(1);
    expect(totals.burstPackets * 10).toBe(120);
    expect(totals.burstLosses / totals.burstPackets).toBeCloseTo(1 / 3, 12);
    expect(totals.gapLosses / totals.gapPackets).toBeCloseTo(2 / 51, 12);
    expect((totals.gapPackets * 10) / totals.gaps).toBe(255);
  });

  test('its durations go by timestamps: means of 120 and 255 ms, and more where the sender paused', () => {
    const packets = '11110111111111111111111X111X1011110111111111111111111X111111111';
    const meter = (pauseAfter: number): BurstGapMeter => {
      const made = new BurstGapMeter(16);
      for (const [index, packet] of packets.split('').entries()) {
        const mediaMs = index * 10 + (index > pauseAfter ? 5000 : 0);
        if (packet === '1') made.received(mediaMs);
        else made.missing(mediaMs);
      }
      return made;
    };
    // 12 packets, and two gaps with the other 51 of the 63 packets.
    expect(meter(packets.length).durations(10)).toEqual({ burstMs: 120, gapMs: 510 });
    // A pause after the tenth packet lies in a gap, one after the 27th, between two losses, in the burst.
    expect(meter(9).durations(10)).toEqual({ burstMs: 120, gapMs: 5510 });
    expect(meter(26).durations(10)).toEqual({ burstMs: 5120, gapMs: 510 });
    expect(new BurstGapMeter(16).durations(10)).toEqual({ burstMs: 0, gapMs: 0 });
  });

  test('one loss more or less than Gmin apart', () => {
    const apart = (received: number): string => `${'1'.repeat(20)}0${'1'.repeat(received)}0${'1'.repeat(20)}`;
    expect(measure(apart(15))).toMatchObject({ bursts: 1, burstPackets: 17, burstLosses: 2, gaps: 2, gapLosses: 0 });
    expect(measure(apart(16))).toMatchObject({ bursts: 0, burstPackets: 0, gaps: 1, gapPackets: 58, gapLosses: 2 });
  });

  test('a session that begins or ends with losses counts as surrounded by received packets', () => {
    expect(measure('0')).toMatchObject({ bursts: 0, gaps: 1, gapPackets: 1, gapLosses: 1 });
    expect(measure('00')).toMatchObject({ bursts: 1, burstPackets: 2, gaps: 0, gapPackets: 0 });
    expect(measure(`00${'1'.repeat(30)}0`)).toMatchObject({ bursts: 1, gaps: 1, gapPackets: 31, gapLosses: 1 });
    expect(measure('1'.repeat(5))).toMatchObject({ bursts: 0, gaps: 1, gapPackets: 5, gapLosses: 0, lossRuns: 0 });
    expect(measure('')).toMatchObject({ bursts: 0, gaps: 0, gapPackets: 0, lossRuns: 0 });
  });

  test('is what the definition says, for any losses and any Gmin', () => {
    const packet = fc.oneof(
      { weight: 6, arbitrary: fc.constant('1') },
      { weight: 1, arbitrary: fc.constantFrom('0', 'X') },
    );
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (packets, gmin) => {
        const text = packets.join('');
        expect(measure(text, gmin)).toEqual(bruteForce(text, gmin));
      }),
      { numRuns: 1000 },
    );
  });

  test('totals asked for in the middle change nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('1', '1', '1', '0'), maxLength: 200 }), (text) => {
        const meter = new BurstGapMeter(3);
        for (const [index, packet] of text.split('').entries()) {
          expect(meter.totals()).toEqual(bruteForce(text.slice(0, index), 3));
          if (packet === '1') meter.received();
          else meter.missing();
        }
      }),
    );
  });

  test('refuses a Gmin that is none', () => {
    for (const gmin of [0, -1, 1.5, Number.NaN]) expect(() => new BurstGapMeter(gmin)).toThrow(RangeError);
  });
});

describe('BurstR', () => {
  test('is 1 for random loss, and more for bursts', () => {
    // 100 packets, 10 lost one by one: runs of 1; random loss of 10 % has runs of 1 / 0.9.
    expect(burstRatio(measure('0111111111'.repeat(10)))).toBeCloseTo(0.9, 12);
    // The same losses in one row: a run of 10.
    expect(burstRatio(measure(`${'1'.repeat(45)}${'0'.repeat(10)}${'1'.repeat(45)}`))).toBeCloseTo(9, 12);
    let state = 12_345;
    const random = Array.from({ length: 200_000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32 < 0.08 ? '0' : '1';
    });
    const ratio = burstRatio(measure(random.join('')));
    expect(ratio).toBeGreaterThan(0.97);
    expect(ratio).toBeLessThan(1.03);
  });

  test('is unknown without a loss, and when everything is lost', () => {
    expect(burstRatio(measure('1111'))).toBeUndefined();
    expect(burstRatio(measure('0000'))).toBeUndefined();
    expect(burstRatio(measure(''))).toBeUndefined();
  });
});

describe('when bursts were', () => {
  /** A packet every 20 ms. */
  function spansOf(packets: string, gmin: number): readonly unknown[] {
    const meter = new BurstGapMeter(gmin, new BurstLog());
    for (const [index, packet] of packets.split('').entries()) {
      if (packet === '1') meter.received();
      else meter.missing(0, index * 20);
    }
    return meter.spans();
  }

  test('is noted from the first to the last loss, also of one that is not over yet', () => {
    expect(spansOf('1101011111110111110011', 4)).toEqual([
      { fromMs: 40, toMs: 80, packets: 3, losses: 2 },
      { fromMs: 360, toMs: 380, packets: 2, losses: 2 },
    ]);
  });

  test('is noted of the longest ones when there are too many', () => {
    const log = new BurstLog();
    const lengths = Array.from({ length: MOST_SPANS + 40 }, (_, index) => 2 + ((index * 37) % (MOST_SPANS + 40)));
    for (const [index, packets] of lengths.entries()) {
      log.add({ fromMs: index * 1000, toMs: index * 1000 + packets * 20, packets, losses: packets });
    }
    const longest = lengths.toSorted((a, b) => b - a).slice(0, MOST_SPANS);
    expect(log.spans.map(({ packets }) => packets).toSorted((a, b) => b - a)).toEqual(longest);
    expect(log.spans.map(({ fromMs }) => fromMs)).toEqual(
      log.spans.map(({ fromMs }) => fromMs).toSorted((a, b) => a - b),
    );
    expect(log.leftOut).toBe(40);
  });
});
