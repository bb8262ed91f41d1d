import { expect, test } from 'vitest';
import { ARRIVAL_BINS, arrivalBin, arrivalBins } from '../../../src/stats/packets/arrival-histogram.ts';

test('an interval is counted in the bin whose edges it lies between', () => {
  for (const ms of [0, 0.3, 0.999, 1, 1.41, 1.42, 2, 10, 20, 22.62, 22.63, 30, 60, 1000, 16_383, 16_384, 1e6, 1e12]) {
    const counts = new Uint32Array(ARRIVAL_BINS);
    counts[arrivalBin(ms)] = 1;
    const [bin] = arrivalBins(counts);
    expect(bin?.fromMs ?? Number.NaN).toBeLessThanOrEqual(ms);
    expect(bin?.toMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(ms);
  }
});

test('bins are half an octave wide, and each begins where the one before ends', () => {
  const bins = arrivalBins(new Uint32Array(ARRIVAL_BINS).fill(1));
  expect(bins.length).toBe(30);
  expect(bins.slice(1).map(({ fromMs }) => fromMs)).toEqual(bins.slice(0, -1).map(({ toMs }) => toMs));
  for (const { fromMs, toMs } of bins.slice(1, -1)) expect((toMs ?? 0) / fromMs).toBeCloseTo(Math.SQRT2, 9);
  expect(bins.at(-1)).toEqual({ fromMs: 16_384, toMs: null, count: 1 });
});

test('a clock that stepped back counts as no time', () => {
  expect(arrivalBin(-5)).toBe(0);
  expect(arrivalBin(Number.NaN)).toBe(0);
});

test('empty bins are left out', () => {
  expect(arrivalBins(new Uint32Array(ARRIVAL_BINS))).toEqual([]);
});
