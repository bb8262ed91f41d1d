import { describe, expect, test } from 'vitest';
import {
  CLEAN,
  type NetworkProfile,
  decideFate,
  newNetworkState,
  seedFor,
  seededRandom,
} from '../../lab/network-profile.ts';

const PACKETS = 20_000;

/** Sends packets 20 ms apart and tells what became of each. */
function send(
  changes: Partial<NetworkProfile>,
  options: { seed?: number; kind?: 'rtp' | 'rtcp'; packets?: number } = {},
) {
  const state = newNetworkState(options.seed ?? 7);
  const profile = { ...CLEAN, ...changes };
  return Array.from({ length: options.packets ?? PACKETS }, (_, index) => ({
    arrivalMs: index * 20,
    ...decideFate(profile, state, options.kind ?? 'rtp', index * 20),
  }));
}

describe('a network profile', () => {
  test('a clean network passes every packet on at once', () => {
    for (const packet of send(CLEAN, { packets: 100 })) {
      expect(packet.outcome).toBe('passed');
      expect(packet.departuresMs).toStrictEqual([packet.arrivalMs]);
    }
  });

  test('random loss is what was asked, within four standard deviations of the binomial', () => {
    const lost = send({ lossRatio: 0.04 }).filter((packet) => packet.outcome === 'lost').length;
    const deviation = Math.sqrt(PACKETS * 0.04 * 0.96);
    expect(lost).toBeGreaterThan(PACKETS * 0.04 - 4 * deviation);
    expect(lost).toBeLessThan(PACKETS * 0.04 + 4 * deviation);
  });

  test('Gilbert-Elliott loses in runs of the expected length and share', () => {
    // Bad state: entered at 1 %, left at 25 %, loses all: share 0.01 / 0.26 = 3.85 %, mean run 4 packets.
    const burst = { goodToBad: 0.01, badToGood: 0.25, goodLossRatio: 0, badLossRatio: 1 };
    const packets = send({ burst });
    const lost = packets.filter((packet) => packet.outcome === 'lost').length;
    const runs = packets.filter(
      (packet, at) => packet.outcome === 'lost' && packets[at - 1]?.outcome !== 'lost',
    ).length;
    expect(lost / PACKETS).toBeGreaterThan(0.03);
    expect(lost / PACKETS).toBeLessThan(0.047);
    expect(lost / runs).toBeGreaterThan(3.4);
    expect(lost / runs).toBeLessThan(4.6);
  });

  test('uniform jitter lies between 0 and its width, its mean in the middle', () => {
    const delays = send({ delayMs: 40, jitterMs: 18 }).map(
      (packet) => (packet.departuresMs[0] ?? 0) - packet.arrivalMs,
    );
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(40);
    expect(Math.min(...delays)).toBeLessThan(40.1);
    expect(Math.max(...delays)).toBeGreaterThan(57.9);
    expect(Math.max(...delays)).toBeLessThanOrEqual(58);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(mean).toBeGreaterThan(48.7);
    expect(mean).toBeLessThan(49.3);
  });

  test('normal jitter has the standard deviation that was asked', () => {
    const delays = send({ delayMs: 100, jitterMs: 4, jitterShape: 'normal' }).map(
      (packet) => (packet.departuresMs[0] ?? 0) - packet.arrivalMs,
    );
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    const deviation = Math.sqrt(delays.reduce((sum, delay) => sum + (delay - mean) ** 2, 0) / delays.length);
    expect(mean).toBeGreaterThan(99.8);
    expect(mean).toBeLessThan(100.2);
    expect(deviation).toBeGreaterThan(3.8);
    expect(deviation).toBeLessThan(4.2);
  });

  test('jitter wider than the packet spacing does not reorder; reordering does', () => {
    const overtaken = (changes: Partial<NetworkProfile>): number => {
      const departures = send(changes).map((packet) => packet.departuresMs[0] ?? 0);
      return departures.filter((departure, at) => departure > (departures[at + 1] ?? Number.POSITIVE_INFINITY)).length;
    };
    expect(overtaken({ jitterMs: 80 })).toBe(0);
    const share = overtaken({ reorderRatio: 0.05, reorderByMs: 30 }) / PACKETS;
    expect(share).toBeGreaterThan(0.04);
    expect(share).toBeLessThan(0.06);
  });

  test('duplicates leave twice, at the asked rate', () => {
    const packets = send({ duplicateRatio: 0.1 });
    const share = packets.filter((packet) => packet.departuresMs.length === 2).length / PACKETS;
    expect(share).toBeGreaterThan(0.09);
    expect(share).toBeLessThan(0.11);
    expect(packets.every((packet) => packet.departuresMs.length <= 2)).toBe(true);
  });

  test('a blocked direction passes nothing', () => {
    expect(send({ blocked: true }, { packets: 50 }).every((packet) => packet.outcome === 'blocked')).toBe(true);
  });

  test.each([
    ['same', 'blocked', []],
    ['delay', 'passed', [40]],
    ['untouched', 'passed', [0]],
  ] as const)('RTCP with "%s" is %s', (rtcp, outcome, departuresMs) => {
    const [first] = send({ rtcp, blocked: true, delayMs: 40 }, { kind: 'rtcp', packets: 1 });
    expect(first).toStrictEqual({ arrivalMs: 0, outcome, departuresMs });
  });

  test('the same seed gives the same fates, another seed others', () => {
    const fates = (seed: number): string =>
      JSON.stringify(send({ lossRatio: 0.3, jitterMs: 10 }, { seed, packets: 200 }));
    expect(fates(1)).toBe(fates(1));
    expect(fates(1)).not.toBe(fates(2));
  });
});

describe('chance', () => {
  test('is the published mulberry32: its first numbers for seed 0', () => {
    const random = seededRandom(0);
    expect([random(), random()].map((number) => number.toFixed(6))).toStrictEqual(['0.266429', '0.000330']);
  });

  test('each stream has a seed of its own', () => {
    const seeds = ['alice rx rtp', 'alice tx rtp', 'alice rx rtcp', 'bob rx rtp'].map((name) => seedFor(1, name));
    expect(new Set(seeds).size).toBe(4);
    expect(seedFor(2, 'alice rx rtp')).not.toBe(seedFor(1, 'alice rx rtp'));
  });
});
