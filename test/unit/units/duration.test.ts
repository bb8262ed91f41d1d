import { expect, it } from 'vitest';
import { parseDurationMs } from '../../../src/units/duration.ts';

it.each([
  ['45s', 45_000],
  ['90m', 5_400_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['36525d', 3_155_760_000_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

it.each(['', '30', 'd', '0s', '-1h', '1.5h', '1 h', '1w', '1H', '36526d', '9999999999s', '1h30m'])(
  '%j is no duration',
  (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  },
);
