import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS, meanOfKnown, verdictOf } from '../../../src/score/verdict.ts';

describe('verdict', () => {
  test.each([
    [4.5, 'good'],
    [4.0, 'good'],
    [3.996, 'good'],
    [3.994, 'fair'],
    [3.6, 'fair'],
    [3.59, 'poor'],
    [3.1, 'poor'],
    [3.09, 'bad'],
    [1, 'bad'],
  ])('%d is %s, as it would be read with two decimals', (mes, verdict) => {
    expect(verdictOf(mes, DEFAULT_THRESHOLDS)).toBe(verdict);
  });
});

describe('mean of the known', () => {
  test('leaves the unknown out and never counts it as a value', () => {
    expect(meanOfKnown([4, null, 2])).toBe(3);
    expect(meanOfKnown([null, null])).toBeNull();
    expect(meanOfKnown([])).toBeNull();
  });
});
