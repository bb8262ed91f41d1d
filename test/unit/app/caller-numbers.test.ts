import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { numberHider, numberSearcher } from '../../../src/app/numbers/caller-numbers.ts';
import { textHider } from '../../../src/app/numbers/hidden-text.ts';

const KEY = 'sixteen or more characters';
const CLEAR = { numbers: 'clear', numbersKey: null } as const;
const MASKED = { numbers: 'masked', numbersKey: null } as const;
const HASHED = { numbers: 'hashed', numbersKey: KEY } as const;

describe("a caller's number", () => {
  it.each([
    ['4915550100', '*******100'],
    ['10015', '***15'],
    ['101', '**1'],
    ['7', '*'],
    ['', ''],
  ])('%s is masked as %s', (number, shown) => {
    expect(numberHider(MASKED)(number)).toBe(shown);
  });

  it('is hashed with the key: RFC 2104 over SHA-256, cut to 64 bits', () => {
    const hash = numberHider(HASHED);
    const expected = createHmac('sha256', KEY).update('4915550100').digest('hex').slice(0, 16);
    expect([hash('4915550100'), hash('4915550100')]).toEqual([`#${expected}`, `#${expected}`]);
    expect(hash('4915550101')).not.toBe(`#${expected}`);
    expect(numberHider({ ...HASHED, numbersKey: `${KEY}.` })('4915550100')).not.toBe(`#${expected}`);
    expect(() => numberHider({ numbers: 'hashed', numbersKey: null })).toThrow(RangeError);
  });

  it('stays the same for the same number when more numbers have called than are remembered', () => {
    const hash = numberHider(HASHED);
    const first = hash('100');
    for (let n = 0; n < 20_000; n++) hash(String(n));
    expect(hash('100')).toBe(first);
  });
});

describe('a number that is looked for', () => {
  const HASH = '#0123456789abcdef';

  it.each([
    ['clear', CLEAR, '4915550100', '4915550100'],
    ['clear', CLEAR, '49*', '49*'],
    ['masked', MASKED, '4915550100', '*******100'],
    ['masked', MASKED, '*******100', '*******100'],
    ['masked', MASKED, '**1', '**1'],
    ['masked', MASKED, '49*', '49*'],
    ['masked', MASKED, HASH, '**************def'],
    ['hashed', HASHED, HASH, HASH],
    ['hashed', HASHED, '#01*', '#01*'],
  ])('is, %s, of %s', (_, setting, asked, stored) => {
    expect(numberSearcher(setting)(asked)).toBe(stored);
  });

  it('is hashed as stored unless it is a whole hash', () => {
    for (const number of ['4915550100', HASH.slice(1), `${HASH}0`, HASH.toUpperCase()]) {
      const expected = createHmac('sha256', KEY).update(number).digest('hex').slice(0, 16);
      expect(numberSearcher(HASHED)(number)).toBe(`#${expected}`);
    }
  });
});

describe('a program or device with its version', () => {
  const { program } = textHider(MASKED);

  it.each([
    ['Softphone 4915550100 1.2.3', 'Softphone *******100 1.2.3'],
    ['Softphone/+49 (155) 50-100', 'Softphone/*************100'],
    ['Softphone 4915.5501.0000', 'Softphone ***********000'],
  ])('%s is kept as %s', (text, shown) => expect(program(text)).toBe(shown));

  it.each([
    'Yealink SIP-T54W 96.86.0.100',
    'Grandstream GXP2160 1.0.11.6',
    'Cisco-CP-8841-3PCC/11.3.1',
    'snomD785/10.1.169.13',
    'PolycomVVX-VVX_411-UA/5.9.0.9373',
    'Linphone/5.1.65',
    'AVM FRITZ!Box 7590 154.07.29',
  ])('%s stays as it is', (text) => expect(program(text)).toBe(text));
});
