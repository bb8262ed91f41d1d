import type { Verdict } from '../score.ts';

/** What was wrong with a call, in words that callers use. The documentation maps other systems' words to them. */
export const ISSUES = [
  'silence',
  'one_way',
  'stuttering',
  'distorted',
  'echo_of_me',
  'echo_of_other',
  'too_quiet',
  'noise',
  'delay',
  'dropped',
  'other',
] as const;
export type Issue = (typeof ISSUES)[number];

export const RATING_SOURCES = ['ivr', 'code', 'link', 'rest', 'mark'] as const;
export type RatingSource = (typeof RATING_SOURCES)[number];

export const SIDES = ['caller', 'callee'] as const;
/** Who heard it: the party that called, or one that was called. */
export type Side = (typeof SIDES)[number];

/** An answer to one of the changing questions. */
export interface QuestionAnswer {
  readonly question: string;
  readonly version: number;
  /** Yes or no. */
  readonly answer: boolean;
}

/** What a person said about a call. */
export interface Rating {
  readonly id: string;
  readonly linkedid: string;
  /** The channel of the person who rated; null: not known. */
  readonly uniqueid: string | null;
  /** That channel's endpoint, stored so that ratings are found by it; null: not known. */
  readonly endpoint: string | null;
  readonly side: Side;
  /** 1 bad to 5 excellent. */
  readonly score: number;
  readonly issues: readonly Issue[];
  readonly answers: readonly QuestionAnswer[];
  readonly comment: string | null;
  readonly source: RatingSource;
  /** Whether the person was asked; false: the rating came by itself. */
  readonly asked: boolean;
  /** How many calls the rating stands for: the inverse of the probability of asking about such a call; 0: it came by itself. */
  readonly weight: number;
  readonly atMs: number;
}

/** A person was asked. It is stored so that those who did not answer are counted. */
export interface RatingRequest {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly endpoint: string;
  readonly side: Side;
  /** The probability of asking about such a call, above 0 up to 1. */
  readonly probability: number;
  readonly askedAtMs: number;
}

/** A person pressed a key in the middle of a call to say that something is wrong now. */
export interface Moment {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly atMs: number;
}

/** A new rating, or a marked moment. */
export type LiveNews = { readonly rating: Rating } | { readonly moment: Moment };

/** All that people said about one call, oldest first. */
export interface CallRatings {
  readonly ratings: readonly Rating[];
  readonly requests: readonly RatingRequest[];
  readonly moments: readonly Moment[];
}

export interface RatingFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** An exact name, or a beginning with `*`. */
  readonly endpoint?: string | undefined;
  readonly lowestScore?: number | undefined;
  readonly highestScore?: number | undefined;
  readonly issue?: Issue | undefined;
}

/** What is asked of one rating; without any of it every rating fits. */
export interface RatingWish {
  readonly lowestScore?: number | undefined;
  readonly highestScore?: number | undefined;
  /** It has one of these issues. */
  readonly issues?: readonly Issue[] | undefined;
}

/** A position in the list of ratings, newest first: the last one already given. */
export interface RatingCursor {
  readonly atMs: number;
  readonly id: string;
}

/** The emergency numbers of most countries. Nobody who called one is asked. */
export const EMERGENCY_NUMBERS = [
  '000',
  '110',
  '111',
  '112',
  '113',
  '115',
  '117',
  '118',
  '119',
  '120',
  '122',
  '133',
  '144',
  '999',
  '911',
];

/** A question that is asked from time to time. */
export interface Question {
  readonly id: string;
  readonly version: number;
  /** Its words on the page. Yes means that something was wrong. */
  readonly text: string;
  /** Its words in German, for browsers that want them. */
  readonly textDe?: string;
  /** Asterisk's sounds that ask it, in order; empty: it is not asked by voice. */
  readonly prompt: readonly string[];
  /** What yes means. */
  readonly issue: Issue;
  /** It is asked from and before these moments, epoch milliseconds; null: no limit. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** Fetched questions as they came. They are asked while their address does not answer. */
export interface KeptQuestions {
  readonly url: string;
  /** The public key (Ed25519, DER, base64) that verifies them. */
  readonly key: string;
  /** Their JSON text. */
  readonly signed: string;
  readonly signature: string;
}

/** What somebody says about a call. Absent: not said. */
export interface GivenRating {
  readonly score: number;
  readonly issues?: readonly Issue[] | undefined;
  readonly answers?: readonly QuestionAnswer[] | undefined;
  readonly comment?: string | null | undefined;
}

/** Which call is rated: the one with a linkedid, or the last that an endpoint ended. */
export type RatedParty =
  | { readonly linkedid: string; readonly uniqueid?: string | undefined; readonly side?: Side | undefined }
  | { readonly lastOf: string };

/** The means over some ratings. */
export interface RatingMean {
  readonly ratings: number;
  /** How many of them were asked for. */
  readonly asked: number;
  /** Mean score over all calls, from the ratings that were asked for, each with its weight; null: there are none. */
  readonly askedMean: number | null;
  /** Share of complaints (1 or 2) over all calls, in the same way. */
  readonly complaintsPercent: number | null;
  /** Plain mean of the ratings that came by themselves; null: there are none. */
  readonly unaskedMean: number | null;
}

/** The means of one group; name null: not known. */
export interface NamedRatingMean extends RatingMean {
  readonly name: string | null;
}

/** A call whose rating does not fit what was measured. */
export interface RatedCase {
  readonly rating: Rating;
  readonly startedAtMs: number;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  /** The endpoints of the call. */
  readonly endpoints: readonly string[];
}

/** What people said in some time. */
export interface RatingSummary {
  readonly all: RatingMean;
  /** By the endpoint of the person who rated, most ratings first, at most a hundred. */
  readonly byEndpoint: readonly NamedRatingMean[];
  /** By the codec that this person heard. */
  readonly byCodec: readonly NamedRatingMean[];
  /** By the endpoint at the other side, such as a trunk. */
  readonly byOtherSide: readonly NamedRatingMean[];
  /** The most frequent first. */
  readonly issues: readonly { readonly issue: Issue; readonly ratings: number }[];
  /**
   * Calls that were said to be bad and measured as good. Those that no statistic of the network shows come first: echo, level,
   * noise.
   */
  readonly saidBadMeasuredGood: readonly RatedCase[];
  readonly measuredBadSaidGood: readonly RatedCase[];
}

/** Why a rating was not taken. */
export type RatingRefusal = 'no-such-call' | 'no-such-channel' | 'too-many';

/** What REST needs of ratings. */
export interface RatingService {
  /** Stores a rating, and tells the rest of the sidecar. */
  rate(party: RatedParty, given: GivenRating): Promise<Rating | RatingRefusal>;
  list(
    filter: RatingFilter,
    limit: number,
    cursor: RatingCursor | null,
  ): Promise<{ readonly ratings: readonly Rating[]; readonly next: RatingCursor | null }>;
  /** How many people were asked in that time, and how many of these answered. */
  answered(fromMs: number, toMs: number): Promise<{ readonly asked: number; readonly answered: number }>;
  summary(fromMs: number, toMs: number): Promise<RatingSummary>;
}

/** Longest comment that is kept, in characters. */
export const LONGEST_COMMENT = 1000;
