import { MACHINE_OF_CALL } from '../machine.ts';
import { z } from 'zod';
import type { Clock } from '../../model/ports.ts';
import {
  type CallRatings,
  ISSUES,
  LONGEST_COMMENT,
  type RatedParty,
  type Rating,
  RATING_SOURCES,
  type RatingService,
  type RatingCursor,
  type RatingFilter,
  SIDES,
} from '../../model/people/rating.ts';
import type { IntervalRecord } from '../../model/record.ts';
import { CALL } from '../answers/answers.ts';
import { momentMs } from '../../units/moment.ts';
import { csvLine, csvLines } from '../answers/csv.ts';
import { DEFAULT_LIMIT, endpoint, limit, moment, MOST_LIMIT, NO_QUERY, parameter, ratedScores } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { NOTE, TAG } from '../remarks.ts';
import { type Route, route } from '../route.ts';

const TIME = z.iso.datetime({ precision: 3 });
const SCORE = z.int().min(1).max(5).describe('1 bad to 5 excellent');
const ISSUE = z.enum(ISSUES);
const MOST_ANSWERS = 10;
const ANSWER = z.strictObject({
  question: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/)
    .describe('id of the question'),
  version: z.int().min(1).max(999_999),
  answer: z.boolean().describe('true: yes'),
});

export const RATING = z.strictObject({
  id: z.string(),
  linkedid: z.string(),
  uniqueid: z.string().nullable().describe('channel of whoever rated'),
  endpoint: z.string().nullable(),
  side: z.enum(SIDES),
  score: SCORE,
  issues: z.array(ISSUE),
  answers: z.array(ANSWER),
  comment: z.string().nullable(),
  source: z.enum(RATING_SOURCES),
  asked: z.boolean().describe('false: it came by itself'),
  weight: z
    .number()
    .nonnegative()
    .describe('how many calls it stands for: 1 / probability of being asked; 0 unless asked'),
  at: TIME,
});

const RATINGS_ANSWER = z.strictObject({
  ratings: z.array(RATING),
  next_cursor: z.string().nullable(),
  asked: z.int().nonnegative().describe('people asked from `from` to `to`, whatever else is searched for'),
  answered: z.int().nonnegative().describe('of these, those who answered'),
});

const BESIDE_MARK = z.strictObject({
  at: TIME,
  mes: z.number().nullable(),
  loss_percent: z.number().nullable(),
  jitter_ms: z.number().nullable(),
  rtt_ms: z.number().nullable(),
});
export const MOMENT = z.strictObject({
  at: TIME,
  uniqueid: z.string().describe('channel of whoever pressed the key'),
  directions: z.array(
    z.strictObject({
      uniqueid: z.string(),
      direction: z.enum(['rx', 'tx']),
      before: BESIDE_MARK.nullable().describe('the last report up to then'),
      after: BESIDE_MARK.nullable().describe('the first report after it'),
    }),
  ),
});

/** A call with its ratings, marked moments, notes and tags. */
export const CALL_WITH_RATINGS = CALL.extend({
  ratings: z.array(RATING),
  moments: z.array(MOMENT),
  notes: z.array(NOTE).describe('what people wrote about the call, oldest first'),
  machine: MACHINE_OF_CALL.nullable().describe(
    'how the machine was meanwhile; null: that is not known, or not any more',
  ),
  tagged: z.array(TAG).describe('the same tags, with who set each and when'),
});

const RATING_BODY = z.strictObject({
  score: SCORE,
  side: z.enum(SIDES).optional().describe('caller unless given'),
  uniqueid: z.string().min(1).max(150).optional().describe('channel of whoever rates'),
  issues: z.array(ISSUE).max(ISSUES.length).optional(),
  answers: z.array(ANSWER).max(MOST_ANSWERS).optional(),
  comment: z.string().max(LONGEST_COMMENT).nullable().optional(),
});

const CURSOR = z.tuple([z.int(), z.string().min(1).max(200)]);
const LONGEST_CURSOR = 400;

export function encodeCursor({ atMs, id }: RatingCursor): string {
  return Buffer.from(JSON.stringify([atMs, id])).toString('base64url');
}

function parseCursor(text: string): RatingCursor | undefined {
  if (text.length > LONGEST_CURSOR) return undefined;
  try {
    const [atMs, id] = CURSOR.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    // Base64 decoding is lax: accept only exactly what we gave out.
    return encodeCursor({ atMs, id }) === text ? { atMs, id } : undefined;
  } catch {
    return undefined;
  }
}

export const RATINGS_QUERY = z.strictObject({
  from: moment(),
  to: moment(),
  endpoint: endpoint(),
  score: ratedScores(),
  issue: parameter(`one of ${ISSUES.join(', ')}`, (text) => ISSUES.find((known) => known === text)),
  limit: limit(MOST_LIMIT),
  cursor: parameter('the next_cursor of the page before, unchanged', parseCursor),
});

export function presentRating({ atMs, ...rating }: Rating): z.output<typeof RATING> {
  return {
    ...rating,
    issues: [...rating.issues],
    answers: [...rating.answers],
    at: new Date(atMs).toISOString(),
  };
}

