import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MesProfile, PROFILE_NAMES, type ScoreInputs } from '../../../src/model/score.ts';
import { codecImpairment } from '../../../src/score/codec-impairment.ts';
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
      // Of 250 packets in 5 s. What the reports lost one by one is not asked for.
      const lossPercent = (lost / 250) * 100;
      const measured = inputs({
        rttMeanMs: rtt,
        jitterMeanMs: jitter,
        jitterStdevMs: stdev,
        lossPercent,
        lostPacketsMean: 99,
      });
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

describe('the profiles that count loss in another way', () => {
  test('documented-per-report takes the packets of each report, whatever their share', () => {
    const measured = inputs({ rttMeanMs: 50, jitterMeanMs: 10, jitterStdevMs: 3, lostPacketsMean: 1, lossPercent: 77 });
    const score = computeMes(mesProfile('documented-per-report'), measured);
    expect(score.mes).toBeCloseTo(4.3059, 4);
    expect(score.rValue).toBeCloseTo(88.7, 9);
    expect(score.profile).toBe('documented-per-report');
  });

  // 93.2 − latency term − (ie + (95 − ie) · ppl / (ppl / burstR + bpl)) + a, by hand.
  test.each([
    // G.711: latency 60 → 1.5; 95 · 2 / (2 / 1 + 10) = 15.8333.
    { codec: 'ulaw', rtt: 50, loss: 2, burstR: 1, a: 0, r: 75.8667 },
    // The same in bursts: 95 · 2 / (2 / 4 + 10) = 18.0952.
    { codec: 'ulaw', rtt: 50, loss: 2, burstR: 4, a: 0, r: 73.6048 },
    // G.729 with 25 ms of its own: latency 225 → 10.5; 10 + 85 · 1 / (1 + 19) = 14.25; a mobile forgives 10.
    { codec: 'g729', rtt: 200, loss: 1, burstR: undefined, a: 10, r: 78.45 },
    // An unknown codec is taken for G.711: latency 10 → 0.25; 95 · 1 / 11 = 8.6364.
    { codec: 'mystery', rtt: 0, loss: 1, burstR: undefined, a: 0, r: 84.3136 },
    // Opus without loss: ie 16.
    { codec: 'opus', rtt: 0, loss: 0, burstR: undefined, a: 0, r: 76.95 },
  ])('informed: $codec, $loss % lost, BurstR $burstR', ({ codec, rtt, loss, burstR, a, r }) => {
    const measured = inputs({
      rttMeanMs: rtt,
      lossPercent: loss,
      burstR,
      advantage: a,
      codec: codecImpairment(codec),
      codecDelayMs: codec === 'g729' ? 25 : undefined,
      // Of no account here.
      lostPacketsMean: 50,
    });
    const score = computeMes(mesProfile('informed'), measured);
    expect(score.rValue).toBeCloseTo(r, 3);
    expect(score.mes).toBeCloseTo(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 4);
    expect(opinionOf(mesProfile('informed'), measured)).toBe(score.mes);
  });
});

describe('the costs of a score', () => {
  test('are those of the published formula, the latency divided as it is made up', () => {
    // 50 round trip + 20 jitter (10 · 2 · 3/3) + 10 codec = 80 ms, which cost 2; a quarter of it is jitter.
    const measured = inputs({ rttMeanMs: 50, jitterMeanMs: 10, jitterStdevMs: 3, lossPercent: 0.4 });
    const { costs } = computeMes(mesProfile('documented'), measured);
    expect(costs.jitterR).toBeCloseTo(0.5, 9);
    expect(costs.delayR).toBeCloseTo(1.5, 9);
    expect(costs.lossR).toBeCloseTo(2.5, 9);
    expect(costs.codecR).toBe(0);
  });

  test('are what R has lost, in every profile', () => {
    const measure = fc.record({
      rttMeanMs: fc.option(fc.double({ min: 0, max: 400, noNaN: true }), { nil: undefined }),
      jitterMeanMs: fc.double({ min: 0, max: 50, noNaN: true }),
      jitterStdevMs: fc.double({ min: 0, max: 10, noNaN: true }),
      lostPacketsMean: fc.double({ min: 0, max: 5, noNaN: true }),
      lossPercent: fc.double({ min: 0, max: 3, noNaN: true }),
      codec: fc.constantFrom('ulaw', 'g729', 'opus').map((name) => codecImpairment(name)),
    });
    fc.assert(
      fc.property(fc.constantFrom(...PROFILE_NAMES), measure, (name, of) => {
        const profile = mesProfile(name);
        const { costs, rValue, rttKnown } = computeMes(profile, inputs({ ...of, jitterLastMs: of.jitterMeanMs }));
        const left = 93.2 - costs.delayR - costs.jitterR - costs.lossR - costs.codecR;
        expect(rValue).toBeCloseTo(Math.min(100, Math.max(0, left)), 9);
        expect(rttKnown).toBe(of.rttMeanMs !== undefined);
      }),
    );
  });
});

describe('R as shown', () => {
  test('ends at 0 and 100, while the opinion is that of the R behind it', () => {
    const none = computeMes(mesProfile('documented'), inputs({ lossPercent: 50 }));
    // 125 packets in 5 s cost 312.5.
    expect(none.rValue).toBe(0);
    expect(none.mes).toBe(1);
    const more = computeMes(mesProfile('custom', { baseR: 150 }), inputs({}));
    expect(more.rValue).toBe(100);
    expect(more.mes).toBe(4.5);
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
    // 4 % are 10 packets in 5 s, at 2.5 R each unless it is set otherwise.
    const packets = mesProfile('custom', { baseR: 90, codecDelayMs: 0 });
    expect(computeMes(packets, inputs({ lossPercent: 4, lostPacketsMean: 99 })).rValue).toBeCloseTo(65, 9);
    const perReport = mesProfile('custom', { baseR: 90, codecDelayMs: 0, lossSample: 'report' });
    expect(computeMes(perReport, inputs({ lossPercent: 99, lostPacketsMean: 4 })).rValue).toBeCloseTo(80, 9);
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
    mesProfile('documented-per-report'),
    mesProfile('informed'),
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
          const raised = (base[field] ?? 0) + more;
          const worse = { ...base, [field]: field === 'lossPercent' ? Math.min(100, raised) : raised };
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
