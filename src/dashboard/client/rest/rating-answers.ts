import type { Direction, Verdict } from './verdicts.ts';

/** What REST says of ratings, as far as the pages show it. A type check compares it with the API's schemas. */

export type Issue =
  | 'silence'
  | 'one_way'
  | 'stuttering'
  | 'distorted'
  | 'echo_of_me'
  | 'echo_of_other'
  | 'too_quiet'
  | 'noise'
  | 'delay'
  | 'dropped'
  | 'other';

export interface Rating {
  readonly linkedid: string;
  readonly endpoint: string | null;
  readonly side: 'caller' | 'callee';
  readonly score: number;
  readonly issues: readonly Issue[];
  readonly answers: readonly { readonly question: string; readonly answer: boolean }[];
  readonly comment: string | null;
  readonly source: 'ivr' | 'code' | 'link' | 'rest' | 'mark';
  readonly asked: boolean;
  readonly weight: number;
  readonly at: string;
}

export interface BesideMark {
  readonly at: string;
  readonly mes: number | null;
  readonly loss_percent: number | null;
  readonly jitter_ms: number | null;
  readonly rtt_ms: number | null;
}

/** A moment that somebody marked, with what each direction did before and after it. */
export interface Moment {
  readonly at: string;
  readonly uniqueid: string;
  readonly directions: readonly {
    readonly uniqueid: string;
    readonly direction: Direction;
    readonly before: BesideMark | null;
    readonly after: BesideMark | null;
  }[];
}

/** Of one call. */
export interface RatedAnswer {
  readonly ratings: readonly Rating[];
  readonly moments: readonly Moment[];
}

export interface RatingMean {
  readonly ratings: number;
  readonly asked: number;
  readonly mean_score: number | null;
  readonly complaints_percent: number | null;
  readonly mean_score_unasked: number | null;
}

export interface NamedMean extends RatingMean {
  readonly name: string | null;
}

export interface RatedCase {
  readonly rating: Rating;
  readonly started_at: string;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly endpoints: readonly string[];
}

export interface RatingSummary {
  readonly people_asked: number;
  readonly people_answered: number;
  readonly all: RatingMean;
  readonly by_endpoint: readonly NamedMean[];
  readonly by_codec: readonly NamedMean[];
  readonly by_other_side: readonly NamedMean[];
  readonly issues: readonly { readonly issue: Issue; readonly ratings: number }[];
  readonly said_bad_measured_good: readonly RatedCase[];
  readonly measured_bad_said_good: readonly RatedCase[];
}
