import type { CallRatings, Rating, RatingCursor, RatingFilter } from '../../model/people/rating.ts';
import type { FleetStore } from '../store.ts';
import { Question, type Shards } from './question.ts';
import type { Scope } from './scope.ts';
import { allOf, quote, textTest } from './sql.ts';

interface RatingRow extends Omit<Rating, 'issues' | 'answers' | 'asked' | 'atMs'> {
  readonly issues: string | null;
  readonly answers: string | null;
  readonly asked: number | null;
  readonly at_ms: number;
}

const CELLS = 'id, linkedid, uniqueid, endpoint, side, score, issues, answers, comment, source, asked, weight, at_ms';
const LONGEST_UNTIL_RATED_MS = 2 * 86_400_000;

/** A rating, with its PBX and site. */
export type FleetRating = Rating & { readonly pbx: string; readonly site: string };

const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

/** Ratings of calls. Requests and marked moments are not shipped. */
export class FleetRatings {
  readonly #question: Question;

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope) {
    this.#question = new Question(store, database, scope);
  }

  async ofCall(pbx: string, linkedid: string): Promise<CallRatings> {
    const key = `pbx = ${quote(pbx)} AND linkedid = ${quote(linkedid)}`;
    const rows = await this.#question.ask<RatingRow>(
      `SELECT * FROM ${this.#question.newest('ratings', CELLS, ALWAYS, key)} ORDER BY at_ms, id`,
    );
    return { ratings: rows.map(ratingOf), requests: [], moments: [] };
  }

  /** The shards that answered; null: nothing was asked. */
  get shards(): Shards | null {
    return this.#question.shards;
  }

  /** The newest first. */
  async list(
    { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, endpoint, lowestScore, highestScore, issue }: RatingFilter,
    limit: number,
    cursor: RatingCursor | null,
  ): Promise<{ readonly ratings: readonly FleetRating[]; readonly next: RatingCursor | null }> {
    // A call is rated at most so long after it began.
    const range = { fromMs: fromMs - LONGEST_UNTIL_RATED_MS, toMs };
    const where = allOf(
      `at_ms >= ${Math.ceil(fromMs)} AND at_ms < ${Math.ceil(toMs)}`,
      endpoint === undefined ? '' : textTest(['endpoint'], [endpoint]),
      lowestScore === undefined ? '' : `score >= ${lowestScore}`,
      highestScore === undefined ? '' : `score <= ${highestScore}`,
      issue === undefined ? '' : `position(ifNull(issues, ''), ${quote(JSON.stringify(issue))}) > 0`,
      cursor === null ? '' : `(at_ms < ${cursor.atMs} OR (at_ms = ${cursor.atMs} AND id < ${quote(cursor.id)}))`,
    );
    const rows = await this.#question.ask<RatingRow & { readonly pbx: string; readonly site: string }>(
      `SELECT * FROM ${this.#question.newest('ratings', `pbx, site, ${CELLS}`, range)} WHERE ${where}
        ORDER BY at_ms DESC, id DESC LIMIT ${limit + 1}`,
    );
    const found = rows
      .toSorted((one, other) => other.at_ms - one.at_ms || (one.id < other.id ? 1 : -1))
      .slice(0, limit + 1)
      .map(({ pbx, site, ...row }) => ({ ...ratingOf(row), pbx, site }));
    const last = found.length > limit ? found[limit - 1] : undefined;
    return { ratings: found.slice(0, limit), next: last === undefined ? null : { atMs: last.atMs, id: last.id } };
  }
}

function ratingOf({ issues, answers, asked, at_ms: atMs, ...row }: RatingRow): Rating {
  return {
    ...row,
    issues: listIn(issues) as Rating['issues'],
    answers: listIn(answers) as Rating['answers'],
    asked: asked === 1,
    atMs,
  };
}

/** The list in a JSON text; empty: it is none, since one bad row must not spoil the answer. */
function listIn(text: string | null): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
