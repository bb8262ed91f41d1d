import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketStream } from '../../../src/stats/packets/packet-stream.ts';

const START_MS = 1_790_000_000_000;
const OPTIONS = { clockRateHz: 8000, gmin: 16, jitterBuffer: { kind: 'fixed', nominalMs: 60 } } as const;

interface Arrival {
  /** May be above 65535: the true number, before the wrap. */
  readonly sequence: number;
  readonly atMs?: number;
}

/** Takes arrivals of a stream of 20 ms packets in, each at its sender's pace unless it says when. */
function take(arrivals: readonly Arrival[], first = arrivals[0]?.sequence ?? 0): PacketStream {
  const stream = new PacketStream(OPTIONS);
  for (const { sequence, atMs } of arrivals) {
    const index = sequence - first;
    stream.take(sequence & 0xffff, (index * 160) | 0, START_MS + (atMs ?? index * 20), false, 'audio');
  }
  stream.finish();
  return stream;
}

function row(from: number, to: number): Arrival[] {
  return Array.from({ length: to - from }, (_, index) => ({ sequence: from + index }));
}

describe('counts (RFC 3550 A.1 and A.3)', () => {
  test('nothing lost', () => {
    const stream = take(row(100, 200));
    expect(stream).toMatchObject({ received: 100, expected: 100, lost: 0, duplicates: 0, outOfOrder: 0, restarts: 0 });
    expect(stream.arrival.jitterMs).toBe(0);
    expect(stream.packetMs).toBe(20);
  });

  test('no packet at all', () => {
    const stream = take([]);
    expect(stream).toMatchObject({ received: 0, expected: 0, lost: 0 });
    expect(stream.arrival).toMatchObject({ arrivals: 0, jitterSamples: 0, maxGapMs: 0 });
  });

  test('losses, across the wrap at 65536 as anywhere else', () => {
    const stream = take(row(65_500, 65_600).filter(({ sequence }) => ![65_535, 65_536, 65_540].includes(sequence)));
    expect(stream).toMatchObject({ received: 97, expected: 100, lost: 3, restarts: 0, strays: 0 });
  });

  test('two wraps', () => {
    expect(take(row(65_000, 65_000 + 2 * 65_536 + 10))).toMatchObject({
      expected: 131_082,
      received: 131_082,
      lost: 0,
    });
  });

  test('duplicates hide no loss', () => {
    const arrivals = row(0, 100)
      .filter(({ sequence }) => sequence !== 50)
      .flatMap((arrival) => (arrival.sequence % 10 === 5 ? [arrival, arrival] : [arrival]));
    expect(take(arrivals)).toMatchObject({ received: 99, expected: 100, lost: 1, duplicates: 10, outOfOrder: 0 });
  });

  test('overtaken packets are out of order, not lost', () => {
    const arrivals = row(0, 100);
    [arrivals[40], arrivals[41]] = [
      { sequence: 41, atMs: 820 },
      { sequence: 40, atMs: 821 },
    ];
    expect(take(arrivals)).toMatchObject({ received: 100, lost: 0, outOfOrder: 1, duplicates: 0 });
  });

  test('the first packet may have overtaken the one before it', () => {
    const arrivals = [{ sequence: 11, atMs: 0 }, { sequence: 10, atMs: 1 }, ...row(12, 100)];
    expect(take(arrivals, 10)).toMatchObject({ received: 90, expected: 90, lost: 0, outOfOrder: 1 });
  });

  test('a stray sequence number counts for nothing', () => {
    const arrivals = row(1000, 1100);
    arrivals.splice(50, 0, { sequence: 31_000, atMs: 1000 });
    expect(take(arrivals)).toMatchObject({ received: 100, expected: 100, lost: 0, strays: 1, restarts: 0 });
  });

  test('a sender that begins anew starts a new row', () => {
    const again = row(40_000, 40_050).map(({ sequence }, index) => ({ sequence, atMs: 2000 + index * 20 }));
    const stream = take([...row(100, 200), ...again]);
    // RFC 3550 A.1 drops the first of the new row; it came, so it counts here.
    expect(stream).toMatchObject({ restarts: 1, strays: 0, lost: 0, duplicates: 0, expected: 150, received: 150 });
    expect(stream.arrival.jitterMaxMs).toBe(0);
  });

  test('a long dropout on both clocks is loss', () => {
    const stream = take([...row(0, 100), ...row(4100, 4200)]);
    expect(stream).toMatchObject({ received: 200, expected: 4200, lost: 4000, restarts: 0 });
    expect(stream.burstGap.totals()).toMatchObject({ bursts: 1, burstPackets: 4000, burstLosses: 4000 });
    expect(stream.arrival.maxGapMs).toBe(4001 * 20);
  });

  test('any losses, duplicates and small displacements are counted for what they are', () => {
    const fate = fc.record({ lost: fc.boolean(), twice: fc.boolean(), lateMs: fc.integer({ min: 0, max: 900 }) });
    fc.assert(
      fc.property(fc.array(fate, { minLength: 2, maxLength: 400 }), fc.nat(65_535), (fates, first) => {
        const arrivals = fates
          .flatMap(({ lost, twice, lateMs }, index) => {
            // The first and the last arrive in their turn, so that the truth is known without the wire.
            const isEdge = index === 0 || index === fates.length - 1;
            const arrival = { sequence: first + index, atMs: index * 20 + (isEdge ? 0 : lateMs / 3), order: index };
            if (isEdge) return [arrival];
            return lost ? [] : twice ? [arrival, { ...arrival, atMs: arrival.atMs + 5 }] : [arrival];
          })
          .toSorted((one, other) => one.atMs - other.atMs || one.order - other.order);
        const stream = take(arrivals, first);
        const distinct = new Set(arrivals.map(({ sequence }) => sequence)).size;
        expect(stream.expected).toBe(fates.length);
        expect(stream.received).toBe(distinct);
        expect(stream.lost).toBe(fates.length - distinct);
        expect(stream.duplicates).toBe(arrivals.length - distinct);
        let highest = -1;
        const seen = new Set<number>();
        let behind = 0;
        for (const { sequence } of arrivals) {
          if (sequence < highest && !seen.has(sequence)) behind += 1;
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
        expect(stream.outOfOrder).toBe(behind);
      }),
      { numRuns: 300 },
    );
  });
});

describe('interarrival jitter (RFC 3550 A.8)', () => {
  test('is what the RFC computes, wraps of the RTP clock included', () => {
    const delaysMs = Array.from({ length: 500 }, (_, index) => ((index * 7919) % 31) * 1.3);
    const stream = new PacketStream(OPTIONS);
    let jitterMs = 0;
    let previousTransitMs: number | undefined;
    const samples: number[] = [];
    for (const [index, delayMs] of delaysMs.entries()) {
      const timestamp = (0xffff_f000 + index * 160) % 0x1_0000_0000;
      stream.take(index, timestamp | 0, START_MS + index * 20 + delayMs, false, 'audio');
      // Transit time with the clocks unwrapped: what is left is the delay.
      if (previousTransitMs !== undefined) {
        jitterMs += (Math.abs(delayMs - previousTransitMs) - jitterMs) / 16;
        samples.push(jitterMs);
      }
      previousTransitMs = delayMs;
    }
    expect(stream.arrival.jitterMs).toBeCloseTo(jitterMs, 2);
    expect(stream.arrival.jitterMaxMs).toBeCloseTo(Math.max(...samples), 2);
    expect(stream.arrival.jitterSumMs / stream.arrival.jitterSamples).toBeCloseTo(
      samples.reduce((sum, sample) => sum + sample, 0) / samples.length,
      2,
    );
  });

  test('a telephone event, whose packets share one RTP time, adds none', () => {
    const stream = new PacketStream(OPTIONS);
    for (let index = 0; index < 100; index += 1) {
      const isEvent = index >= 40 && index < 50;
      const timestamp = (isEvent ? 40 : index) * 160;
      stream.take(index, timestamp, START_MS + index * 20, index === 40, isEvent ? 'event' : 'audio');
    }
    stream.finish();
    expect(stream.arrival.jitterMaxMs).toBeLessThan(1e-9);
    expect(stream).toMatchObject({ received: 100, lost: 0 });
    expect(stream.jitterBuffer.discarded).toBe(0);
    // The tone lasts from its first packet to the next sound.
    expect(stream.frames.counts(0, 0)).toEqual({ normal: 200, plc: 0, cng: 0, silence: 0 });
    expect(stream.frames.fills).toBe(0);
  });
});

describe('arrivals', () => {
  test('the longest gap and the histogram', () => {
    const arrivals = row(0, 101).map(({ sequence }) => ({
      sequence,
      atMs: sequence * 20 + (sequence >= 50 ? 300 : 0),
    }));
    const stream = take(arrivals);
    expect(stream.arrival.maxGapMs).toBe(320);
    // 20 ms lies between 16 and 22.6, 320 ms between 256 and 362.
    expect([...stream.arrival.counts].flatMap((count, bin) => (count > 0 ? [[bin, count]] : []))).toEqual([
      [9, 99],
      [17, 1],
    ]);
  });
});
