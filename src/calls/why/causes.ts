import type { ScoreCosts } from '../../model/score.ts';
import { G711 } from '../../score/codec-impairment.ts';
import { eModelCosts } from '../../score/e-model.ts';
import { JITTER_LIMIT_MS, LOSS_LIMIT_PERCENT, ROUND_TRIP_LIMIT_MS } from '../../score/limits.ts';
import { type DirectionRules, eModelInputs, scoreTally } from '../directions/direction-score.ts';
import type { DirectionState } from '../directions/direction-state.ts';
import { jitterFigures, lossPercentOf, roundTripMeanMs } from '../directions/tally.ts';

/**
 * A cause that costs less R than this and stays within its own limit is fine. The opinion falls by at most 0.053 for each R
 * (G.107 Annex B), so the cause costs at most a sixth of a point.
 */
const FINE_R = 3;
/** A codec is not mentioned beside a cause that costs more than twice as much. */
const NOTICEABLE_CODEC_PART = 0.5;
/** A cause that costs less R than this is not mentioned, even if none costs more. */
const TRACE_R = 0.5;

export type CauseName = 'loss' | 'delay' | 'jitter' | 'codec';

/** Something that takes R off a direction's score. */
export interface Cause {
  readonly name: CauseName;
  readonly costR: number;
  /** It costs next to nothing and stays within its own limit. */
  readonly isFine: boolean;
}

/**
 * What the causes cost. A direction's word follows from two scores, and each cause counts with the cost in the one that it costs
 * more. Null: there is no score.
 */
export function costsOf(state: DirectionState, own: DirectionRules): ScoreCosts | null {
  const score = scoreTally(state, state.total, own)?.score ?? null;
  if (score === null) return null;
  const inputs = own.profile.usesCodecImpairment ? undefined : eModelInputs(state.total, own);
  if (inputs === undefined) return score.costs;
  const { costs } = score;
  const ofEModel = eModelCosts(inputs, G711);
  return {
    delayR: Math.max(costs.delayR, ofEModel.delayR),
    jitterR: Math.max(costs.jitterR, ofEModel.jitterR),
    lossR: Math.max(costs.lossR, ofEModel.lossR),
    codecR: Math.max(costs.codecR, ofEModel.codecR),
  };
}

/** The known causes of a direction's score. */
export function causesOf(state: DirectionState, own: DirectionRules): Cause[] {
  const costs = costsOf(state, own);
  if (costs === null) return [];
  const { total, clockRateHz } = state;
  const rttMeanMs = roundTripMeanMs(total);
  const cause = (name: CauseName, costR: number, isWithinLimit: boolean): Cause => ({
    name,
    costR,
    isFine: isWithinLimit && costR < FINE_R,
  });
  return [
    cause('loss', costs.lossR, (lossPercentOf(total) ?? 0) < LOSS_LIMIT_PERCENT),
    ...(rttMeanMs === undefined ? [] : [cause('delay', costs.delayR, rttMeanMs < ROUND_TRIP_LIMIT_MS)]),
    cause('jitter', costs.jitterR, jitterFigures(total, clockRateHz).meanMs <= JITTER_LIMIT_MS),
    cause('codec', costs.codecR, true),
  ];
}

/**
 * The causes that explain a score that is not good, the costliest first: those that are not fine, or else those that cost more
 * than a trace.
 */
export function mainCauses(causes: readonly Cause[]): Cause[] {
  const mostR = Math.max(...causes.map(({ costR }) => costR));
  const byCost = causes
    .filter(({ name, costR }) => name !== 'codec' || costR >= NOTICEABLE_CODEC_PART * mostR)
    .toSorted((a, b) => b.costR - a.costR);
  const main = byCost.filter(({ isFine }) => !isFine);
  return main.length > 0 ? main : byCost.filter(({ costR }) => costR >= TRACE_R);
}
