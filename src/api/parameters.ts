import { z } from 'zod';
import { AUDIO_FINDINGS } from '../model/capture.ts';
import { CALL_ENDERS } from '../model/call-end.ts';
import type { CallCursor, Grouping } from '../model/ports.ts';
import { FAULT_PLACES } from '../model/fault.ts';
import { ISSUES } from '../model/people/rating.ts';
import { LONGEST_TAG } from '../model/people/remark.ts';
import { VERDICT_GROUPS, type Verdict, VERDICTS } from '../model/score.ts';
import { MAX_OPINION, MIN_OPINION } from '../score/opinion.ts';
import { parseDurationMs } from '../units/duration.ts';
import { parseMoment } from '../units/moment.ts';
import { SORTS } from './call-order.ts';

/** Calls on a page: by default, and at most. */
export const DEFAULT_LIMIT = 50;
export const MOST_LIMIT = 500;
const LONGEST_CURSOR = 600;
/** Bound on what error sentences repeat of a client's text. */
export const SHOWN_CHARACTERS = 80;

export function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}

/** The OpenAPI schema of a parameter as it is sent; a string by default. */
type Wire = Readonly<Record<string, unknown>>;

/** A query parameter that may be left out; `allowed` completes "give …". */
export function parameter<T>(allowed: string, parse: (text: string) => T | undefined, wire: Wire = { type: 'string' }) {
  return z
    .string({ error: 'is given more than once; give it once' })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: `${shown(text)} is not allowed; give ${allowed}` });
      return z.NEVER;
    })
    .optional()
    .meta({ description: allowed, wire });
}

/** Bound on the values of one filter. */
const MOST_VALUES = 25;

interface Severals {
  readonly most?: number;
  /** False: values may have commas, so they are not split at them. */
  readonly splits?: boolean;
  readonly items?: Wire;
}

/** A parameter with several values: repeated, or separated by commas. One value may parse to several. */
export function several<T>(
  allowed: string,
  parse: (text: string) => T | readonly T[] | undefined,
  { most = MOST_VALUES, splits = true, items = { type: 'string' } }: Severals = {},
) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given, context): T[] => {
      const texts = [given].flat().flatMap((text) => (splits ? text.split(',') : [text]));
      const values = texts.flatMap((text) => parse(text) ?? []);
      const wrong = texts.find((text) => parse(text) === undefined);
      if (wrong !== undefined) {
        context.addIssue({ code: 'custom', message: `${shown(wrong)} is not allowed; give ${allowed}` });
      } else if (texts.length > most) {
        context.addIssue({ code: 'custom', message: `has more than ${most} values; ask in parts` });
      }
      return [...new Set(values)];
    })
    .optional()
    .meta({
      description: `${allowed}; up to ${most}, ${splits ? 'between commas or ' : ''}each as a parameter of its own`,
      wire: { type: 'array', items, maxItems: most },
    });
}

/** Scores of ratings, both ends included. */
export interface RatedScores {
  readonly lowestScore: number;
  readonly highestScore: number;
}

const [WORST_RATING, BEST_RATING] = [1, 5];

/** `2`, `1-2`, `<=2` or `>=4`. */
function parseScores(text: string): RatedScores | undefined {
  const [, sign, first = '', second] = /^(<=|>=)?([1-5])(?:-([1-5]))?$/.exec(text) ?? [];
  if (first === '' || (sign !== undefined && second !== undefined)) return undefined;
  const [score, highest] = [Number(first), Number(second ?? first)];
  if (sign === '<=') return { lowestScore: WORST_RATING, highestScore: score };
  if (sign === '>=') return { lowestScore: score, highestScore: BEST_RATING };
  return highest < score ? undefined : { lowestScore: score, highestScore: highest };
}

export const ratedScores = () => parameter('a score from 1 to 5, such as 2, 1-2, <=2 or >=4', parseScores);

function parseRated(text: string): boolean | undefined {
  if (/^(?:yes|true|1|)$/.test(text)) return true;
  return /^(?:no|false|0)$/.test(text) ? false : undefined;
}

function parseOpinion(text: string): number | undefined {
  if (!/^\d(\.\d{1,9})?$/.test(text)) return undefined;
  const opinion = Number(text);
  return opinion >= MIN_OPINION && opinion <= MAX_OPINION ? opinion : undefined;
}

