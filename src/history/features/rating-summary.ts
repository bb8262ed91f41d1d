import {
  ISSUES,
  type Issue,
  type RatedCase,
  type RatingMean,
  type NamedRatingMean,
  type RatingSummary,
} from '../../model/people/rating.ts';
import { type Verdict, VERDICT_GROUPS } from '../../model/score.ts';
import type { Statements } from '../schema/statements.ts';
import { RATING_CELLS, ratingOf, type RatingRow } from './rating-rows.ts';

/** More than these tell nothing new, and take time: the newest count. */
const MOST_RATINGS = 20_000;
const MOST_GROUPS = 100;
const MOST_CASES = 50;
/** Complaints, and those who were content, on the scale of 1 to 5. */
const [HIGHEST_COMPLAINT, LOWEST_PRAISE] = [2, 4];

/** What people hear and no statistic of the network shows: these lead among calls that were measured well. */
const NOT_MEASURED: readonly Issue[] = ['echo_of_me', 'echo_of_other', 'too_quiet', 'noise'];

const LOCAL = "'Local/%'";
/** What whoever rated heard: the codec that was sent to them, or else the one that they sent. */
const HEARD_CODEC = `(SELECT codec FROM streams WHERE streams.uniqueid = chosen.uniqueid AND codec IS NOT NULL
  ORDER BY direction DESC LIMIT 1)`;
/** The ratings of that time, the newest. */
const CHOSEN = `chosen AS MATERIALIZED (
  SELECT * FROM ratings WHERE at_ms >= @fromMs AND at_ms < @toMs ORDER BY at_ms DESC, id DESC LIMIT ${MOST_RATINGS}
)`;
const MEANS = `count(*) AS ratings,
  count(*) FILTER (WHERE asked) AS asked,
  sum(weight * score) FILTER (WHERE asked) / sum(weight) FILTER (WHERE asked) AS askedMean,
  100.0 * ifnull(sum(weight) FILTER (WHERE asked AND score <= ${HIGHEST_COMPLAINT}), 0) / sum(weight) FILTER (WHERE asked) AS complaintsPercent,
  avg(score) FILTER (WHERE NOT asked) AS unaskedMean`;

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

type CaseRow = RatingRow & {
  readonly startedAtMs: number;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly endpoints: string;
};

/** What people said in [fromMs, toMs). */
export function ratingSummary(statements: Statements, range: Range): RatingSummary {
  const all = <Row>(sql: string): Row[] => statements.prepared(`WITH ${CHOSEN} ${sql}`).all(range) as Row[];
  const groups = (name: string, from: string): NamedRatingMean[] =>
    all(`SELECT ${name} AS name, ${MEANS} FROM ${from} GROUP BY 1 ORDER BY ratings DESC, name LIMIT ${MOST_GROUPS}`);
  const cases = (scores: string, verdicts: readonly Verdict[], first: readonly Issue[]): RatedCase[] => {
    const words = verdicts.map((verdict) => `'${verdict}'`).join(', ');
    const leads =
      first.length === 0
        ? 'FALSE'
        : `EXISTS (SELECT 1 FROM json_each(issues) WHERE value IN (${first.map((issue) => `'${issue}'`).join(', ')}))`;
    const rows = all<CaseRow>(`
      SELECT ${RATING_CELLS.replace('id, linkedid', 'id, chosen.linkedid')}, calls.started_at_ms AS startedAtMs, calls.mes, calls.verdict,
        (SELECT json_group_array(endpoint) FROM (
          SELECT DISTINCT endpoint FROM channels WHERE channels.linkedid = calls.linkedid AND endpoint NOT LIKE ${LOCAL} LIMIT 4
        )) AS endpoints
      FROM chosen JOIN calls ON calls.linkedid = chosen.linkedid
      WHERE ${scores} AND calls.verdict IN (${words})
      ORDER BY ${leads} DESC, at_ms DESC, id DESC LIMIT ${MOST_CASES}`);
    return rows.map(({ startedAtMs, mes, verdict, endpoints, ...row }) => ({
      rating: ratingOf(row),
      startedAtMs,
      mes,
      verdict,
      endpoints: JSON.parse(endpoints) as string[],
    }));
  };
  const [mean] = all<RatingMean>(`SELECT ${MEANS} FROM chosen`);
  if (mean === undefined) throw new Error('an aggregate without a row');
  return {
    all: mean,
    byEndpoint: groups('endpoint', 'chosen'),
    byCodec: groups(HEARD_CODEC, 'chosen'),
    byOtherSide: groups(
      'other.endpoint',
      `chosen JOIN (SELECT DISTINCT linkedid, endpoint FROM channels WHERE endpoint NOT LIKE ${LOCAL}
        AND linkedid IN (SELECT linkedid FROM chosen)) AS other
        ON other.linkedid = chosen.linkedid AND other.endpoint IS NOT chosen.endpoint`,
    ),
    issues: all<{ issue: Issue; ratings: number }>(
      'SELECT value AS issue, count(*) AS ratings FROM chosen, json_each(issues) GROUP BY value ORDER BY ratings DESC, issue',
    ).filter(({ issue }) => ISSUES.includes(issue)),
    saidBadMeasuredGood: cases(`score <= ${HIGHEST_COMPLAINT}`, ['good'], NOT_MEASURED),
    measuredBadSaidGood: cases(`score >= ${LOWEST_PRAISE}`, VERDICT_GROUPS['poor-or-worse'], []),
  };
}
