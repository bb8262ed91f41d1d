import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MesProfile, ScoreInputs } from '../../../src/model/score.ts';
import { computeMes, opinionOf } from '../../../src/score/mes.ts';
import { formatOpinion, opinionFromR } from '../../../src/score/opinion.ts';
import { mesProfile } from '../../../src/score/profiles.ts';

function inputs(of: Partial<ScoreInputs>): ScoreInputs {
  return {
    direction: 'rx',
    rttMeanMs: 0,
    jitterMeanMs: 0,
    jitterLastMs: 0,
    jitterStdevMs: 0,
    lostPacketsMean: 0,
    cumulativeLostMean: 0,
    lossPercent: 0,
    ...of,
  };
}

describe('documented profile', () => {
  // The published formula, computed by hand.
  test.each([
    { rtt: 0, jitter: 0, stdev: 0, lost: 0, latencyMs: 10, r: 92.95, opinion: 4.4044 },
    { rtt: 50, jitter: 10, stdev: 3, lost: 1, latencyMs: 80, r: 88.7, opinion: 4.3059 },
    { rtt: 150, jitter: 20, stdev: 5, lost: 0, latencyMs: 226.67, r: 82.533, opinion: 4.1161 },
    { rtt: 200, jitter: 30, stdev: 12, lost: 2, latencyMs: 450, r: 55.2, opinion: 2.8489 },
  ])(
    'rtt $rtt, jitter $jitter ± $stdev, lost $lost gives $opinion',
    ({ rtt, jitter, stdev, lost, latencyMs, r, opinion }) => {
      const measured = inputs({ rttMeanMs: rtt, jitterMeanMs: jitter, jitterStdevMs: stdev, lostPacketsMean: lost });
      const score = computeMes(mesProfile('documented'), measured);
      expect(opinionOf(mesProfile('documented'), measured)).toBeCloseTo(opinion, 4);
      expect(score.effectiveLatencyMs).toBeCloseTo(latencyMs, 2);
      expect(score.rValue).toBeCloseTo(r, 2);
      expect(score.mes).toBeCloseTo(opinion, 4);
      expect(score.mes100).toBeCloseTo(opinion * 20, 2);
      expect(score.rttKnown).toBe(true);
    },
  );

  test('an unknown round trip counts as 0 and is marked', () => {
    const score = computeMes(mesProfile('documented'), inputs({ rttMeanMs: undefined }));
    expect(score.mes).toBeCloseTo(4.4044, 4);
    expect(score.rttKnown).toBe(false);
  });

  test('a codec with a delay of its own replaces the 10 ms, but never in the profiles that repeat Asterisk', () => {
    const g729 = inputs({ codecDelayMs: 25 });
    expect(computeMes(mesProfile('documented'), g729).effectiveLatencyMs).toBe(25);
    expect(computeMes(mesProfile('asterisk-22.10'), g729).effectiveLatencyMs).toBe(10);
    expect(computeMes(mesProfile('asterisk-2026.09'), g729).effectiveLatencyMs).toBe(10);
  });

  test('the two sides of the knee meet at 160 ms', () => {
    const just = (rttMeanMs: number): number => computeMes(mesProfile('documented'), inputs({ rttMeanMs })).rValue;
    expect(just(149.999)).toBeCloseTo(93.2 - 4, 3);
    expect(just(150)).toBeCloseTo(93.2 - 4, 3);
    expect(just(160)).toBeCloseTo(93.2 - 5, 3);
  });
});

