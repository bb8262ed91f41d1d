import { createHmac } from 'node:crypto';
import type { Settings } from '../../config/settings.ts';

/** How callers' numbers are kept and shown: as they are, by their last digits, or as a hash with a key. */
export type NumberSetting = Pick<Settings['history'], 'numbers' | 'numbersKey'>;

/** Hexadecimal digits of a hash that are kept. With a million numbers, two hashes collide with a chance of 1 in 37 million. */
const HASH_DIGITS = 16;
const HASH = new RegExp(`^#[0-9a-f]{${HASH_DIGITS}}$`);
/** Hashes remembered: every report of a channel repeats its number. */
const MOST_REMEMBERED = 10_000;
/** Digits of a masked number that are shown, but never more than half of it. */
const SHOWN_DIGITS = 3;
const DIGIT = /\p{Nd}/gu;

function digitsIn(text: string): number {
  return text.match(DIGIT)?.length ?? 0;
}

/** A masked number stays as it is: people search for what they were shown. */
const MASKED = /^(\*+)(\d{0,3})$/;

/** Masks as `*******100`. Equal numbers give equal texts. At most half of the characters and half of the digits are shown. */
function masked(number: string): string {
  const [, stars = '', rest = ''] = MASKED.exec(number) ?? [];
  if (stars.length > 0 && stars.length >= rest.length) return number;
  const digits = digitsIn(number);
  let shown = Math.min(SHOWN_DIGITS, Math.floor(number.length / 2));
  while (digitsIn(number.slice(number.length - shown)) > digits / 2) shown--;
  return '*'.repeat(number.length - shown) + number.slice(number.length - shown);
}

/** Hashes as `#` and hexadecimal digits. Nobody can try out all numbers without the key. */
function hasher(key: string): (number: string) => string {
  const known = new Map<string, string>();
  return (number) => {
    const before = known.get(number);
    if (before !== undefined) return before;
    const hash = `#${createHmac('sha256', key).update(number).digest('hex').slice(0, HASH_DIGITS)}`;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(number, hash);
    return hash;
  };
}

/**
 * Changes a number for storing, as the setting says. Equal numbers stay equal, so that calls of one number can be found in all three
 * forms. Throws RangeError when a key is needed and missing.
 */
export function numberHider({ numbers, numbersKey }: NumberSetting): (number: string) => string {
  if (numbers === 'clear') return (number) => number;
  if (numbers === 'masked') return masked;
  if (numbersKey === null) throw new RangeError('numbers cannot be hashed without a key');
  return hasher(numbersKey);
}

/**
 * Changes a dialled number into the form to search for. A beginning (`*` at its end) and a hash stay as they are. Throws RangeError
 * when a key is needed and missing.
 */
export function numberSearcher(setting: NumberSetting): (text: string) => string {
  const hide = numberHider(setting);
  const isHash = (text: string): boolean => setting.numbers === 'hashed' && HASH.test(text);
  return (text) => (text.endsWith('*') || isHash(text) ? text : hide(text));
}