/** On a fleet the PBX follows. */
const CURSOR = z.union([z.tuple([z.int(), z.string().min(1)]), z.tuple([z.int(), z.string().min(1), z.string()])]);

export function encodeCursor(cursor: CallCursor): string {
  return Buffer.from(
    JSON.stringify([cursor.startedAtMs, cursor.linkedid, ...(cursor.pbx === undefined ? [] : [cursor.pbx])]),
  ).toString('base64url');
}

function parseCursor(text: string): CallCursor | undefined {
  if (text.length > LONGEST_CURSOR) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  const parsed = CURSOR.safeParse(content);
  if (!parsed.success) return undefined;
  const [startedAtMs, linkedid, pbx] = parsed.data;
  const cursor = { startedAtMs, linkedid, pbx };
  // Base64 decoding is lax: accept only exactly what we gave out.
  return encodeCursor(cursor) === text ? cursor : undefined;
}

export const moment = () =>
  parameter('an ISO 8601 time such as 2026-11-20T10:00:00Z, or -1h, -30m, -7d, -45s', parseMoment);
/** Stars inside belong to a hidden number, of which the last digits are shown: `PJSIP/*******100`. */
const ENDPOINT_PATTERN = /^[^\p{Cc}*]{0,128}(?:\*+[\p{Nd}() .-]{1,3}[^\p{Cc}*]{0,64}){0,4}\*?$/u;
const ENDPOINT_WORDS = 'an endpoint such as PJSIP/alice, or its beginning and * at its end';

function parseEndpoint(text: string): string | undefined {
  return text !== '' && text.length <= 129 && ENDPOINT_PATTERN.test(text) ? text : undefined;
}

export const endpoint = () => parameter(ENDPOINT_WORDS, parseEndpoint);
export const endpoints = () => several(ENDPOINT_WORDS, parseEndpoint);

/**
 * A number as dialled or as stored. A caller ID may have anything in it, also a star (`*97`). A plus sign that was not
 * percent-encoded arrives as a space.
 */
function parseNumber(text: string): string | undefined {
  return /^\P{Cc}{1,64}$/u.test(text) ? text.replace(/^ /, '+') : undefined;
}

const named = (what: string) =>
  several(`${what}, or its beginning and * at its end`, (text) => (/^\P{Cc}{1,128}$/u.test(text) ? text : undefined));
const numbers = () =>
  several("a caller's or connected number, or its beginning as stored and * at its end", parseNumber, {
    splits: false,
  });
const opinion = () =>
  parameter(`an opinion from ${MIN_OPINION} to ${MAX_OPINION}`, parseOpinion, {
    type: 'number',
    minimum: MIN_OPINION,
    maximum: MAX_OPINION,
  });
/** A whole number from 1 to `most`. */
export function limit(most: number) {
  return parameter(
    `a whole number from 1 to ${most}`,
    (text) => (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= most ? Number(text) : undefined),
    { type: 'integer', minimum: 1, maximum: most },
  );
}

const codecs = () =>
  several("a codec's name as Asterisk writes it, such as ulaw", (text) =>
    /^[\w.-]{1,32}$/.test(text) ? text : undefined,
  );

const VERDICT_WORDS: readonly string[] = [...VERDICTS, ...Object.keys(VERDICT_GROUPS)];

function parseVerdict(text: string): Verdict | readonly Verdict[] | undefined {
  if (Object.hasOwn(VERDICT_GROUPS, text)) return VERDICT_GROUPS[text as keyof typeof VERDICT_GROUPS];
  return VERDICTS.find((known) => known === text);
}

const verdicts = () =>
  several(`one of ${VERDICT_WORDS.join(', ')}`, parseVerdict, { items: { type: 'string', enum: VERDICT_WORDS } });

function oneOf<Word extends string>(words: readonly Word[], meaning: string) {
  return parameter(`${words.join(', ')}: ${meaning}`, (text) => words.find((word) => word === text), {
    type: 'string',
    enum: words,
  });
}

/** A duration in seconds, with or without a fraction. */
const seconds = () =>
  parameter('seconds, such as 90', (text) => (/^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined), {
    type: 'number',
    minimum: 0,
  });

