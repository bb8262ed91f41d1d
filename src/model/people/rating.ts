import type { Verdict } from '../score.ts';

/** What was wrong with a call, in the words that callers use; the documentation maps other systems' words to them. */
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
/** Whose ears: the party that called, or one that was called. */
export type Side = (typeof SIDES)[number];

/** One answer to one of the questions that change from time to time. */
export interface QuestionAnswer {
  readonly question: string;
  readonly version: number;
  /** Yes or no. */
  readonly answer: boolean;
}

/** What a person said of a call. */
export interface Rating {
  readonly id: string;
  readonly linkedid: string;
  /** The channel of whoever rated; null is not known. */
  readonly uniqueid: string | null;
  /** That channel's endpoint, kept so that ratings are found by it; null is not known. */
  readonly endpoint: string | null;
  readonly side: Side;
  /** 1 bad to 5 excellent. */
  readonly score: number;
  readonly issues: readonly Issue[];
  readonly answers: readonly QuestionAnswer[];
  readonly comment: string | null;
  readonly source: RatingSource;
  /** Whether we asked; false: it came by itself. */
  readonly asked: boolean;
  /** How many calls it stands for: the inverse of the probability with which such a call is asked about; 0 for what came by itself. */
  readonly weight: number;
  readonly atMs: number;
}

/** That somebody was asked: kept so that those who did not answer are counted. */
export interface RatingRequest {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly endpoint: string;
  readonly side: Side;
  /** With which such a call is asked about, above 0 up to 1. */
  readonly probability: number;
  readonly askedAtMs: number;
}

/** A person pressed a key in mid-call: now something is wrong. */
export interface Moment {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly atMs: number;
}

/** What people say or mark, as it comes. */
export type LiveNews = { readonly rating: Rating } | { readonly moment: Moment };

/** What people said of one call, oldest first. */
export interface CallRatings {
  readonly ratings: readonly Rating[];
  readonly requests: readonly RatingRequest[];
  readonly moments: readonly Moment[];
}

export interface RatingFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Exact, or with `*` at its end. */
  readonly endpoint?: string | undefined;
  readonly lowestScore?: number | undefined;
  readonly highestScore?: number | undefined;
  readonly issue?: Issue | undefined;
}

/** What is asked of one rating; without any of it every rating fits. */
export interface RatingWish {
  readonly lowestScore?: number | undefined;
  readonly highestScore?: number | undefined;
  /** It has one of these. */
  readonly issues?: readonly Issue[] | undefined;
}

/** Position in the list of ratings, newest first: the last one already given. */
export interface RatingCursor {
  readonly atMs: number;
  readonly id: string;
}

/** Emergency numbers of most countries: whoever called there is left alone. */
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
  /** As the page asks it; yes means that something was wrong. */
  readonly text: string;
  /** The same in German, for browsers that want it. */
  readonly textDe?: string;
  /** Sounds of Asterisk that ask it, in order; empty: it is not asked by voice. */
  readonly prompt: readonly string[];
  /** What yes means. */
  readonly issue: Issue;
  /** Epoch milliseconds: asked from then on, and before then; null is open. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** Questions that were fetched, as they came: they are asked while their address is away. */
export interface KeptQuestions {
  readonly url: string;
  /** The public key (Ed25519, DER, base64) that they are signed with. */
  readonly key: string;
  /** Their JSON text. */
  readonly signed: string;
  readonly signature: string;
}

/** What somebody says of a call; what is not given is not known. */
export interface GivenRating {
  readonly score: number;
  readonly issues?: readonly Issue[] | undefined;
  readonly answers?: readonly QuestionAnswer[] | undefined;
  readonly comment?: string | null | undefined;
}

/** Whose call: by linkedid, or the last that an endpoint ended. */
export type RatedParty =
  | { readonly linkedid: string; readonly uniqueid?: string | undefined; readonly side?: Side | undefined }
  | { readonly lastOf: string };

/** What some ratings amount to. */
export interface RatingMean {
  readonly ratings: number;
  /** Of these, those that we asked for. */
  readonly asked: number;
  /** Mean score over all calls, of those that we asked for, each weighing as many calls as it stands for; null: there are none. */
  readonly askedMean: number | null;
  /** Share of complaints (1 or 2) over all calls, likewise. */
  readonly complaintsPercent: number | null;
  /** Plain mean of those that came by themselves. */
  readonly unaskedMean: number | null;
}

/** Null: it is not known. */
export interface NamedRatingMean extends RatingMean {
  readonly name: string | null;
}

/** A rating that does not fit what was measured. */
export interface RatedCase {
  readonly rating: Rating;
  readonly startedAtMs: number;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  /** Endpoints that had part in the call. */
  readonly endpoints: readonly string[];
}

/** What people said in some time. */
export interface RatingSummary {
  readonly all: RatingMean;
  /** By whoever rated; those with most ratings first, at most a hundred. */
  readonly byEndpoint: readonly NamedRatingMean[];
  /** By what whoever rated heard. */
  readonly byCodec: readonly NamedRatingMean[];
  /** By who was at the other side, such as a trunk. */
  readonly byOtherSide: readonly NamedRatingMean[];
  /** The most frequent first. */
  readonly issues: readonly { readonly issue: Issue; readonly ratings: number }[];
  /** What no statistic of the network shows comes first: echo, level, noise. */
  readonly saidBadMeasuredGood: readonly RatedCase[];
  readonly measuredBadSaidGood: readonly RatedCase[];
}

/** Why a rating was not taken. */
export type RatingRefusal = 'no-such-call' | 'no-such-channel' | 'too-many';

/** What REST asks of ratings. */
export interface RatingService {
  /** Stores it and tells others. */
  rate(party: RatedParty, given: GivenRating): Promise<Rating | RatingRefusal>;
  list(
    filter: RatingFilter,
    limit: number,
    cursor: RatingCursor | null,
  ): Promise<{ readonly ratings: readonly Rating[]; readonly next: RatingCursor | null }>;
  /** How many were asked in that time, and how many of these answered. */
  answered(fromMs: number, toMs: number): Promise<{ readonly asked: number; readonly answered: number }>;
  summary(fromMs: number, toMs: number): Promise<RatingSummary>;
}

/** Longest comment that is kept, in characters. */
export const LONGEST_COMMENT = 1000;
