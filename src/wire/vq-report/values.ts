/**
 * The numbers of a report. Phones write what they do not know as nothing, as a value that is out of range, as 127 or
 * 65535: each is null here.
 */

const UNSIGNED_32 = 0xffff_ffff;
const UNKNOWN_16 = 65_535;

/** A decimal number within a closed range; null otherwise. */
export function numberWithin(text: string | undefined, lowest: number, highest: number): number | null {
  if (text === undefined || !/^-?\d{1,10}(?:\.\d{1,10})?$/.test(text)) return null;
  const value = Number(text);
  return value >= lowest && value <= highest ? value : null;
}

/** A duration or delay in milliseconds; 65535 is not known. */
export function milliseconds(text: string | undefined): number | null {
  return numberWithin(text, 0, UNKNOWN_16 - 1);
}

/** An opinion score, 1.0-5.0; some phones write 41 for 4.1. */
export function opinion(text: string | undefined): number | null {
  const asWritten = numberWithin(text, 1, 5);
  if (asWritten !== null) return asWritten;
  const inTenths = text !== undefined && /^\d\d$/.test(text) ? numberWithin(text, 10, 50) : null;
  return inTenths === null ? null : inTenths / 10;
}

/** A rating; 127 is not known, and G.107's wideband scale ends at 129, in use at 120. */
export function rating(text: string | undefined): number | null {
  return numberWithin(text, 0, 120);
}

/** A signal or noise level, dBm0; 127 is not known. */
export function level(text: string | undefined): number | null {
  return numberWithin(text, -126, 126);
}

/** Echo return loss, dB; 127 is not known. */
export function echoReturnLoss(text: string | undefined): number | null {
  return numberWithin(text, 0, 126);
}

/** `0x8d20a1c3` or `2367725997`; `SSRC=8D20A1C3` is hexadecimal, too. */
export function ssrc(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^\d{1,10}$/.test(text)) {
    const value = Number(text);
    return value <= UNSIGNED_32 ? value : null;
  }
  return /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : null;
}

/**
 * `2026-11-30T12:44:26Z`, perhaps with a fraction or an offset, as epoch milliseconds. Null for 0 and for anything else.
 */
export function moment(text: string | undefined): number | null {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?$/i.test(text)) {
    return null;
  }
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const atMs = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isFinite(atMs) && atMs > 0 ? atMs : null;
}
