import { describe, expect, test } from 'vitest';
import { EMERGENCY_NUMBERS } from '../../../src/model/people/rating.ts';
import { type AskedCall, askProbability } from '../../../src/ratings/asking.ts';

const DAY_MS = 24 * 3_600_000;
const RULES = { askPercent: 5, never: [...EMERGENCY_NUMBERS, 'PJSIP/lift*', '+4930123'] };

function probability(part: Partial<AskedCall>): number {
  const call = {
    endpoint: 'PJSIP/214',
    numbers: ['214', '200'],
    verdict: 'good',
    lastAskedAtMs: null,
    nowMs: 10 * DAY_MS,
  } as const;
  return askProbability({ ...call, ...part }, RULES);
}

describe('whom to ask', () => {
  test.each([
    ['good', 0.05],
    ['fair', 0.05],
    [null, 0.05],
    ['no-rtcp', 0.05],
    ['poor', 1],
    ['bad', 1],
    ['one-way-tx', 1],
    ['no-media', 1],
  ] as const)('a call that was %s with probability %d', (verdict, expected) => {
    expect(probability({ verdict })).toBe(expected);
  });

  test('an endpoint once a day, however bad it was', () => {
    const verdict = 'bad';
    expect(probability({ verdict, lastAskedAtMs: 10 * DAY_MS - 1 })).toBe(0);
    expect(probability({ verdict, lastAskedAtMs: 9 * DAY_MS + 1 })).toBe(0);
    expect(probability({ verdict, lastAskedAtMs: 9 * DAY_MS })).toBe(1);
  });

  test('nobody who called for help, and none that is named', () => {
    const verdict = 'bad';
    for (const number of ['112', '110', '911']) expect(probability({ verdict, numbers: ['214', number] })).toBe(0);
    expect(probability({ verdict, endpoint: 'PJSIP/lift-2' })).toBe(0);
    expect(probability({ verdict, numbers: ['+4930123'] })).toBe(0);
    expect(probability({ verdict, numbers: ['+49301234', '1122'] })).toBe(1);
  });
});
