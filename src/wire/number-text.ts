/** Reads numbers as Asterisk prints them. Undefined for any text that is not wholly a number in range. */

/** A double holds every whole number of this many digits exactly. */
const MOST_DIGITS = 15;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const MINUS = 0x2d;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const LETTER_X = 0x78;
/** The bit that makes an ASCII letter lower case. */
const LOWER_CASE = 0x20;
const POWERS_OF_TEN = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
/** `0x` and up to eight digits. */
const MOST_SSRC_CHARACTERS = 10;

export const MAX_UINT8 = 0xff;
export const MAX_UINT16 = 0xffff;
export const MAX_UINT32 = 0xffff_ffff;

/** A whole number from 0 to `max`. */
export function readUnsigned(text: string | undefined, max: number): number | undefined {
  if (text === undefined || text.length === 0 || text.length > MOST_DIGITS) return undefined;
  // No regular expression: a report has a dozen numbers, and a pattern costs four times as much.
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < DIGIT_0 || code > DIGIT_9) return undefined;
    value = value * 10 + (code - DIGIT_0);
  }
  return value <= max ? value : undefined;
}

/** A whole number from `min` (below 0) to `max`. */
export function readSigned(text: string | undefined, min: number, max: number): number | undefined {
  if (text?.charCodeAt(0) !== MINUS) return readUnsigned(text, max);
  const size = readUnsigned(text.slice(1), -min);
  return size === undefined || size === 0 ? undefined : -size;
}

/** A number with or without a fraction, at least `min` and at most `max`. */
export function readDecimal(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const isNegative = text.charCodeAt(0) === MINUS;
  const from = isNegative ? 1 : 0;
  const point = text.indexOf('.', from);
  const wholeUntil = point < 0 ? text.length : point;
  const decimals = point < 0 ? 0 : text.length - point - 1;
  const wholeDigits = wholeUntil - from;
  if (wholeDigits < 1 || wholeDigits > MOST_DIGITS || decimals > MOST_DIGITS || point === text.length - 1) {
    return undefined;
  }
  let digits = 0;
  for (let index = from; index < text.length; index++) {
    if (index === point) continue;
    const code = text.charCodeAt(index);
    if (code < DIGIT_0 || code > DIGIT_9) return undefined;
    digits = digits * 10 + (code - DIGIT_0);
  }
  // Both are exact, so the quotient is the nearest double, which is what Number would return.
  const size = digits <= Number.MAX_SAFE_INTEGER ? digits / (POWERS_OF_TEN[decimals] ?? 1) : Number(text.slice(from));
  const value = isNegative ? -size : size;
  return value >= min && value <= max ? value : undefined;
}

/** An SSRC as Asterisk prints it, `0x3c2c6734`. */
export function readSsrc(text: string | undefined): number | undefined {
  if (text === undefined || text.length < 3 || text.length > MOST_SSRC_CHARACTERS) return undefined;
  if (text.charCodeAt(0) !== DIGIT_0 || (text.charCodeAt(1) | LOWER_CASE) !== LETTER_X) return undefined;
  let value = 0;
  for (let index = 2; index < text.length; index++) {
    const digit = hexDigit(text.charCodeAt(index));
    if (digit === undefined) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number | undefined {
  if (code >= DIGIT_0 && code <= DIGIT_9) return code - DIGIT_0;
  const letter = code | LOWER_CASE;
  return letter >= LETTER_A && letter <= LETTER_F ? letter - LETTER_A + 10 : undefined;
}