/** Ratings and marks of a call. `intervalsOf`: the reports of each channel. */
export function presentRated(
  { ratings, moments }: CallRatings,
  intervalsOf: ReadonlyMap<string, readonly IntervalRecord[]>,
): { ratings: z.output<typeof RATING>[]; moments: z.output<typeof MOMENT>[] } {
  return {
    ratings: ratings.map(presentRating),
    moments: moments.map(({ uniqueid, atMs }) => ({
      at: new Date(atMs).toISOString(),
      uniqueid,
      directions: [...intervalsOf].flatMap(([channel, intervals]) =>
        (['rx', 'tx'] as const).flatMap((direction) => {
          const own = intervals.filter((interval) => interval.direction === direction);
          const before = own.findLast((interval) => interval.atMs <= atMs);
          const after = own.find((interval) => interval.atMs > atMs);
          if (before === undefined && after === undefined) return [];
          return { uniqueid: channel, direction, before: besideMark(before), after: besideMark(after) };
        }),
      ),
    })),
  };
}

function besideMark(interval: IntervalRecord | undefined): z.output<typeof BESIDE_MARK> | null {
  if (interval === undefined) return null;
  const { atMs, mes, lossPercent, jitterMs, rttMs } = interval;
  return {
    at: new Date(atMs).toISOString(),
    mes: mes === null ? null : Number(mes.toFixed(2)),
    loss_percent: lossPercent,
    jitter_ms: jitterMs,
    rtt_ms: rttMs,
  };
}

/** The party that a path and body name. */
function partyOf(id: string, { side, uniqueid }: Pick<z.output<typeof RATING_BODY>, 'side' | 'uniqueid'>): RatedParty {
  if (!id.startsWith('last:')) return { linkedid: id, side, uniqueid };
  if (side === undefined && uniqueid === undefined) return { lastOf: id.slice('last:'.length) };
  throw new Problem('MES_ERR_BODY', 'the body: last: names the channel already; leave side and uniqueid out');
}

/** Throws Problem when the query contradicts itself. */
export function ratingFilter(
  {
    from,
    to,
    endpoint: of,
    score,
    issue,
  }: Pick<z.output<typeof RATINGS_QUERY>, 'from' | 'to' | 'endpoint' | 'score' | 'issue'>,
  nowMs: number,
): RatingFilter {
  const fromMs = from && momentMs(from, nowMs);
  const toMs = to && momentMs(to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter from: it is later than to; give an earlier time', 'from');
  return { fromMs, toMs, endpoint: of, issue, ...score };
}

/** The routes of ratings. */
export function ratingRoutes(service: RatingService, clock: Clock): readonly Route[] {
  const list = async ({
    from,
    to,
    endpoint: of,
    score,
    issue,
    limit: most,
    cursor,
  }: z.output<typeof RATINGS_QUERY>) => {
    const nowMs = clock.nowMs();
    const filter = ratingFilter({ from, to, endpoint: of, score, issue }, nowMs);
    const [{ ratings, next }, asking] = await Promise.all([
      service.list(filter, most ?? DEFAULT_LIMIT, cursor ?? null),
      service.answered(filter.fromMs ?? 0, filter.toMs ?? nowMs + 1),
    ]);
    return {
      ratings: ratings.map(presentRating),
      next_cursor: next === null ? null : encodeCursor(next),
      ...asking,
    };
  };
  return [
    route({
      method: 'POST',
      path: '/v1/calls/:linkedid/ratings',
      summary: 'Rates a call; last:PJSIP/alice is the call that this endpoint ended last, at most ten minutes ago.',
      access: 'token',
      query: NO_QUERY,
      body: RATING_BODY,
      answer: RATING,
      status: 201,
      handle: async ({ id, body: { side, uniqueid, ...given } }) => {
        const rating = await service.rate(partyOf(id, { side, uniqueid }), given);
        if (typeof rating !== 'string') return presentRating(rating);
        if (rating === 'too-many')
          throw new Problem('MES_ERR_TOO_MANY_REQUESTS', 'too many ratings came within a minute; send this one later');
        throw new Problem(
          'MES_ERR_NO_SUCH_ID',
          rating === 'no-such-channel' ? 'the call has no channel of this uniqueid' : 'no call of this id is known',
        );
      },
    }),
    route({
      path: '/v1/ratings',
      summary: 'What people said of their calls in [from, to), newest first.',
      query: RATINGS_QUERY,
      answer: RATINGS_ANSWER,
      handle: ({ query }) => list(query),
      csv: async ({ query }) => {
        const { ratings } = await list(query);
        return ratingsCsv(ratings);
      },
    }),
  ];
}

const RATING_COLUMNS = Object.keys(RATING.shape);

async function* ratingsCsv(ratings: readonly z.output<typeof RATING>[]): AsyncGenerator<string> {
  yield csvLine(RATING_COLUMNS);
  yield csvLines(
    RATING_COLUMNS,
    ratings.map(({ answers, ...rating }) => ({
      ...rating,
      answers: answers.map(({ question, version, answer }) => `${question}/${version}:${answer ? 'yes' : 'no'}`),
    })),
  );
}
