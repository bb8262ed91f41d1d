import type { EModelRecord } from '../model/record.ts';
import type { MesProfile, MesScore, ScoreInputs } from '../model/score.ts';
import { computeEModel } from '../score/e-model.ts';
import { computeMes, DEAD_OPINION, opinionOf } from '../score/mes.ts';
import { type DirectionState, knownCodec } from './direction-state.ts';
import type { ScoringRules } from './scoring-rules.ts';
import {
  isLossKnown,
  isTallyDead,
  type JitterFigures,
  jitterFigures,
  lossPercentOf,
  meanCumulativeLost,
  meanLost,
  roundTripMeanMs,
  type Tally,
} from './tally.ts';

/** Fewer received packets than this are too few for the E-model (README, The score). */
const FEWEST_PACKETS = 5;

/** By what a direction is scored. */
export interface DirectionRules {
  readonly profile: MesProfile;
  /** Of the direction's codec, when it has its own. */
  readonly codecDelayMs: number | undefined;
}

/** By what a direction is scored now. */
export function directionRules(state: DirectionState, rules: ScoringRules): DirectionRules {
  const codec = knownCodec(state);
  return { profile: rules.profile, codecDelayMs: codec === null ? undefined : rules.codecDelaysMs.get(codec) };
}

/** A direction's score: `score` is absent for a dead one, whose opinion is 1 whatever the formula says. */
export interface DirectionScore {
  readonly mes: number;
  readonly score: MesScore | null;
}

/** The score of a tally; null while there is no interval to judge by: an unknown direction has no score. */
export function scoreTally(state: DirectionState, tally: Tally, rules: DirectionRules): DirectionScore | null {
  if (isUnknownNow(state, tally)) return null;
  if (isTallyDead(tally)) return { mes: DEAD_OPINION, score: null };
  if (!isLossKnown(tally)) return null;
  const score = computeMes(rules.profile, scoreInputs(state, tally, rules));
  return { mes: score.mes, score };
}

/** The `mes` of that score alone. */
export function tallyMes(
  state: DirectionState,
  tally: Tally,
  rules: DirectionRules,
  jitter?: JitterFigures,
): number | null {
  if (isUnknownNow(state, tally)) return null;
  if (isTallyDead(tally)) return DEAD_OPINION;
  return isLossKnown(tally) ? opinionOf(rules.profile, scoreInputs(state, tally, rules, jitter)) : null;
}

/** The direction as a whole is not known for what it was before; a segment that is over keeps its score. */
function isUnknownNow({ unknownSinceMs, total }: DirectionState, tally: Tally): boolean {
  return unknownSinceMs !== null && tally === total;
}

/** What the formulas take from a tally; all means are 0 where there was no sample. */
export function scoreInputs(
  state: DirectionState,
  tally: Tally,
  rules: DirectionRules,
  jitter = jitterFigures(tally, state.clockRateHz),
): ScoreInputs {
  return {
    direction: state.direction,
    rttMeanMs: roundTripMeanMs(tally),
    jitterMeanMs: jitter.meanMs,
    jitterLastMs: jitter.lastMs,
    jitterStdevMs: jitter.stdevMs,
    lostPacketsMean: meanLost(tally),
    cumulativeLostMean: meanCumulativeLost(tally),
    lossPercent: lossPercentOf(tally) ?? 0,
    codecDelayMs: rules.codecDelayMs,
  };
}

/** What the E-model is computed from. */
export interface EModelBasis {
  readonly codec: string | null;
  readonly lossPercent: number | null;
  readonly packetsReceived: number | null;
  /** Undefined: not known. */
  readonly rttMeanMs: number | undefined;
  readonly advantage: number;
  /** Undefined: the losses count as random. */
  readonly burstR?: number | undefined;
}

const NOT_AVAILABLE: EModelRecord = { rLq: null, rCq: null, mosLq: null, mosCq: null };

/** The E-model's quality; all null where it is not available: codec or loss not known, or too few packets received. */
export function eModelOf(basis: EModelBasis): EModelRecord {
  const { codec, lossPercent, packetsReceived, rttMeanMs, advantage, burstR } = basis;
  if (codec === null || lossPercent === null || packetsReceived === null || packetsReceived < FEWEST_PACKETS) {
    return NOT_AVAILABLE;
  }
  return computeEModel({ codec, lossPercent, rttMs: rttMeanMs, advantage, burstR }) ?? NOT_AVAILABLE;
}
