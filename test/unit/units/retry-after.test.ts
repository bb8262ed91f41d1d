import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/units/retry-after.ts';

test.each([
  ['0', 0],
  ['7', 7000],
  ['300', 300_000],
  ['301', 300_000],
  ['999999999', 300_000],
  ['9999999999', 0],
  ['-1', 0],
  ['1.5', 0],
  ['', 0],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 0],
  [null, 0],
])('Retry-After %j waits %i ms of at most 300,000', (header, waitMs) => {
  expect(retryAfterMs(header, 300_000)).toBe(waitMs);
});
