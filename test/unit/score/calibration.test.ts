import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScoreInputs } from '../../../src/model/score.ts';
import { calibrate, type RatedCall } from '../../../src/score/calibration.ts';
import { effectiveCount, rankCorrelation } from '../../../src/score/rank-correlation.ts';
import { DEFAULT_THRESHOLDS } from '../../../src/score/verdict.ts';

/** Numbers from 0 to 1, the same for the same seed (Park and Miller 1988). */
function randomOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function direction(lossPercent: number, rttMs: number): ScoreInputs {
  return {
    direction: 'rx',
    rttMeanMs: rttMs,
    jitterMeanMs: 2,
    jitterLastMs: 2,
    jitterStdevMs: 1,
    lostPacketsMean: (lossPercent / 100) * 250,
    cumulativeLostMean: 0,
    lossPercent,
  };
}

/** R by hand: no jitter to speak of, latency below the knee, `lossR` for each percent. G.107's opinion of it, as people say it. */
function truthOf(lossPercent: number, lossR: number): number {
  const r = Math.max(0, 93.2 - 62 / 40 - lossPercent * lossR);
  const opinion = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
  return 1 + ((Math.max(1, opinion) - 1) * 4) / 3.5;
}

/** Calls whose loss people mind `lossR` a percent, half a point more or less. */
function ratedCalls(count: number, seed: number, lossR: number): RatedCall[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, () => {
    const lossPercent = random() * 8;
    const said = truthOf(lossPercent, lossR) + (random() - 0.5);
    const score = Math.min(5, Math.max(1, Math.round(said)));
    return { score, weight: 1, directions: [direction(lossPercent, 50)], mosCq: 4.4 - lossPercent / 4 };
  });
}

describe('rank correlation', () => {
  test('of one order is 1, of the opposite one -1', () => {
    const rising = Array.from({ length: 50 }, (_, index) => ({ x: index, y: index ** 3, weight: 1 }));
    expect(rankCorrelation(rising)?.rho).toBeCloseTo(1, 9);
    expect(rankCorrelation(rising.map(({ x, y, weight }) => ({ x, y: -y, weight })))?.rho).toBeCloseTo(-1, 9);
  });

  test('has the textbook value with ties', () => {
    // x 1 2 3 4 5 6 7 8 9 10, y 1 1 2 2 3 3 4 4 5 5: ranks of y 1.5 1.5 3.5 3.5 …; by hand rho = 0.98473.
    const pairs = Array.from({ length: 10 }, (_, index) => ({ x: index, y: Math.floor(index / 2), weight: 1 }));
    expect(rankCorrelation(pairs)?.rho).toBeCloseTo(0.984_73, 4);
  });

  test('is not known of few, or of what never changes', () => {
    const same = Array.from({ length: 50 }, (_, index) => ({ x: index, y: 3, weight: 1 }));
    expect(rankCorrelation(same)).toBeNull();
    expect(rankCorrelation(same.slice(0, 9).map((pair, index) => ({ ...pair, y: index })))).toBeNull();
  });

  test('a weight of two is as two of them', () => {
    const random = randomOf(3);
    const once = Array.from({ length: 40 }, () => ({ x: random(), y: random(), weight: 1 }));
    const doubled = once.map((pair, index) => (index < 20 ? { ...pair, weight: 2 } : pair));
    const twice = [...once, ...once.slice(0, 20)];
    expect(rankCorrelation(doubled)?.rho).toBeCloseTo(rankCorrelation(twice)?.rho ?? Number.NaN, 9);
    expect(effectiveCount([1, 1, 1, 1])).toBe(4);
    expect(effectiveCount([3, 1])).toBeCloseTo(1.6, 9);
  });

  test('its interval holds the truth of no relation nearly always', () => {
    let missed = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomOf(seed * 7919);
      const pairs = Array.from({ length: 60 }, () => ({ x: random(), y: random(), weight: 1 }));
      const { low, high } = rankCorrelation(pairs) ?? { low: 1, high: 1 };
      if (low > 0 || high < 0) missed++;
    }
    // 5 % are expected, 15 of 300; 30 would happen once in some 10,000 such runs.
    expect(missed).toBeLessThan(30);
    expect(missed).toBeGreaterThan(2);
  });
});

