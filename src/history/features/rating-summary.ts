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
import { FACT_CELLS } from './rating-facts.ts';
import { RATING_CELLS, ratingOf, type RatingRow } from './rating-rows.ts';

/** More than these tell nothing new, and take time: the newest count. */
const MOST_RATINGS = 20_000;
const MOST_GROUPS = 100;
const MOST_CASES = 50;
/** Complaints, and those who were content, on the scale of 1 to 5. */
const [HIGHEST_COMPLAINT, LOWEST_PRAISE] = [2, 4];

/** What people hear and no statistic of the network shows: these lead among calls that were measured well. */
const NOT_MEASURED: readonly string[] = ['echo_of_me', 'echo_of_other', 'too_quiet', 'noise'] satisfies Issue[];

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What of a rating counts here. */
interface CountedRow {
  readonly id: string;
  readonly linkedid: string;
  readonly endpoint: string | null;
  readonly score: number;
  readonly asked: number;
  readonly weight: number;
  /** JSON lists. */
  readonly issues: string;
  readonly others: string;
  readonly codec: string | null;
}

/** What people said in [fromMs, toMs). */
export function ratingSummary(statements: Statements, range: Range): RatingSummary {
  const all = new Mean();
  const byEndpoint = new Groups();
  const byCodec = new Groups();
  const byOtherSide = new Groups();
  const ratingsOfIssue = new Map<string, number>();
  const [complaintsNotMeasured, otherComplaints, praises]: CountedRow[][] = [[], [], []];
  const listOf = lists();
  const rows = statements
    .prepared(
      `SELECT id, linkedid, endpoint, score, asked, weight, issues, ${FACT_CELLS} FROM ratings
      WHERE at_ms >= @fromMs AND at_ms < @toMs ORDER BY at_ms DESC, id DESC LIMIT ${MOST_RATINGS}`,
    )
    .all(range) as CountedRow[];
  for (const row of rows) {
    const issues = listOf(row.issues);
    all.add(row);
    byEndpoint.of(row.endpoint).add(row);
    byCodec.of(row.codec).add(row);
    for (const other of listOf(row.others)) byOtherSide.of(other).add(row);
    for (const issue of issues) ratingsOfIssue.set(issue, (ratingsOfIssue.get(issue) ?? 0) + 1);
    if (row.score >= LOWEST_PRAISE) praises?.push(row);
    else if (row.score <= HIGHEST_COMPLAINT)
      (issues.some((issue) => NOT_MEASURED.includes(issue)) ? complaintsNotMeasured : otherComplaints)?.push(row);
  }
  const complaints = [...(complaintsNotMeasured ?? []), ...(otherComplaints ?? [])];
  return {
    all: all.result(),
    byEndpoint: byEndpoint.results(),
    byCodec: byCodec.results(),
    byOtherSide: byOtherSide.results(),
    issues: ISSUES.map((issue) => ({ issue, ratings: ratingsOfIssue.get(issue) ?? 0 }))
      .filter(({ ratings }) => ratings > 0)
      .toSorted((one, other) => other.ratings - one.ratings || byName(one.issue, other.issue)),
    saidBadMeasuredGood: casesOf(statements, complaints, ['good']),
    measuredBadSaidGood: casesOf(statements, praises ?? [], VERDICT_GROUPS['poor-or-worse']),
  };
}

/** The first of these ratings whose calls have one of these verdicts. */
function casesOf(statements: Statements, rows: readonly CountedRow[], verdicts: readonly Verdict[]): RatedCase[] {
  const callOf = statements.prepared('SELECT started_at_ms AS startedAtMs, mes, verdict FROM calls WHERE linkedid = ?');
  const whole = statements.prepared(`SELECT ${RATING_CELLS} FROM ratings WHERE id = ?`);
  const endpointsOf = statements
    .prepared("SELECT DISTINCT endpoint FROM channels WHERE linkedid = ? AND endpoint NOT LIKE 'Local/%' LIMIT 4")
    .pluck();
  const cases: RatedCase[] = [];
  for (const { id, linkedid } of rows) {
    const call = callOf.get(linkedid) as Pick<RatedCase, 'startedAtMs' | 'mes' | 'verdict'> | undefined;
    if (call === undefined || call.verdict === null || !verdicts.includes(call.verdict)) continue;
    const rating = ratingOf(whole.get(id) as RatingRow);
    cases.push({ rating, ...call, endpoints: endpointsOf.all(linkedid) as string[] });
    if (cases.length === MOST_CASES) break;
  }
  return cases;
}

/** Sums of some ratings. */
class Mean {
  #ratings = 0;
  #asked = 0;
  #weight = 0;
  #weightedScore = 0;
  #complaintWeight = 0;
  #unaskedScore = 0;

  add({ score, asked, weight }: CountedRow): void {
    this.#ratings++;
    if (asked === 0) {
      this.#unaskedScore += score;
      return;
    }
    this.#asked++;
    this.#weight += weight;
    this.#weightedScore += weight * score;
    if (score <= HIGHEST_COMPLAINT) this.#complaintWeight += weight;
  }

  result(): RatingMean {
    const unasked = this.#ratings - this.#asked;
    const isWeighed = this.#weight > 0;
    return {
      ratings: this.#ratings,
      asked: this.#asked,
      askedMean: isWeighed ? this.#weightedScore / this.#weight : null,
      complaintsPercent: isWeighed ? (100 * this.#complaintWeight) / this.#weight : null,
      unaskedMean: unasked === 0 ? null : this.#unaskedScore / unasked,
    };
  }
}

class Groups {
  readonly #means = new Map<string | null, Mean>();

  of(name: string | null): Mean {
    let mean = this.#means.get(name);
    if (mean === undefined) this.#means.set(name, (mean = new Mean()));
    return mean;
  }

  /** The groups, those with the most ratings first. */
  results(): NamedRatingMean[] {
    return [...this.#means]
      .map(([name, mean]) => ({ name, ...mean.result() }))
      .toSorted((one, other) => other.ratings - one.ratings || byName(one.name, other.name))
      .slice(0, MOST_GROUPS);
  }
}

/** What is not known comes first. */
function byName(one: string | null, other: string | null): number {
  if (one === other) return 0;
  return one === null || (other !== null && one < other) ? -1 : 1;
}

/** Reads JSON lists of texts; most are alike. */
function lists(): (json: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (json) => {
    let list = known.get(json);
    if (list === undefined) known.set(json, (list = JSON.parse(json) as string[]));
    return list;
  };
}
