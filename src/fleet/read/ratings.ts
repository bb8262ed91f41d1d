import type { CallRatings, Rating } from '../../model/people/rating.ts';
import type { FleetStore } from '../store.ts';
import { Question } from './question.ts';
import type { Scope } from './scope.ts';
import { quote } from './sql.ts';

interface RatingRow extends Omit<Rating, 'issues' | 'answers' | 'asked' | 'atMs'> {
  readonly issues: string | null;
  readonly answers: string | null;
  readonly asked: number | null;
  readonly at_ms: number;
}

const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

/** Ratings of calls, as far as they were shipped: requests and marked moments are not. */
export class FleetRatings {
  readonly #question: Question;

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope) {
    this.#question = new Question(store, database, scope);
  }

  async ofCall(pbx: string, linkedid: string): Promise<CallRatings> {
    const cells =
      'id, linkedid, uniqueid, endpoint, side, score, issues, answers, comment, source, asked, weight, at_ms';
    const key = `pbx = ${quote(pbx)} AND linkedid = ${quote(linkedid)}`;
    const rows = await this.#question.ask<RatingRow>(
      `SELECT * FROM ${this.#question.newest('ratings', cells, ALWAYS, key)} ORDER BY at_ms, id`,
    );
    return { ratings: rows.map(ratingOf), requests: [], moments: [] };
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

/** The list in a JSON text; empty when it is none, since one bad row must not spoil the answer. */
function listIn(text: string | null): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
