import { z } from 'zod';
import type { Clock } from '../../model/ports.ts';
import { ISSUES, type RatedCase, type RatingMean, type RatingService } from '../../model/people/rating.ts';
import { VERDICTS } from '../../model/score.ts';
import { momentMs } from '../../units/moment.ts';
import { moment } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { presentRating, RATING } from './ratings.ts';

const USUAL_MS = 30 * 86_400_000;
const TIME = z.iso.datetime({ precision: 3 });
const SCORE = z.number().min(1).max(5).nullable();

const MEAN = z.strictObject({
  ratings: z.int().nonnegative(),
  asked: z.int().nonnegative().describe('of these, those that we asked for'),
  mean_score: SCORE.describe(
    'over all calls: of those that we asked for, each weighing as many calls as it stands for; null: there are none',
  ),
  complaints_percent: z.number().min(0).max(100).nullable().describe('share of the scores 1 and 2, likewise'),
  mean_score_unasked: SCORE.describe(
    'plain mean of those that came by themselves; people who complain come more often',
  ),
});
const NAMED = MEAN.extend({ name: z.string().nullable().describe('null: not known') });

const CASE = z.strictObject({
  rating: RATING,
  started_at: TIME,
  mes: z.number().nullable(),
  verdict: z.enum(VERDICTS).nullable(),
  endpoints: z.array(z.string()),
});

export const RATING_SUMMARY = z.strictObject({
  from: TIME,
  to: TIME,
  people_asked: z.int().nonnegative().describe('people whom we asked from `from` to `to`'),
  people_answered: z.int().nonnegative().describe('of these, those who answered'),
  all: MEAN,
  by_endpoint: z.array(NAMED).describe('by whoever rated; at most a hundred, those with most ratings first'),
  by_codec: z.array(NAMED).describe('by what they heard'),
  by_other_side: z.array(NAMED).describe('by who was at the other side, such as a trunk'),
  issues: z.array(z.strictObject({ issue: z.enum(ISSUES), ratings: z.int().positive() })),
  said_bad_measured_good: z
    .array(CASE)
    .describe('rated 1 or 2 and measured good; echo, level and noise first, which no statistic of the network shows'),
  measured_bad_said_good: z.array(CASE).describe('rated 4 or 5 and measured poor or worse; newest first'),
});

/** The route that sums up ratings, with the cases in which they do not fit the scores. */
export function summaryRoute(service: RatingService, clock: Clock): Route {
  return route({
    path: '/v1/ratings/summary',
    summary: 'What the ratings of [from, to) amount to, the last 30 days by default.',
    query: z.strictObject({ from: moment(), to: moment() }),
    answer: RATING_SUMMARY,
    handle: async ({ query: { from, to } }) => {
      const nowMs = clock.nowMs();
      const toMs = to === undefined ? nowMs + 1 : momentMs(to, nowMs);
      const fromMs = from === undefined ? toMs - USUAL_MS : momentMs(from, nowMs);
      if (fromMs > toMs)
        throw new Problem(
          'MES_ERR_PARAMETER_VALUE',
          'parameter from: it is later than to; give an earlier time',
          'from',
        );
      const [summary, people] = await Promise.all([service.summary(fromMs, toMs), service.answered(fromMs, toMs)]);
      const named = (means: typeof summary.byEndpoint): z.output<typeof NAMED>[] =>
        means.map(({ name, ...mean }) => ({ name, ...presentMean(mean) }));
      return {
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        people_asked: people.asked,
        people_answered: people.answered,
        all: presentMean(summary.all),
        by_endpoint: named(summary.byEndpoint),
        by_codec: named(summary.byCodec),
        by_other_side: named(summary.byOtherSide),
        issues: summary.issues.map((issue) => ({ ...issue })),
        said_bad_measured_good: summary.saidBadMeasuredGood.map(presentCase),
        measured_bad_said_good: summary.measuredBadSaidGood.map(presentCase),
      };
    },
  });
}

function presentMean({ ratings, asked, askedMean, complaintsPercent, unaskedMean }: RatingMean): z.output<typeof MEAN> {
  return {
    ratings,
    asked,
    mean_score: rounded(askedMean, 2),
    complaints_percent: rounded(complaintsPercent, 1),
    mean_score_unasked: rounded(unaskedMean, 2),
  };
}

function presentCase({ rating, startedAtMs, mes, verdict, endpoints }: RatedCase): z.output<typeof CASE> {
  return {
    rating: presentRating(rating),
    started_at: new Date(startedAtMs).toISOString(),
    mes: rounded(mes, 2),
    verdict,
    endpoints: [...endpoints],
  };
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
