import { describe, expect, test } from 'vitest';
import { arrivalBins } from '../../../src/stats/packets/arrival-histogram.ts';
import { PacketStream } from '../../../src/stats/packets/packet-stream.ts';
import {
  addTallies,
  maxJitterMs,
  meanJitterMs,
  packetTally,
  unheardPercent,
  voipMetrics,
} from '../../../src/stats/packets/packet-tally.ts';

const START_MS = 1_790_000_000_000;

interface Talk {
  readonly fromMs: number;
  /** `1` came, `0` did not, `D` came twice. */
  readonly packets: string;
  readonly packetMs?: number;
}

/** A stream of a packet every `packetMs`, 20 unless told, that comes exactly on time. */
function talk(
  { fromMs, packets, packetMs = 20 }: Talk,
  afterEach: (stream: PacketStream) => void = () => undefined,
): PacketStream {
  const stream = new PacketStream({
    clockRateHz: 8000,
    gmin: 16,
    jitterBuffer: { kind: 'fixed', nominalMs: 60 },
    keepsBursts: true,
  });
  for (const [index, packet] of packets.split('').entries()) {
    for (let copy = 0; copy < { '0': 0, '1': 1, D: 2 }[packet as '0' | '1' | 'D']; copy += 1) {
      stream.take(index, index * packetMs * 8, START_MS + fromMs + index * packetMs, false, 'audio');
    }
    afterEach(stream);
  }
  return stream;
}

const ONE: Talk = { fromMs: 0, packets: `${'1'.repeat(40)}00100${'1'.repeat(40)}0${'1'.repeat(20)}` };
const OTHER: Talk = { fromMs: 10_000, packets: `${'1'.repeat(6)}D${'1'.repeat(23)}000${'1'.repeat(30)}`, packetMs: 30 };

function finished(of: Talk): ReturnType<typeof packetTally> {
  const stream = talk(of);
  stream.finish();
  return packetTally(stream);
}

describe('what packets add up to', () => {
  test('one stream: its counts, and when its bursts were', () => {
    const tally = finished(ONE);
    expect(tally).toMatchObject({
      firstAtMs: START_MS,
      lastAtMs: START_MS + 105 * 20,
      packetsExpected: 106,
      packetsReceived: 101,
      duplicates: 0,
      maxGapMs: 60,
      burstMs: 100,
      gapMs: 101 * 20,
      longestLossMs: 40,
      burstSpans: [{ fromMs: START_MS + 40 * 20, toMs: START_MS + 44 * 20, packets: 5, losses: 4 }],
      burstSpansLeftOut: 0,
      gmin: 16,
      jbNominalMs: 60,
    });
    expect(unheardPercent(tally)).toBeCloseTo(500 / 106, 12);
  });

  test('two streams of one direction, whichever comes first', () => {
    const sum = addTallies(finished(ONE), finished(OTHER));
    expect(addTallies(finished(OTHER), finished(ONE))).toEqual(sum);
    expect(sum).toMatchObject({
      firstAtMs: START_MS,
      lastAtMs: START_MS + 10_000 + 62 * 30,
      packetsExpected: 106 + 63,
      packetsReceived: 101 + 60,
      duplicates: 1,
      maxGapMs: 120,
      longestLossMs: 90,
      burstMs: 100 + 90,
    });
    expect(sum.burstSpans.map(({ fromMs, losses }) => [fromMs - START_MS, losses])).toEqual([
      [800, 4],
      [10_900, 3],
    ]);
    const counts = arrivalBins(sum.arrivalCounts).map(({ fromMs, count }) => [Math.round(fromMs), count]);
    expect(counts.reduce((all, [, count = 0]) => all + count, 0)).toBe(100 + 60);
    // The packet that came twice; not at the start, where a copy would be taken for a mirror's.
    expect(counts).toContainEqual([0, 1]);
    const metrics = voipMetrics(sum, 80);
    expect(metrics.lossRatio).toBeCloseTo(8 / 169, 12);
    expect(metrics.burstDensityRatio).toBeCloseTo(7 / 8, 12);
    expect(metrics.gapDensityRatio).toBeCloseTo(1 / 161, 12);
    expect(metrics.burstDurationMs).toBeCloseTo(190 / 2, 12);
    // Two gaps in each stream.
    expect(metrics.gapDurationMs).toBeCloseTo((101 * 20 + 60 * 30) / 4, 12);
    expect(metrics.roundTripDelayMs).toBe(80);
    // Runs of 2, 2, 1 and 3 losses, 8 of 169 packets.
    expect(metrics.burstR).toBeCloseTo(2 * (1 - 8 / 169), 12);
  });

  test('a stream that goes on is told of as if it ended, and asking changes nothing', () => {
    for (const packets of [ONE.packets, OTHER.packets, ONE.packets.repeat(4)]) {
      // Asked again and again on the way, and once at its end.
      const asked = talk({ fromMs: 0, packets }, (stream) => packetTally(stream));
      const inTheEnd = finished({ fromMs: 0, packets });
      expect(packetTally(asked)).toEqual(inTheEnd);
      asked.finish();
      expect(packetTally(asked)).toEqual(inTheEnd);
      asked.finish();
      expect(packetTally(asked)).toEqual(inTheEnd);
    }
  });

  test('nothing is 0 percent of nothing', () => {
    const tally = packetTally(talk({ fromMs: 0, packets: '' }));
    expect(unheardPercent(tally)).toBeNull();
    expect([meanJitterMs(tally), maxJitterMs(tally)]).toEqual([null, null]);
    expect(meanJitterMs(finished({ fromMs: 0, packets: '11' }))).toBe(0);
    // One packet does not tell how long it lasts: RFC 3551 §4.2 has 20 ms.
    expect(finished({ fromMs: 0, packets: '1' })).toMatchObject({ packetsReceived: 1, gapMs: 20, burstMs: 0 });
  });
});
