import type { Channel, Direction, FaultPlace, Leg, Stream, Verdict } from '../rest/answers.ts';
import { LOCALE, t } from './language.ts';

interface VerdictWords {
  readonly sign: string;
  readonly word: string;
  /** The colour's name; several verdicts share one. */
  readonly tone: 'good' | 'fair' | 'poor' | 'bad' | 'unknown';
  /** For sorting, worst first. */
  readonly rank: number;
}

/** A sign and a word stand beside every colour. */
const VERDICT_WORDS: Readonly<Record<Verdict, VerdictWords>> = {
  bad: { sign: '✕', word: t('bad'), tone: 'bad', rank: 0 },
  'no-media': { sign: '∅', word: t('no media'), tone: 'bad', rank: 1 },
  'one-way-rx': { sign: '⇥', word: t('one way: one hears nothing'), tone: 'bad', rank: 2 },
  'one-way-tx': { sign: '⇤', word: t('one way: one is not heard'), tone: 'bad', rank: 3 },
  poor: { sign: '!', word: t('poor'), tone: 'poor', rank: 4 },
  fair: { sign: '~', word: t('fair'), tone: 'fair', rank: 5 },
  'no-rtcp': { sign: '?', word: t('no RTCP'), tone: 'unknown', rank: 6 },
  'too-short': { sign: '…', word: t('too short'), tone: 'unknown', rank: 8 },
  good: { sign: '✓', word: t('good'), tone: 'good', rank: 9 },
};
const NOT_YET: VerdictWords = { sign: '…', word: t('not yet known'), tone: 'unknown', rank: 7 };

export const VERDICTS = Object.keys(VERDICT_WORDS) as readonly Verdict[];

/** Words of REST for several verdicts. */
export const VERDICT_GROUPS: readonly (readonly [value: string, word: string])[] = [
  ['bad-or-worse', t('bad or worse')],
  ['poor-or-worse', t('poor or worse')],
  ['any-one-way', t('any one way')],
];

/** How a verdict is shown. Null (none yet) and a word of a newer release are shown as not yet known. */
export function verdictWords(verdict: Verdict | null): VerdictWords {
  return verdict === null ? NOT_YET : (VERDICT_WORDS[verdict] ?? NOT_YET);
}

/** As REST judges a call: a direction without media outranks all, then comes the word of the worst direction. */
const WEIGHTIEST: readonly Verdict[] = ['no-media', 'one-way-tx', 'one-way-rx', 'bad', 'poor', 'fair', 'good'];

/** The verdict of a call that is up, by its legs. */
export function verdictOfLegs(legs: readonly Leg[]): Verdict | null {
  const verdicts = legs.map(({ verdict }) => verdict);
  return (
    WEIGHTIEST.find((verdict) => verdicts.includes(verdict)) ?? verdicts.find((verdict) => verdict !== null) ?? null
  );
}

/** What a call's list of channels and its verdict say of who did not hear whom; undefined where all did. */
export function oneWayWords(call: {
  readonly verdict: Verdict | null;
  readonly channels: readonly Leg[];
  readonly state: 'up' | 'ended';
}): string | undefined {
  const { verdict, channels, state } = call;
  if (verdict !== 'one-way-rx' && verdict !== 'one-way-tx') return undefined;
  const leg = channels.find((candidate) => candidate.verdict === verdict);
  if (leg === undefined) return undefined;
  const isUp = state === 'up';
  const hearsNothing = verdict === 'one-way-rx';
  if (channels.length !== 2) {
    const who = shortEndpoint(leg.endpoint);
    if (hearsNothing) return t(isUp ? 'one way: {who} hears nothing' : 'one way: {who} heard nothing', { who });
    return t(isUp ? 'one way: {who} is not heard' : 'one way: {who} was not heard', { who });
  }
  const isCaller = leg.uniqueid === leg.linkedid;
  if (isCaller === hearsNothing) {
    return t(isUp ? 'one way: the caller does not hear the callee' : 'one way: the caller did not hear the callee');
  }
  return t(isUp ? 'one way: the callee does not hear the caller' : 'one way: the callee did not hear the caller');
}

const DASH = '–';

const NUMBER_FORMATS = new Map<number, Intl.NumberFormat>();

function numberFormat(decimals: number): Intl.NumberFormat {
  const known = NUMBER_FORMATS.get(decimals);
  if (known !== undefined) return known;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const format = new Intl.NumberFormat(LOCALE, { ...digits, useGrouping: false });
  NUMBER_FORMATS.set(decimals, format);
  return format;
}

/** A number with its unit, or a dash when it is not known. */
export function quantity(value: number | null | undefined, decimals: number, unit = ''): string {
  if (value === null || value === undefined) return DASH;
  const text = numberFormat(decimals).format(value);
  return unit === '' ? text : `${text} ${unit}`;
}

/** `75` → `1:15`, `3675` → `1:01:15`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const TIME = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const DAY_AND_TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });

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
  return new Date(iso).toLocaleString(LOCALE, { dateStyle: 'full', timeStyle: 'long' });
}

/** `PJSIP/alice` → `alice`: the technology says little to people. */
export function shortEndpoint(endpoint: string): string {
  return endpoint.slice(endpoint.indexOf('/') + 1);
}

/** What a person calls the two directions of a channel. */
export function directionWords(channel: Leg, direction: Direction): string {
  const endpoint = shortEndpoint(channel.endpoint);
  return direction === 'rx' ? t('from {who}', { who: endpoint }) : t('to {who}', { who: endpoint });
}

/** Who is at the other end of a leg, as far as it was signalled. */
export function party(channel: Leg): string {
  const name = [channel.caller_name, channel.caller_number].filter((part) => part !== null && part !== '').join(' ');
  const endpoint = shortEndpoint(channel.endpoint);
  return name === '' || name === endpoint ? endpoint : `${endpoint} (${name})`;
}

/** Sorts the caller first, then the others by time. */
export function byStart<Each extends Leg>(channels: readonly Each[]): readonly Each[] {
  return [...channels].sort(
    (a, b) =>
      Number(b.uniqueid === b.linkedid) - Number(a.uniqueid === a.linkedid) || a.started_at.localeCompare(b.started_at),
  );
}

export function streamOf(channel: Channel, direction: Direction): Stream | undefined {
  return channel.streams.find((stream) => stream.direction === direction);
}

const PLACES: Readonly<Record<FaultPlace, string>> = {
  'caller-network': t("caller's network"),
  'callee-network': t("callee's network"),
  'both-networks': t('both networks'),
  'this-server': t('this server'),
  'caller-phone': t("caller's phone"),
  'callee-phone': t("callee's phone"),
  none: t('no fault'),
};

export const FAULT_PLACES = Object.keys(PLACES) as readonly FaultPlace[];

/** What may be wrong with the audio itself. */
export const FINDINGS: readonly (readonly [finding: string, word: string])[] = [
  ['echo', t('echo')],
  ['noisy', t('noise')],
  ['too-quiet', t('too quiet')],
  ['too-loud', t('too loud')],
  ['clipped', t('clipped')],
  ['silent', t('silence')],
];

/** Where the fault is; empty when it is not known. */
export function placeWords(place: FaultPlace | null): string {
  return place === null ? '' : (PLACES[place] ?? '');
}
