import { describe, expect, it } from 'vitest';
import { fisherExact } from '../../../src/stats/fisher-exact.ts';

describe("Fisher's exact test", () => {
  // R's documentation of fisher.test: the tea taster, and convictions of like-sex criminal twins.
  it.each([
    [3, 4, 1, 4, 0.4857],
    [2, 12, 15, 18, 0.0005367],
    [0, 0, 3, 9, 1],
    [0, 5, 0, 9, 1],
    [5, 5, 9, 9, 1],
    // By hand: the one table that is as unlikely and its mirror image, 2 / C(6, 3).
    [3, 3, 0, 3, 0.1],
  ])('of %i of %i against %i of %i', (ones, many, otherOnes, otherMany, expected) => {
    expect(fisherExact(ones, many, otherOnes, otherMany)).toBeCloseTo(expected, 4);
    expect(fisherExact(otherOnes, otherMany, ones, many)).toBeCloseTo(expected, 4);
  });

  it('of many calls ends soon and near what the normal distribution says', () => {
    // 1.2 against 1 percent of 100,000: z = 4.29, p = 1.8e-5.
    const p = fisherExact(1200, 100_000, 1000, 100_000);
    expect(p).toBeGreaterThan(1.5e-5);
    expect(p).toBeLessThan(2.3e-5);
  });
});
