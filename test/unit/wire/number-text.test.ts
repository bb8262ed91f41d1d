import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_UINT32, readDecimal, readSsrc } from '../../../src/wire/number-text.ts';

const LARGEST = 1e15;
/** Like numbers, and mutilated ones. */
const numberLike = fc.string({ unit: fc.constantFrom(...Array.from('0123456789.-')), maxLength: 33 });

describe('a number with or without a fraction', () => {
  test('is what JavaScript reads it as, and nothing where it is no such number', () => {
    fc.assert(
      fc.property(numberLike, (text) => {
        const isNumber = /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text);
        expect(readDecimal(text, -LARGEST, LARGEST)).toBe(isNumber ? Number(text) : undefined);
      }),
    );
  });

  test('is read to the last bit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000_000_000 }), fc.nat({ max: 999_999_999 }), (whole, fraction) => {
        const text = `${whole}.${String(fraction).padStart(9, '0')}`;
        expect(readDecimal(text, 0, LARGEST)).toBe(Number(text));
      }),
    );
  });

  test.each([
    ['0.0002', 0.0002],
    ['-3', -3],
    ['100.0', 100],
    ['100.1', undefined],
    ['-3.1', undefined],
    ['1.', undefined],
    ['.5', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['-', undefined],
    ['nan', undefined],
    ['1234567890123456', undefined],
  ])('%j is %j where -3 to 100 is allowed', (text, value) => {
    expect(readDecimal(text, -3, 100)).toBe(value);
  });
});

describe('an SSRC', () => {
  test('is read whatever its digits', () => {
    fc.assert(
      fc.property(fc.nat({ max: MAX_UINT32 }), (ssrc) => {
        expect(readSsrc(`0x${ssrc.toString(16)}`)).toBe(ssrc);
        expect(readSsrc(`0X${ssrc.toString(16).toUpperCase()}`)).toBe(ssrc);
      }),
    );
  });

  test.each(['', '0x', '3c2c6734', '0x3c2c67345', '0x3c2g', '1x3c2c', '0x 1', '0x-1', undefined])(
    '%j is none',
    (text) => {
      expect(readSsrc(text)).toBeUndefined();
    },
  );
});
