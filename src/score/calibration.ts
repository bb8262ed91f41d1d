import type { MesProfile, ProfileName, ScoreInputs, VerdictThresholds } from '../model/score.ts';
import { computeMes } from './mes.ts';
import { fitCustomProfile, type ProfileFit } from './profile-fit.ts';
import { effectiveCount, type RankCorrelation, rankCorrelation } from './rank-correlation.ts';
import { mesProfile } from './profiles.ts';
import { meanOfKnown } from './verdict.ts';

/** A call that somebody rated, and what was measured of it. */
export interface RatedCall {
  /** 1-5. */
  readonly score: number;
  /** How many calls it stands for: the inverse of the probability that it was asked about. */
  readonly weight: number;
  /** What was measured of each direction that has a score. */
  readonly directions: readonly ScoreInputs[];
  /** The E-model's MOS-CQ, as a mean over directions; null: not known. */
  readonly mosCq: number | null;
}

/** How well one score predicts what people say. */
export interface Predictor {
  readonly name: ProfileName | 'mos_cq';
  readonly ratings: number;
  /** Null: there are too few ratings, or they are all the same. */
  readonly correlation: RankCorrelation | null;
  /** The share of complaints, 0-1, among the calls at or above each threshold; null: there is no such call. */
  readonly complaintsAbove: readonly { readonly threshold: number; readonly complaintRatio: number | null }[];
  /** The threshold that separates complaints from other ratings best; null: none does. */
  readonly bestThreshold: BestThreshold | null;
}

export interface BestThreshold {
  readonly threshold: number;
  /** Share of the complaints that are below the threshold, 0-1. */
  readonly complaintsFound: number;
  /** Share of the other ratings that are at or above the threshold, 0-1. */
  readonly othersSpared: number;
}

export interface Calibration {
  readonly ratings: number;
  /** The number of equally weighted ratings that would tell as much. */
  readonly effectiveRatings: number;
  /** Weighted share of complaints, 0-1; null without ratings. */
  readonly complaintRatio: number | null;
  readonly predictors: readonly Predictor[];
  readonly fit: ProfileFit;
}

/** A score of 1 or 2 is a complaint. */
const HIGHEST_COMPLAINT = 2;
const PREDICTING_PROFILES = [
  'documented',
  'documented-per-report',
  'informed',
  'asterisk-2026.09',
] as const satisfies readonly ProfileName[];

/** Compares scores with ratings. Changes nothing. */
export function calibrate(calls: readonly RatedCall[], thresholds: VerdictThresholds): Calibration {
  const predictors = PREDICTING_PROFILES.map((name) => {
    const profile = mesProfile(name);
    return predictor(name, calls, (call) => meanMes(profile, call), thresholds);
  });
  const total = sumOf(calls, () => true);
  return {
    ratings: calls.length,
    effectiveRatings: effectiveCount(calls.map(({ weight }) => weight)),
    complaintRatio: total === 0 ? null : sumOf(calls, isComplaint) / total,
    predictors: [...predictors, predictor('mos_cq', calls, ({ mosCq }) => mosCq, thresholds)],
    fit: fitCustomProfile(calls),
  };
}

/** The call's score by a profile: the mean of its directions, as everywhere; null: it has none. */
export function meanMes(profile: MesProfile, { directions }: Pick<RatedCall, 'directions'>): number | null {
  return meanOfKnown(directions.map((inputs) => computeMes(profile, inputs).mes));
}

interface Predicted {
  readonly call: RatedCall;
  readonly value: number;
}

function predictor(
  name: Predictor['name'],
  calls: readonly RatedCall[],
  predict: (call: RatedCall) => number | null,
  { good, fair, poor }: VerdictThresholds,
): Predictor {
  const predicted = calls.flatMap((call): Predicted[] => {
    const value = predict(call);
    return value === null ? [] : [{ call, value }];
  });
  const pairs = predicted.map(({ call, value }) => ({ x: value, y: call.score, weight: call.weight }));
  return {
    name,
    ratings: predicted.length,
    correlation: rankCorrelation(pairs),
    complaintsAbove: [good, fair, poor].map((threshold) => {
      const above = predicted.filter(({ value }) => value >= threshold).map(({ call }) => call);
      const total = sumOf(above, () => true);
      return { threshold, complaintRatio: total === 0 ? null : sumOf(above, isComplaint) / total };
    }),
    bestThreshold: bestThreshold(predicted),
  };
}

function isComplaint({ score }: RatedCall): boolean {
  return score <= HIGHEST_COMPLAINT;
}

function sumOf(calls: readonly RatedCall[], wanted: (call: RatedCall) => boolean): number {
  return calls.reduce((sum, call) => sum + (wanted(call) ? call.weight : 0), 0);
}

/** The best threshold by Youden's J (1950), the largest sum of both shares; null: none is better than chance. */
function bestThreshold(predicted: readonly Predicted[]): BestThreshold | null {
  const complaints = sumOf(
    predicted.map(({ call }) => call),
    isComplaint,
  );
  const others = sumOf(
    predicted.map(({ call }) => call),
    (call) => !isComplaint(call),
  );
  if (complaints === 0 || others === 0) return null;
  const rising = predicted.toSorted((a, b) => a.value - b.value);
  let best: BestThreshold | null = null;
  let complaintsBelow = 0;
  let othersBelow = 0;
  for (const [index, { call, value }] of rising.entries()) {
    // A threshold lies between two values, never within equal ones.
    if (index > 0 && value !== rising[index - 1]?.value) {
      const complaintsFound = complaintsBelow / complaints;
      const othersSpared = 1 - othersBelow / others;
      const sum = complaintsFound + othersSpared;
      if (sum > 1 && (best === null || sum > best.complaintsFound + best.othersSpared)) {
        const below = rising[index - 1]?.value ?? value;
        best = { threshold: (below + value) / 2, complaintsFound, othersSpared };
      }
    }
    if (isComplaint(call)) complaintsBelow += call.weight;
    else othersBelow += call.weight;
  }
  return best;
}