/** More channels than an Asterisk has up. */
const MOST_LIVE_LIMIT = 50_000;

export const LIVE_QUERY = z.strictObject({
  endpoint: endpoints(),
  codec: codecs(),
  verdict: verdicts(),
  max_mes: opinion(),
  min_mes: opinion(),
  sort: oneOf(['mes'], 'the worst first'),
  limit: limit(MOST_LIVE_LIMIT),
  fields: oneOf(['summary'], 'a line of each channel, without its streams'),
});

/** Any of some words. */
const severalOf = <const Word extends string>(words: readonly Word[]) =>
  several(`one of ${words.join(', ')}`, (text) => words.find((known) => known === text), {
    items: { type: 'string', enum: words },
  });

/** A tag as it was set, or as it is shown with a hidden number. */
const TAG = new RegExp(`^[\\p{L}\\p{M}\\p{N}_.:*#-]{1,${LONGEST_TAG * 4}}$`, 'u');

export const CALLS_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  party: parameter(
    'an extension, a number or an endpoint: calls that it had part in; its beginning with * at its end',
    parseNumber,
  ),
  endpoint: endpoints(),
  direction: oneOf(['from', 'to'], 'with endpoint, the calls that it made, or those that it got'),
  codec: codecs(),
  number: numbers(),
  device: named('make, model and firmware, such as Yealink SIP-T54W 96.86.0.100'),
  site: named('a site that [network:PREFIX] names'),
  verdict: verdicts(),
  fault_place: severalOf(FAULT_PLACES),
  ended_by: severalOf(CALL_ENDERS),
  finding: severalOf(AUDIO_FINDINGS),
  rated: parameter('yes for calls that somebody rated, no for the others', parseRated, {
    type: 'string',
    enum: ['yes', 'no'],
  }),
  rating: ratedScores(),
  issue: severalOf(ISSUES),
  max_mes: opinion(),
  min_mes: opinion(),
  min_duration_s: seconds(),
  max_duration_s: seconds(),
  tag: several('a tag that people gave the call, exact', (text) => (TAG.test(text) ? text : undefined)),
  sort: oneOf(SORTS, 'the newest first, or one page of the newest 10,000 that fit in another order'),
  fields: oneOf(['summary'], 'a line of each call and leg, without streams'),
  count: oneOf(['yes'], 'also how many fit'),
  limit: limit(MOST_LIMIT),
  cursor: parameter('the next_cursor of the page before, unchanged', parseCursor),
});

/** Shorter buckets say nothing: calls last about as long. */
const SHORTEST_BUCKET_MS = 60_000;
const bucket = () =>
  parameter('the length of a stretch, at least 1m, such as 15m, 1h or 1d', (text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && ms >= SHORTEST_BUCKET_MS ? ms : undefined;
  });

/** Bound on the endpoints with trends in one answer. So many take milliseconds and fit into a URL. */
export const MOST_TRENDS = 25;

/** Bound on the endpoints of the ranking. */
const MOST_ENDPOINTS = 1000;

export const ENDPOINTS_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  // A name may have a star in it: over DAHDI the dialled number is part of the name.
  endpoint: several(ENDPOINT_WORDS, (text) => (/^\P{Cc}{1,128}$/u.test(text) ? text : undefined), {
    most: MOST_TRENDS,
  }),
  bucket: bucket(),
  limit: limit(MOST_ENDPOINTS),
});

/** What calls are grouped by, beside endpoints. */
export const GROUPINGS = ['device', 'site', 'codec'] as const satisfies readonly Grouping[];

export const GROUPS_QUERY = z.strictObject({
  by: oneOf(GROUPINGS, 'what calls are put together by; device unless given'),
  from: moment(),
  to: moment(),
  limit: limit(MOST_ENDPOINTS),
});

export const SUMMARY_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  bucket: bucket(),
  endpoint: endpoint(),
});

/** Bound on a limit for reports of a channel; the last ones are returned. */
const MOST_INTERVALS = 100_000;

export const INTERVALS_QUERY = z.strictObject({ limit: limit(MOST_INTERVALS) });

/** Of a short list: all of it unless a limit is given. */
export const LIST_QUERY = z.strictObject({ limit: limit(MOST_ENDPOINTS) });

export const NO_QUERY = z.strictObject({});
