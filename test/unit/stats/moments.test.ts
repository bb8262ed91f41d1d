import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addSampleAt,
  countAt,
  lastAt,
  meanAt,
  mergeMoments,
  type Moments,
  MOMENTS_SIZE,
  momentsAt,
  scaleMoments,
  setMomentsAt,
  standardDeviation,
  standardDeviationAt,
} from '../../../src/stats/moments.ts';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 60 });

function momentsOf(values: readonly number[]): Moments {
  const row = Array.from({ length: MOMENTS_SIZE }, () => 0);
  for (const value of values) addSampleAt(row, 0, value);
  return momentsAt(row, 0);
}

/** The textbook's two passes. */
function twoPass(values: readonly number[]): { mean: number; stdev: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, stdev: Math.sqrt(variance) };
}

function expectNear(actual: number, wanted: number): void {
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(wanted)));
}

describe('running moments', () => {
  test('a row worked out by hand: 2 4 4 4 5 5 7 9 has mean 5 and deviation 2', () => {
    const moments = momentsOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(moments).toMatchObject({ count: 8, last: 9, min: 2, max: 9 });
    expect(moments.mean).toBeCloseTo(5, 12);
    expect(standardDeviation(moments)).toBeCloseTo(2, 12);
  });

  test('equal what two passes give', () => {
    fc.assert(
      fc.property(
        samples.filter((values) => values.length > 0),
        (values) => {
          const moments = momentsOf(values);
          const wanted = twoPass(values);
          expectNear(moments.mean, wanted.mean);
          expectNear(standardDeviation(moments), wanted.stdev);
          expect(moments.min).toBe(Math.min(...values));
          expect(moments.max).toBe(Math.max(...values));
        },
      ),
    );
  });

  test('merging two segments gives what one pass gives', () => {
    fc.assert(
      fc.property(samples, samples, (first, second) => {
        const merged = mergeMoments(momentsOf(first), momentsOf(second));
        const whole = momentsOf([...first, ...second]);
        expect({ count: merged.count, last: merged.last, min: merged.min, max: merged.max }).toEqual({
          count: whole.count,
          last: whole.last,
          min: whole.min,
          max: whole.max,
        });
        expectNear(merged.mean, whole.mean);
        expectNear(standardDeviation(merged), standardDeviation(whole));
      }),
    );
  });

  test('a weighted sample is that many equal samples', () => {
    const row = Array.from({ length: MOMENTS_SIZE }, () => 0);
    setMomentsAt(row, 0, momentsOf([1, 5]));
    addSampleAt(row, 0, 3, 4);
    const weighted = momentsAt(row, 0);
    const single = momentsOf([1, 5, 3, 3, 3, 3]);
    expect(weighted.count).toBe(6);
    expect(weighted.mean).toBeCloseTo(single.mean, 12);
    expect(standardDeviation(weighted)).toBeCloseTo(standardDeviation(single), 12);
  });

  test('scaling the moments is scaling the samples', () => {
    const scaled = scaleMoments(momentsOf([8, 16, 40]), 0.125);
    const direct = momentsOf([1, 2, 5]);
    expect(scaled.mean).toBeCloseTo(direct.mean, 12);
    expect(standardDeviation(scaled)).toBeCloseTo(standardDeviation(direct), 12);
    expect([scaled.min, scaled.max, scaled.last]).toEqual([1, 5, 5]);
  });

  test('parts of moments are told where they stand as a copy of them has them', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1000, noNaN: true }), (values, factor) => {
        const row = [-1, -2, -3, ...Array.from({ length: MOMENTS_SIZE }, () => 0), -4];
        for (const value of values) addSampleAt(row, 3, value);
        const copy = momentsAt(row, 3);
        expect([countAt(row, 3), lastAt(row, 3), meanAt(row, 3)]).toEqual([copy.count, copy.last, copy.mean]);
        expect(copy.count).toBe(values.length);
        expect(standardDeviationAt(row, 3, factor)).toBe(standardDeviation(scaleMoments(copy, factor)));
      }),
    );
  });
});
