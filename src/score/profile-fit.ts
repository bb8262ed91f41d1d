import type { MesProfile, ScoreInputs } from '../model/score.ts';
import { opinionOf } from './mes.ts';
import { mesProfile } from './profiles.ts';
import { effectiveCount } from './rank-correlation.ts';
import { meanOfKnown } from './verdict.ts';

/** What of a rated call the fit needs. */
export interface FittedCall {
  /** 1-5. */
  readonly score: number;
  readonly weight: number;
  readonly directions: readonly ScoreInputs[];
}

/** Numbers of `[profile:custom]` that ratings can tell something of. */
export type FittedNumbers = Pick<MesProfile, 'baseR' | 'rttFactor' | 'jitterFactor' | 'lossFactor'>;

export type ProfileFit =
  | { readonly kind: 'too-few'; readonly needed: number }
  /** What was measured does not explain what people say. */
  | { readonly kind: 'no-relation' }
  /** The documented numbers do as well as any. */
  | { readonly kind: 'documented' }
  | {
      readonly kind: 'fitted';
      readonly numbers: FittedNumbers;
      /** Those that differ from the documented profile. */
      readonly changed: readonly (keyof FittedNumbers)[];
      /** Root mean square of what is left unexplained, on the opinion scale, of calls that the fit had not seen. */
      readonly errorOpinion: number;
      /** The same of the documented profile. */
      readonly documentedErrorOpinion: number;
    };

/** Below this nothing is said: five folds of 40 are the least in which an error of a tenth of the scale shows. */
export const FEWEST_RATINGS = 200;
const FOLDS = 5;
/** More change nothing in the answer, and take their time. */
const MOST_CALLS = 2000;
const MOST_ROUNDS = 25;
/** A number moves only for a gain that is no accident of a few calls. */
const LEAST_GAIN_RATIO = 0.002;
/** What the fit must explain beyond the mean, or beyond the documented profile, to be worth a word. */
const LEAST_IMPROVEMENT_RATIO = 0.02;
const FACTORS = [0.5, 0.75, 0.9, 1.1, 1.33, 2] as const;
const BASE_STEPS = [-8, -4, -2, -1, 1, 2, 4, 8] as const;
const MOST_BASE_R = 100;
const LEAST_BASE_R = 40;
const MOST_FACTOR = 50;

/** Looks for the numbers that come nearest to what people say; cross-validated, so that it cannot praise itself. */
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

/** One number after the other is moved as long as that helps. */
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
