import type { Call, Channel, Direction, Stream, Verdict } from './answers.ts';

interface VerdictWords {
  readonly sign: string;
  readonly word: string;
  /** Of whom it is said, where a party is known: `one way: alice hears nothing`. */
  readonly ofParty?: string;
  /** The colour's name; several verdicts share one. */
  readonly tone: 'good' | 'fair' | 'poor' | 'bad' | 'unknown';
  /** For sorting, worst first. */
  readonly rank: number;
}

/** A sign and a word stand beside every colour. */
const VERDICT_WORDS: Readonly<Record<Verdict, VerdictWords>> = {
  bad: { sign: '✕', word: 'bad', tone: 'bad', rank: 0 },
  'no-media': { sign: '∅', word: 'no media', tone: 'bad', rank: 1 },
  'one-way-rx': { sign: '⇥', word: 'one way: one hears nothing', ofParty: 'hears nothing', tone: 'bad', rank: 2 },
  'one-way-tx': { sign: '⇤', word: 'one way: one is not heard', ofParty: 'is not heard', tone: 'bad', rank: 3 },
  poor: { sign: '!', word: 'poor', tone: 'poor', rank: 4 },
  fair: { sign: '~', word: 'fair', tone: 'fair', rank: 5 },
  'no-rtcp': { sign: '?', word: 'no RTCP', tone: 'unknown', rank: 6 },
  'too-short': { sign: '…', word: 'too short', tone: 'unknown', rank: 8 },
  good: { sign: '✓', word: 'good', tone: 'good', rank: 9 },
};
const NOT_YET: VerdictWords = { sign: '…', word: 'not yet known', tone: 'unknown', rank: 7 };

export const VERDICTS = Object.keys(VERDICT_WORDS) as readonly Verdict[];

/** How a verdict is shown. Null (none yet) and a word of a newer release are shown as not yet known. */
export function verdictWords(verdict: Verdict | null): VerdictWords {
  return verdict === null ? NOT_YET : (VERDICT_WORDS[verdict] ?? NOT_YET);
}

/** Whom a call's verdict is about: the party whose own verdict it is; undefined where it is about nobody. */
export function partyOf({ verdict, channels }: Pick<Call, 'verdict' | 'channels'>): string | undefined {
  const channel = channels.find((candidate) => candidate.verdict === verdict);
  return channel === undefined ? undefined : shortEndpoint(channel.endpoint);
}

const DASH = '–';

/** A number with its unit, or a dash when it is not known. */
export function quantity(value: number | null | undefined, decimals: number, unit = ''): string {
  if (value === null || value === undefined) return DASH;
  return unit === '' ? value.toFixed(decimals) : `${value.toFixed(decimals)} ${unit}`;
}

/** `75` → `1:15`, `3675` → `1:01:15`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Time of day in the viewer's own time zone. */
export function clock(atMs: number): string {
  return TIME.format(atMs);
}

/** In the viewer's time zone, without the day when it is today. */
export function moment(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? TIME : DAY_AND_TIME).format(date);
}

/** In the viewer's own time zone, with the day and the zone's name: for an element's title. */
export function fullMoment(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });
}

/** `PJSIP/alice` → `alice`: the technology says little to people. */
export function shortEndpoint(endpoint: string): string {
  return endpoint.slice(endpoint.indexOf('/') + 1);
}

/** What a person calls the two directions of a channel. */
export function directionWords(channel: Channel, direction: Direction): string {
  const endpoint = shortEndpoint(channel.endpoint);
  return direction === 'rx' ? `from ${endpoint}` : `to ${endpoint}`;
}

/** Who is at the other end of a leg, as far as it was signalled. */
export function party(channel: Channel): string {
  const name = [channel.caller_name, channel.caller_number].filter((part) => part !== null && part !== '').join(' ');
  const endpoint = shortEndpoint(channel.endpoint);
  return name === '' || name === endpoint ? endpoint : `${endpoint} (${name})`;
}

/** Sorts the caller first, then the others by time. */
export function byStart(channels: readonly Channel[]): readonly Channel[] {
  return [...channels].sort(
    (a, b) =>
      Number(b.uniqueid === b.linkedid) - Number(a.uniqueid === a.linkedid) || a.started_at.localeCompare(b.started_at),
  );
}

export function streamOf(channel: Channel, direction: Direction): Stream | undefined {
  return channel.streams.find((stream) => stream.direction === direction);
}

const PLACES: Readonly<Record<NonNullable<Call['fault_place']>, string>> = {
  'caller-network': "caller's network",
  'callee-network': "callee's network",
  'both-networks': 'both networks',
  'this-server': 'this server',
  none: 'no fault',
};

/** Where the fault is; empty when it is not known. */
export function placeWords(place: Call['fault_place']): string {
  return place === null ? '' : (PLACES[place] ?? '');
}
