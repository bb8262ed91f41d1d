import { describe, expect, test } from 'vitest';
import { burstRatioOfReports } from '../../../src/stats/loss-dispersion.ts';

/** Numbers of 0-1, the same every time (Park and Miller's generator). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Lost packets of each report of a Gilbert channel: `p` from received to lost, `q` back. */
function gilbert(p: number, q: number, reports: number, packets: number, seed: number): number[] {
  const random = generator(seed);
  let isLost = random() < p / (p + q);
  return Array.from({ length: reports }, () => {
    let lost = 0;
    for (let packet = 0; packet < packets; packet++) {
      isLost = isLost ? random() >= q : random() < p;
      if (isLost) lost++;
    }
    return lost;
  });
}

function estimate(lost: readonly number[], expected: readonly number[]): number {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return burstRatioOfReports({
    reports: lost.length,
    packetsExpected: sum(expected),
    packetsLost: sum(lost),
    lostSquaredPerExpected: sum(lost.map((value, index) => value ** 2 / (expected[index] ?? 1))),
  });
}

/** The mean of estimates over many calls. */
function meanEstimate(p: number, q: number, reports: number, packets: number): number {
  const calls = 200;
  let sum = 0;
  for (let seed = 1; seed <= calls; seed++) {
    const lost = gilbert(p, q, reports, packets, seed * 7919);
    sum += estimate(
      lost,
      lost.map(() => packets),
    );
  }
  return sum / calls;
}

describe('BurstR from how unevenly reports lost', () => {
  test('by hand: 0, 0, 0 and 40 of 250 each', () => {
    // ratio 0.04; χ² = Σ (lost − 10)² / (250 · 0.04 · 0.96) = 1200 / 9.6 = 125; D = 125 / 3; BurstR = (1 + D) / 2.
    expect(estimate([0, 0, 0, 40], [250, 250, 250, 250])).toBeCloseTo((1 + 125 / 3) / 2, 9);
  });

  test('random loss is 1, whatever its amount and the pace of the reports', () => {
    for (const [loss, packets] of [
      [0.01, 250],
      [0.05, 250],
      [0.05, 25],
      [0.2, 50],
    ] as const) {
      const mean = meanEstimate(loss, 1 - loss, 30, packets);
      expect(mean).toBeGreaterThanOrEqual(1);
      expect(mean).toBeLessThan(1.05);
    }
  });

  test('reports of unequal length are no bursts', () => {
    const lost = [2, 10, 20, 5, 13, 10, 3, 18];
    const expected = lost.map((value) => value * 25);
    expect(estimate(lost, expected)).toBe(1);
  });

  // BurstR is 1 / (p + q): loss of 2 and 5 % in runs of 3 and 5 packets in the mean.
  test.each([
    [0.02, 1 / 3, 2.94],
    [0.05, 1 / 5, 4.75],
  ])('a Gilbert channel that loses %d and returns by %d has about %d', (loss, q, burstR) => {
    const p = (loss * q) / (1 - loss);
    expect(1 / (p + q)).toBeCloseTo(burstR, 1);
    const mean = meanEstimate(p, q, 60, 250);
    expect(mean).toBeGreaterThan(burstR * 0.85);
    expect(mean).toBeLessThan(burstR * 1.15);
  });

  test('cannot be told from too few reports, nor without loss, nor when all is lost', () => {
    expect(estimate([0, 50], [250, 250])).toBe(1);
    expect(estimate([0, 0, 0, 0], [250, 250, 250, 250])).toBe(1);
    expect(estimate([250, 250, 250], [250, 250, 250])).toBe(1);
    expect(estimate([], [])).toBe(1);
  });
});