describe('calibration', () => {
  test('finds how much people mind loss', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom(10, 12.5, 15), (seed, lossR) => {
        const { fit } = calibrate(ratedCalls(600, seed, lossR), DEFAULT_THRESHOLDS);
        expect(fit.kind).toBe('fitted');
        if (fit.kind !== 'fitted') return;
        // The profile counts packets of 5 s: 2.5 a percent.
        expect(fit.numbers.lossFactor * 2.5).toBeGreaterThan(lossR * 0.8);
        expect(fit.numbers.lossFactor * 2.5).toBeLessThan(lossR * 1.2);
        expect(fit.changed).toContain('lossFactor');
        expect(fit.errorOpinion).toBeLessThan(fit.documentedErrorOpinion);
        expect(fit.errorOpinion).toBeGreaterThan(0.2);
      }),
      { numRuns: 6 },
    );
  });

  test('leaves the documented numbers where people agree with them', () => {
    expect(calibrate(ratedCalls(600, 11, 6.25), DEFAULT_THRESHOLDS).fit).toEqual({ kind: 'documented' });
  });

  test('says that it knows nothing of noise', () => {
    const random = randomOf(5);
    const noise = ratedCalls(500, 5, 6.25).map((call) => ({ ...call, score: 1 + Math.floor(random() * 5) }));
    const { fit, predictors } = calibrate(noise, DEFAULT_THRESHOLDS);
    expect(fit).toEqual({ kind: 'no-relation' });
    const { low = 1, high = -1 } = predictors[0]?.correlation ?? {};
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });

  test('and nothing of few ratings, or of many that weigh as few', () => {
    expect(calibrate(ratedCalls(199, 1, 12), DEFAULT_THRESHOLDS).fit).toEqual({ kind: 'too-few', needed: 200 });
    const unequal = ratedCalls(300, 1, 12).map((call, index) => ({ ...call, weight: index < 20 ? 100 : 0.1 }));
    expect(calibrate(unequal, DEFAULT_THRESHOLDS).fit.kind).toBe('too-few');
  });

  test('counts complaints above each threshold, and finds the one that parts them', () => {
    // Loss of 0 or 4 %: by formulas' table 4.38 and 3.44. All complain at 4 %, one of ten at 0 %.
    const calls = Array.from({ length: 40 }, (_, index): RatedCall => {
      const isLossy = index % 2 === 1;
      const score = isLossy || index % 20 === 0 ? 1 : 5;
      return { score, weight: 1, directions: [direction(isLossy ? 4 : 0, 50)], mosCq: null };
    });
    const { complaintRatio, predictors } = calibrate(calls, DEFAULT_THRESHOLDS);
    const [documented] = predictors;
    expect(complaintRatio).toBeCloseTo(22 / 40, 9);
    expect(documented?.complaintsAbove).toEqual([
      { threshold: 4.0, complaintRatio: 0.1 },
      { threshold: 3.6, complaintRatio: 0.1 },
      { threshold: 3.1, complaintRatio: 0.55 },
    ]);
    expect(documented?.bestThreshold?.threshold).toBeCloseTo((4.38 + 3.44) / 2, 1);
    expect(documented?.bestThreshold?.complaintsFound).toBeCloseTo(20 / 22, 9);
    expect(documented?.bestThreshold?.othersSpared).toBe(1);
    expect(predictors.at(-1)).toMatchObject({ name: 'mos_cq', ratings: 0, correlation: null, bestThreshold: null });
  });

  test('of nothing is nothing', () => {
    expect(calibrate([], DEFAULT_THRESHOLDS)).toMatchObject({ ratings: 0, effectiveRatings: 0, complaintRatio: null });
  });
});
