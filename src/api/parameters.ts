import { z } from 'zod';
import type { CallCursor } from '../model/ports.ts';
import { VERDICTS } from '../model/score.ts';
import { MAX_OPINION, MIN_OPINION } from '../score/opinion.ts';
import { parseDurationMs } from '../units/duration.ts';
import { parseMoment } from '../units/moment.ts';
import { Problem } from './problem.ts';

/** Calls on a page when the client does not say, and at most. */
export const DEFAULT_LIMIT = 50;
export const MOST_LIMIT = 500;
const LONGEST_CURSOR = 600;
const SHOWN_CHARACTERS = 80;

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}

/** A query parameter that may be left out; `allowed` completes "give …". */
function parameter<T>(allowed: string, parse: (text: string) => T | undefined) {
  return z
    .string({ error: 'is given more than once; give it once' })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: `${shown(text)} is not allowed; give ${allowed}` });
      return z.NEVER;
    })
    .optional()
    .describe(allowed);
}

/** The same, to be given once or several times. */
function repeated<T>(most: number, allowed: string, parse: (text: string) => T | undefined) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given, context): T[] => {
      const texts = [given].flat();
      const values = texts.flatMap((text) => parse(text) ?? []);
      const wrong = texts.find((text) => parse(text) === undefined);
      if (wrong !== undefined) {
        context.addIssue({ code: 'custom', message: `${shown(wrong)} is not allowed; give ${allowed}` });
      } else if (values.length > most) {
        context.addIssue({ code: 'custom', message: `is given more than ${most} times; ask in parts` });
      }
      return values;
    })
    .optional()
    .describe(`${allowed}; at most ${most} times`);
}

function parseOpinion(text: string): number | undefined {
  if (!/^\d(\.\d{1,9})?$/.test(text)) return undefined;
  const opinion = Number(text);
  return opinion >= MIN_OPINION && opinion <= MAX_OPINION ? opinion : undefined;
}

const CURSOR = z.tuple([z.int(), z.string().min(1)]);

export function encodeCursor(cursor: CallCursor): string {
  return Buffer.from(JSON.stringify([cursor.startedAtMs, cursor.linkedid])).toString('base64url');
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
  const cursor = { startedAtMs: parsed.data[0], linkedid: parsed.data[1] };
  // Decoding forgives much; only what we gave out ourselves is taken.
  return encodeCursor(cursor) === text ? cursor : undefined;
}

const moment = () => parameter('an ISO 8601 time such as 2026-11-20T10:00:00Z, or -1h, -30m, -7d, -45s', parseMoment);
const endpoint = () =>
  parameter('an endpoint such as PJSIP/alice, or its beginning and * at its end', (text) =>
    /^[^\p{Cc}*]{0,128}\*?$/u.test(text) && text !== '' ? text : undefined,
  );
/**
 * As it is dialled or as it is stored. Anything may stand in a caller ID, a star too (`*97`); a plus sign that was not
 * percent-encoded arrives as a space.
 */
const number = () =>
  parameter("a caller's or connected number, or its beginning as stored and * at its end", (text) =>
    /^\P{Cc}{1,64}$/u.test(text) ? text.replace(/^ /, '+') : undefined,
  );
const opinion = () => parameter(`an opinion from ${MIN_OPINION} to ${MAX_OPINION}`, parseOpinion);

const codec = () =>
  parameter("a codec's name as Asterisk writes it, such as ulaw", (text) =>
    /^[\w.-]{1,32}$/.test(text) ? text : undefined,
  );
const verdict = () => parameter(`one of ${VERDICTS.join(', ')}`, (text) => VERDICTS.find((known) => known === text));

/** More channels than an Asterisk has up. */
const MOST_LIVE_LIMIT = 50_000;

export const LIVE_QUERY = z.strictObject({
  endpoint: endpoint(),
  codec: codec(),
  verdict: verdict(),
  max_mes: opinion(),
  min_mes: opinion(),
  sort: parameter('mes: the worst first', (text) => (text === 'mes' ? text : undefined)),
  limit: parameter(`a whole number from 1 to ${MOST_LIVE_LIMIT}`, (text) =>
    /^[1-9]\d{0,4}$/.test(text) && Number(text) <= MOST_LIVE_LIMIT ? Number(text) : undefined,
  ),
  fields: parameter('summary: a line of each channel, without its streams', (text) =>
    text === 'summary' ? text : undefined,
  ),
});

export const CALLS_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  endpoint: endpoint(),
  codec: codec(),
  number: number(),
  verdict: verdict(),
  max_mes: opinion(),
  min_mes: opinion(),
  limit: parameter(`a whole number from 1 to ${MOST_LIMIT}`, (text) =>
    /^[1-9]\d{0,2}$/.test(text) && Number(text) <= MOST_LIMIT ? Number(text) : undefined,
  ),
  cursor: parameter('the next_cursor of the page before, unchanged', parseCursor),
});

/** Stretches shorter than this tell nothing: calls last about as long. */
const SHORTEST_BUCKET_MS = 60_000;
const bucket = () =>
  parameter('the length of a stretch, at least 1m, such as 15m, 1h or 1d', (text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && ms >= SHORTEST_BUCKET_MS ? ms : undefined;
  });

/** Endpoints whose trends are in one answer: so many take milliseconds, and fit into the address of a request. */
export const MOST_TRENDS = 25;

export const ENDPOINTS_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  endpoint: repeated(MOST_TRENDS, "an endpoint's whole name, such as PJSIP/alice", (text) =>
    /^\P{Cc}{1,128}$/u.test(text) ? text : undefined,
  ),
  bucket: bucket(),
});

export const SUMMARY_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  bucket: bucket(),
  endpoint: endpoint(),
});

export const NO_QUERY = z.strictObject({});

/** Checks a request's query. Throws Problem 400 that names the first parameter at fault. */
export function checkQuery<Query extends z.ZodObject>(schema: Query, query: unknown): z.output<Query> {
  const checked = schema.safeParse(query);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const name = issue.keys[0] ?? '';
    const known = Object.keys(schema.shape);
    const advice = known.length === 0 ? 'this address takes none' : `known are ${known.join(', ')}`;
    throw new Problem(
      'MES_ERR_PARAMETER_UNKNOWN',
      `unknown parameter ${shown(name)}; ${advice}`,
      name.slice(0, SHOWN_CHARACTERS),
    );
  }
  const name = String(issue?.path[0] ?? '');
  throw new Problem('MES_ERR_PARAMETER_VALUE', `parameter ${name}: ${issue?.message ?? 'is not allowed'}`, name);
}

/** The body as its schema makes it. Throws Problem, which names the first field that is wrong. */
export function checkBody<Body extends z.ZodType>(schema: Body, body: unknown): z.output<Body> {
  const checked = schema.safeParse(body);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const name = issue?.path.join('.').slice(0, SHOWN_CHARACTERS);
  const what = issue?.message ?? 'is not allowed';
  throw new Problem('MES_ERR_BODY', name ? `${name} in the body: ${what}` : `the body: ${what}`, name || undefined);
}
