/** Spans of time as people write them in settings and queries. */

const MS_PER_UNIT = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^([0-9]{1,9})([smhd])$/;

/** A span longer than this is a typing mistake: a hundred years, in milliseconds. */
const LONGEST_MS = 36_525 * MS_PER_UNIT.d;

/**
 * Reads `45s`, `90m`, `12h` or `30d` as milliseconds.
 * Returns undefined for anything else, for zero and for more than a hundred years.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
  return ms > 0 && ms <= LONGEST_MS ? ms : undefined;
}
