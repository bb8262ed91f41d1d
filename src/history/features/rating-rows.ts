import type { Rating } from '../../model/people/rating.ts';

/** A rating as it is stored. */
export interface RatingRow {
  readonly id: string;
  readonly linkedid: string;
  readonly uniqueid: string | null;
  readonly endpoint: string | null;
  readonly side: string;
  readonly score: number;
  readonly issues: string;
  readonly answers: string;
  readonly comment: string | null;
  readonly source: string;
  readonly asked: number;
  readonly weight: number;
  readonly atMs: number;
}

export const RATING_CELLS =
  'id, linkedid, uniqueid, endpoint, side, score, issues, answers, comment, source, asked, weight, at_ms AS atMs';

export function ratingOf(row: RatingRow): Rating {
  return {
    ...row,
    issues: JSON.parse(row.issues) as Rating['issues'],
    answers: JSON.parse(row.answers) as Rating['answers'],
    asked: row.asked === 1,
  } as Rating;
}
