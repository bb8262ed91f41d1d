/** Numbers as Asterisk prints them, read strictly: what is not wholly a number in range is undefined. */

/** Every whole number of so many digits is exact. */
const MOST_DIGITS = 15;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const DECIMAL_FRACTION = /^-?\d{1,15}(?:\.\d{1,15})?$/;
const HEXADECIMAL_32 = /^0x[0-9a-f]{1,8}$/i;

export const MAX_UINT8 = 0xff;
export const MAX_UINT16 = 0xffff;
export const MAX_UINT32 = 0xffff_ffff;

/** A whole number from 0 to `max`. */
export function readUnsigned(text: string | undefined, max: number): number | undefined {
  if (text === undefined || text.length === 0 || text.length > MOST_DIGITS) return undefined;
  // By hand: there are a dozen in every report, and a pattern costs four times as much.
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < DIGIT_0 || code > DIGIT_9) return undefined;
    value = value * 10 + (code - DIGIT_0);
  }
  return value <= max ? value : undefined;
}

/** A number with or without a fraction, at least `min` and at most `max`. */
export function readDecimal(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !DECIMAL_FRACTION.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** An SSRC as Asterisk prints it, `0x3c2c6734`. */
export function readSsrc(text: string | undefined): number | undefined {
  return text !== undefined && HEXADECIMAL_32.test(text) ? Number(text) : undefined;
}
