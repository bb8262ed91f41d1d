import { parseDurationMs } from './duration.ts';

/** A point in time as people give it: epoch milliseconds, or how long ago. */
export type Moment = { readonly atMs: number } | { readonly agoMs: number };

/** ISO 8601 as far as RFC 3339 has it; the time of day, its seconds and the offset may be left out. */
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$/;

/**
 * Reads `-1h`, or ISO 8601: without a time of day it is midnight, without an offset it is UTC. Undefined for anything else,
 * also for a day that the month does not have.
 */
export function parseMoment(text: string): Moment | undefined {
  if (text.startsWith('-')) {
    const agoMs = parseDurationMs(text.slice(1));
    return agoMs === undefined ? undefined : { agoMs };
  }
  // An offset's plus sign that was not percent-encoded arrives as a space.
  const iso = text.replace(/ (?=\d\d:\d\d$)/, '+');
  if (!ISO.test(iso)) return undefined;
  const [local = ''] = iso.split(/Z|(?<=T.*)[+-]/, 1);
  const localMs = Date.parse(local.includes('T') ? `${local}Z` : local);
  // Date.parse takes 30 February for 2 March, and 24:00 for the next day.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(local.slice(0, 16))) return undefined;
  const hasOffset = local.length < iso.length;
  return { atMs: hasOffset ? Date.parse(iso) : localMs };
}

/** The moment as epoch milliseconds. */
export function momentMs(moment: Moment, nowMs: number): number {
  return 'atMs' in moment ? moment.atMs : nowMs - moment.agoMs;
}