describe("Asterisk's own formulas", () => {
  test('asterisk-22.10 takes jitter in seconds and, for tx, the mean of the cumulative counts', () => {
    const lossy = { rttMeanMs: 100, jitterLastMs: 50, jitterMeanMs: 40, jitterStdevMs: 20, lostPacketsMean: 1 };
    // latency 110.00033 → 93.2 − 2.75 − 2·loss
    const rx = computeMes(mesProfile('asterisk-22.10'), inputs({ ...lossy, cumulativeLostMean: 8 }));
    const tx = computeMes(mesProfile('asterisk-22.10'), inputs({ ...lossy, cumulativeLostMean: 8, direction: 'tx' }));
    expect(rx.rValue).toBeCloseTo(88.45, 3);
    expect(tx.rValue).toBeCloseTo(74.45, 3);
  });

  test('the fingerprint of no data is 88.087887', () => {
    expect(computeMes(mesProfile('asterisk-22.10'), inputs({})).mes100).toBeCloseTo(88.087887, 5);
  });

  test('asterisk-2026.09 halves the round trip and takes mean jitter in milliseconds', () => {
    const score = computeMes(
      mesProfile('asterisk-2026.09'),
      inputs({
        rttMeanMs: 100,
        jitterMeanMs: 10,
        jitterLastMs: 99,
        jitterStdevMs: 3,
        lostPacketsMean: 1,
        cumulativeLostMean: 8,
        direction: 'tx',
      }),
    );
    expect(score.effectiveLatencyMs).toBeCloseTo(80, 9);
    expect(score.rValue).toBeCloseTo(93.2 - 2 - 2, 9);
  });

  test('without the clamp the cubic dips below 1, with it never', () => {
    expect(opinionFromR(3, false)).toBeLessThan(1);
    expect(opinionFromR(3, false)).toBeGreaterThan(0.9);
    expect(opinionFromR(3)).toBe(1);
  });
});

describe('custom profile', () => {
  test('takes any of the numbers, and loss in percent', () => {
    const custom = mesProfile('custom', { baseR: 90, lossUnit: 'percent', lossFactor: 1, codecDelayMs: 0 });
    expect(computeMes(custom, inputs({ lossPercent: 4, lostPacketsMean: 99 })).rValue).toBeCloseTo(86, 9);
    expect(custom.name).toBe('custom');
  });
});

describe('opinion scale', () => {
  test.each([
    [-0.001, 1],
    [0, 1],
    [60, 3.1],
    [100, 4.5],
    [100.001, 4.5],
  ])('R %d is %d', (r, opinion) => {
    expect(opinionFromR(r)).toBeCloseTo(opinion, 9);
  });

  test('is written with two decimals', () => {
    expect(formatOpinion(4.3059)).toBe('4.31');
    expect(formatOpinion(1)).toBe('1.00');
  });
});

describe('monotony', () => {
  const quantity = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true });
  const anyProfile: fc.Arbitrary<MesProfile> = fc.constantFrom(
    mesProfile('documented'),
    mesProfile('asterisk-22.10'),
    mesProfile('asterisk-2026.09'),
    mesProfile('custom', { lossUnit: 'percent' }),
  );
  const FIELDS = [
    'rttMeanMs',
    'jitterMeanMs',
    'jitterLastMs',
    'jitterStdevMs',
    'lostPacketsMean',
    'cumulativeLostMean',
    'lossPercent',
  ] as const;
  // With the scale's lower end: without it, R between 0 and 6.5 falls below what R under 0 is given.
  test.each(FIELDS)('more %s never raises the score, and the score stays on its scale', (field) => {
    fc.assert(
      fc.property(
        anyProfile,
        fc.constantFrom('rx', 'tx'),
        quantity(2000),
        quantity(300),
        quantity(200),
        quantity(60),
        quantity(500),
        (profile, direction, a, b, c, d, more) => {
          const base = inputs({
            direction,
            rttMeanMs: a,
            jitterMeanMs: b,
            jitterLastMs: b,
            cumulativeLostMean: d,
            jitterStdevMs: c,
            lostPacketsMean: d,
            lossPercent: Math.min(100, d),
          });
          const worse = { ...base, [field]: (base[field] ?? 0) + more };
          const before = computeMes({ ...profile, clampBelowOne: true }, base).mes;
          const after = computeMes({ ...profile, clampBelowOne: true }, worse).mes;
          expect(after).toBeLessThanOrEqual(before + 1e-9);
          expect(after).toBeGreaterThanOrEqual(1);
          expect(before).toBeLessThanOrEqual(4.5);
          expect(opinionOf(profile, worse)).toBe(computeMes(profile, worse).mes);
        },
      ),
    );
  });
});
