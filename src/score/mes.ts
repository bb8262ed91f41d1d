import type { MesProfile, MesScore, ScoreInputs } from '../model/score.ts';
import { MIN_OPINION, OPINION_TO_100, opinionFromR } from './opinion.ts';

/**
 * The Media Experience Score of one direction (Asterisk's "Media Experience Score" page; README, The score).
 * A round trip that is not known counts as 0 and the score says so (`rttKnown` false).
 */
export function computeMes(profile: MesProfile, inputs: ScoreInputs): MesScore {
  const effectiveLatencyMs = effectiveLatency(profile, inputs);
  const rValue = ratingOf(profile, inputs, effectiveLatencyMs);
  const mes = opinionFromR(rValue, profile.clampBelowOne);
  return {
    profile: profile.name,
    effectiveLatencyMs,
    rValue,
    mes,
    mes100: mes * OPINION_TO_100,
    rttKnown: inputs.rttMeanMs !== undefined,
  };
}

/** The `mes` of that score alone. */
export function opinionOf(profile: MesProfile, inputs: ScoreInputs): number {
  return opinionFromR(ratingOf(profile, inputs, effectiveLatency(profile, inputs)), profile.clampBelowOne);
}

/** The score of a direction or an interval in which packets were sent and none arrived: the lowest there is. */
export const DEAD_OPINION = MIN_OPINION;

function effectiveLatency(profile: MesProfile, inputs: ScoreInputs): number {
  const perUnit = profile.jitterUnit === 's' ? 1 / 1000 : 1;
  const jitter = (profile.jitterSample === 'last' ? inputs.jitterLastMs : inputs.jitterMeanMs) * perUnit;
  const jitterStdev = inputs.jitterStdevMs * perUnit;
  const codecDelayMs = (profile.usesDelayOfCodec ? inputs.codecDelayMs : undefined) ?? profile.codecDelayMs;
  return (
    (inputs.rttMeanMs ?? 0) * profile.rttFactor +
    jitter * profile.jitterFactor * (jitterStdev / profile.jitterStdevDivisor) +
    codecDelayMs
  );
}

function ratingOf(profile: MesProfile, inputs: ScoreInputs, effectiveLatencyMs: number): number {
  const latencyR =
    effectiveLatencyMs < profile.latencyKneeMs
      ? effectiveLatencyMs / profile.latencyDivisorBelow
      : (effectiveLatencyMs - profile.latencyOffsetMs) / profile.latencyDivisorAbove;
  return profile.baseR - latencyR - lossSampleOf(profile, inputs) * profile.lossFactor;
}

function lossSampleOf(profile: MesProfile, inputs: ScoreInputs): number {
  if (profile.lossUnit === 'percent') return inputs.lossPercent;
  return profile.lossSample === 'cumulative-tx' && inputs.direction === 'tx'
    ? inputs.cumulativeLostMean
    : inputs.lostPacketsMean;
}
