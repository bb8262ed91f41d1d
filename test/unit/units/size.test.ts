import { expect, test } from 'vitest';
import { sizeText } from '../../../src/units/size.ts';

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [12_345, '13 kB'],
  [1_234_567, '1.2 MB'],
  [100_000_000, '100 MB'],
  [2_500_000_000, '2.5 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
