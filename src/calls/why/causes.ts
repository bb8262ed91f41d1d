import type { ScoreCosts } from '../../model/score.ts';
import { G711 } from '../../score/codec-impairment.ts';
import { eModelCosts } from '../../score/e-model.ts';
import { JITTER_LIMIT_MS, LOSS_LIMIT_PERCENT, ROUND_TRIP_LIMIT_MS } from '../../score/limits.ts';
import { type DirectionRules, eModelInputs, scoreTally } from '../directions/direction-score.ts';
import type { DirectionState } from '../directions/direction-state.ts';
import { jitterFigures, lossPercentOf, roundTripMeanMs } from '../directions/tally.ts';

/**
 * A cause that costs less R than this, and keeps to its own limit, is fine. The opinion falls by at most 0.053 for each R
 * (G.107 Annex B), so that it costs at most a sixth of a point.
 */
const FINE_R = 3;
/** A codec that costs a smaller part than this of what the greatest cause does is not worth a word beside it. */
const NOTICEABLE_CODEC_PART = 0.5;
/** A cause that costs less R than this is not worth a word even where there is no greater one. */
const TRACE_R = 0.5;

export type CauseName = 'loss' | 'delay' | 'jitter' | 'codec';

/** What takes something off a direction's score. */
export interface Cause {
  readonly name: CauseName;
  readonly costR: number;
  /** It costs next to nothing, and keeps to its own limit. */
  readonly isFine: boolean;
}

/**
 * What the causes cost of the two scores that a direction's word is made of: each what it costs of that one which it
 * costs more. Null while there is no score.
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

/** The causes of a direction's score; those that are not known are not among them. */
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

/** Those that explain a score that is not good, the costliest first: those that are not fine, or else whatever costs more than a trace. */
export function mainCauses(causes: readonly Cause[]): Cause[] {
  const mostR = Math.max(...causes.map(({ costR }) => costR));
  const byCost = causes
    .filter(({ name, costR }) => name !== 'codec' || costR >= NOTICEABLE_CODEC_PART * mostR)
    .toSorted((a, b) => b.costR - a.costR);
  const main = byCost.filter(({ isFine }) => !isFine);
  return main.length > 0 ? main : byCost.filter(({ costR }) => costR >= TRACE_R);
}
