import { createHmac } from 'node:crypto';
import type { Settings } from '../config/settings.ts';

/** How callers' numbers are kept and shown: as they are, by their last digits, or as a hash with a key. */
export type NumberSetting = Pick<Settings['history'], 'numbers' | 'numbersKey'>;

/** Hexadecimal digits of a hash that are kept: among a million numbers, two are the same once in 37 million times. */
const HASH_DIGITS = 16;
const HASH = new RegExp(`^#[0-9a-f]{${HASH_DIGITS}}$`);
/** Numbers whose hash is remembered: every report of a channel names its number again. */
const MOST_REMEMBERED = 10_000;
/** Shown of a masked number, but never more than half of it. */
const SHOWN_DIGITS = 3;
const DIGIT = /\p{Nd}/gu;

function digitsIn(text: string): number {
  return text.match(DIGIT)?.length ?? 0;
}

/** What has been masked stays as it is: people search for what they were shown. */
const MASKED = /^(\*+)(\d{0,3})$/;

/** `*******100`; the same number always gives the same text. Of its characters and of its digits at most half are shown. */
function masked(number: string): string {
  const [, stars = '', rest = ''] = MASKED.exec(number) ?? [];
  if (stars.length > 0 && stars.length >= rest.length) return number;
  const digits = digitsIn(number);
  let shown = Math.min(SHOWN_DIGITS, Math.floor(number.length / 2));
  while (digitsIn(number.slice(number.length - shown)) > digits / 2) shown--;
  return '*'.repeat(number.length - shown) + number.slice(number.length - shown);
}

/** `#` and hexadecimal digits; without the key nobody can try all numbers out. */
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
 * What the setting makes of a number that is stored. Equal numbers stay equal, so that calls of one can be found in each
 * of the three forms. Throws RangeError when a key is needed and missing.
 */
export function numberHider({ numbers, numbersKey }: NumberSetting): (number: string) => string {
  if (numbers === 'clear') return (number) => number;
  if (numbers === 'masked') return masked;
  if (numbersKey === null) throw new RangeError('numbers cannot be hashed without a key');
  return hasher(numbersKey);
}

/**
 * Whoever looks for a number gives it as it was dialled: this is the form to look for among the stored ones. A beginning
 * (`*` at its end) and a hash are looked for as they are. Throws RangeError when a key is needed and missing.
 */
export function numberSearcher(setting: NumberSetting): (text: string) => string {
  const hide = numberHider(setting);
  const isHash = (text: string): boolean => setting.numbers === 'hashed' && HASH.test(text);
  return (text) => (text.endsWith('*') || isHash(text) ? text : hide(text));
}
