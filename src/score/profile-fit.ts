import type { MesProfile, ScoreInputs } from '../model/score.ts';
import { opinionOf } from './mes.ts';
import { mesProfile } from './profiles.ts';
import { effectiveCount } from './rank-correlation.ts';
import { meanOfKnown } from './verdict.ts';

/** What the fit needs of a rated call. */
export interface FittedCall {
  /** 1-5. */
  readonly score: number;
  readonly weight: number;
  readonly directions: readonly ScoreInputs[];
}

/** The numbers of `[profile:custom]` about which ratings can tell something. */
export type FittedNumbers = Pick<MesProfile, 'baseR' | 'rttFactor' | 'jitterFactor' | 'lossFactor'>;

export type ProfileFit =
  | { readonly kind: 'too-few'; readonly needed: number }
  /** No profile explains what people say. */
  | { readonly kind: 'no-relation' }
  /** The documented profile is as good as any. */
  | { readonly kind: 'documented' }
  | {
      readonly kind: 'fitted';
      readonly numbers: FittedNumbers;
      /** The names of the numbers that differ from the documented profile. */
      readonly changed: readonly (keyof FittedNumbers)[];
      /** Root mean square of the unexplained remainder, on the opinion scale, over calls that the fit had not seen. */
      readonly errorOpinion: number;
      /** The same for the documented profile. */
      readonly documentedErrorOpinion: number;
    };

/** With fewer ratings nothing is said: an error of a tenth of the scale shows only in five folds of at least 40. */
export const FEWEST_RATINGS = 200;
const FOLDS = 5;
/** Bound on the calls: more take time and do not change the answer. */
const MOST_CALLS = 2000;
const MOST_ROUNDS = 25;
/** A number moves only for at least this gain, which a few calls cannot bring about by accident. */
const LEAST_GAIN_RATIO = 0.002;
/** How much more than the mean, and than the documented profile, a fit must explain to be reported. */
const LEAST_IMPROVEMENT_RATIO = 0.02;
const FACTORS = [0.5, 0.75, 0.9, 1.1, 1.33, 2] as const;
const BASE_STEPS = [-8, -4, -2, -1, 1, 2, 4, 8] as const;
const MOST_BASE_R = 100;
const LEAST_BASE_R = 40;
const MOST_FACTOR = 50;

/**
 * Finds the numbers of the profile that come nearest to what people say. It is cross-validated, so that it cannot praise itself.
 */
export function fitCustomProfile(all: readonly FittedCall[]): ProfileFit {
  const known = all.filter(({ directions }) => directions.length > 0);
  if (effectiveCount(known.map(({ weight }) => weight)) < FEWEST_RATINGS)
    return { kind: 'too-few', needed: FEWEST_RATINGS };
  const step = Math.ceil(known.length / MOST_CALLS);
  const calls = known.filter((_, index) => index % step === 0);
  const documented = numbersOf(mesProfile('documented'));
  let fittedSquares = 0;
  let documentedSquares = 0;
  let meanSquares = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = calls.filter((_, index) => index % FOLDS !== fold);
    const unseen = calls.filter((_, index) => index % FOLDS === fold);
    fittedSquares += squares(fit(seen), unseen);
    documentedSquares += squares(documented, unseen);
    const mean = weightedMean(seen);
    meanSquares += unseen.reduce((sum, { score, weight }) => sum + weight * (opinionOfRating(score) - mean) ** 2, 0);
  }
  const total = calls.reduce((sum, { weight }) => sum + weight, 0);
  const error = (sum: number): number => Math.sqrt(sum / total);
  const best = Math.min(fittedSquares, documentedSquares);
  if (error(best) > error(meanSquares) * (1 - LEAST_IMPROVEMENT_RATIO)) return { kind: 'no-relation' };
  const numbers = fit(calls);
  const changed = (Object.keys(documented) as (keyof FittedNumbers)[]).filter(
    (name) => numbers[name] !== documented[name],
  );
  if (changed.length === 0 || error(fittedSquares) > error(documentedSquares) * (1 - LEAST_IMPROVEMENT_RATIO)) {
    return { kind: 'documented' };
  }
  return {
    kind: 'fitted',
    numbers,
    changed,
    errorOpinion: error(fittedSquares),
    documentedErrorOpinion: error(documentedSquares),
  };
}

function numbersOf({ baseR, rttFactor, jitterFactor, lossFactor }: MesProfile): FittedNumbers {
  return { baseR, rttFactor, jitterFactor, lossFactor };
}

/** People's 1-5 on the scale of scores, 1-4.5. */
function opinionOfRating(score: number): number {
  return 1 + ((score - 1) * 3.5) / 4;
}

function weightedMean(calls: readonly FittedCall[]): number {
  const total = calls.reduce((sum, { weight }) => sum + weight, 0);
  return calls.reduce((sum, { score, weight }) => sum + weight * opinionOfRating(score), 0) / total;
}

/** Moves one number after the other as long as that helps. */
function fit(calls: readonly FittedCall[]): FittedNumbers {
  let best = numbersOf(mesProfile('documented'));
  let least = squares(best, calls);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = least;
    for (const candidate of neighbours(best)) {
      const sum = squares(candidate, calls);
      if (sum >= least * (1 - LEAST_GAIN_RATIO)) continue;
      best = candidate;
      least = sum;
    }
    if (least === before) break;
  }
  return best;
}

function neighbours(numbers: FittedNumbers): FittedNumbers[] {
  const bases = BASE_STEPS.map((step) => ({ ...numbers, baseR: numbers.baseR + step })).filter(
    ({ baseR }) => baseR >= LEAST_BASE_R && baseR <= MOST_BASE_R,
  );
  const factors = (['lossFactor', 'rttFactor', 'jitterFactor'] as const).flatMap((name) =>
    FACTORS.map((factor) => ({ ...numbers, [name]: rounded(numbers[name] * factor) })).filter(
      (candidate) => candidate[name] <= MOST_FACTOR,
    ),
  );
  return [...bases, ...factors];
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function squares(numbers: FittedNumbers, calls: readonly FittedCall[]): number {
  const profile = mesProfile('custom', numbers);
  return calls.reduce((sum, { score, weight, directions }) => {
    const predicted = meanOfKnown(directions.map((inputs) => opinionOf(profile, inputs))) ?? 0;
    return sum + weight * (predicted - opinionOfRating(score)) ** 2;
  }, 0);
}
