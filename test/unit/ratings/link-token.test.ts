import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkToken, readLinkToken } from '../../../src/ratings/link-token.ts';

const KEY = 'the key of this installation';
const NOW_MS = 1_796_000_000_000;
const CONTENT = {
  linkedid: '1795176306.3',
  uniqueid: '1795176306.4',
  side: 'callee',
  expiresAtMs: NOW_MS + 60_000,
} as const;

describe('a link to rate a call', () => {
  test('says what was put into it, and fits into an address', () => {
    const token = linkToken(CONTENT, KEY);
    expect(token).toMatch(/^[\w.-]+$/);
    expect(readLinkToken(token, KEY, NOW_MS)).toEqual(CONTENT);
  });

  test('is void when it is over, and of another key', () => {
    const token = linkToken(CONTENT, KEY);
    expect(readLinkToken(token, KEY, CONTENT.expiresAtMs - 1)).toEqual(CONTENT);
    expect(readLinkToken(token, KEY, CONTENT.expiresAtMs)).toBeUndefined();
    expect(readLinkToken(token, 'another key', NOW_MS)).toBeUndefined();
  });

  test('is void as soon as one character of it is another', () => {
    const token = linkToken(CONTENT, KEY);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'),
        (at, character) => {
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          const read = readLinkToken(changed, KEY, NOW_MS);
          expect(read).toEqual(changed === token ? CONTENT : undefined);
        },
      ),
    );
  });

  test('is void in another text that base64 decodes to the same bytes', () => {
    const token = linkToken(CONTENT, KEY);
    const [content = '', mac = ''] = token.split('.');
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 128 bits are 22 digits of 6 bits: four bits of the last one say nothing.
    const last = digits.indexOf(mac.at(-1) ?? '');
    const others = digits.split('').filter((_, value) => value >> 4 === last >> 4 && value !== last);
    expect(others).toHaveLength(15);
    const same = [...others.map((digit) => mac.slice(0, -1) + digit), `${mac}==`, `${mac}!`, `${mac} `, `!${mac}`];
    expect(same.map((text) => readLinkToken(`${content}.${text}`, KEY, NOW_MS))).toEqual(same.map(() => undefined));
    expect(readLinkToken(token, KEY, NOW_MS)).toEqual(CONTENT);
  });

  test.each(['', '.', 'a.b', `${'x'.repeat(2000)}.y`, 'null.AAAAAAAAAAAAAAAAAAAAAA'])('%j is none', (token) => {
    expect(readLinkToken(token, KEY, NOW_MS)).toBeUndefined();
  });
});
