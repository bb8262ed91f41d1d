import type { MesProfile, MesScore, ScoreCosts, ScoreInputs } from '../model/score.ts';
import { G711 } from './codec-impairment.ts';
import { effectiveImpairment } from './e-model.ts';
import { MIN_OPINION, OPINION_TO_100, opinionFromR, shownR } from './opinion.ts';

/** Packets of 20 ms in 5 s of audio. The published 2.5 R per lost packet is for that time, since Asterisk reports every 5 s. */
const PACKETS_IN_5_S = 250;

/**
 * The Media Experience Score of one direction (Asterisk's "Media Experience Score" page; `README.md` beside this file):
 * ```
 * latency = rtt × rttFactor + jitter × jitterFactor × (its deviation / jitterStdevDivisor) + codec delay     ms
 * R       = baseR − cost of the latency − cost of the loss + advantage
 * MES     = opinion of R (G.107 Annex B), 1-4.5
 * ```
 * An unknown round trip counts as 0, and the score says so (`rttKnown` false). All other inputs must be known.
 */
export function computeMes(profile: MesProfile, inputs: ScoreInputs): MesScore {
  const effectiveLatencyMs = effectiveLatency(profile, inputs);
  const r = ratingOf(profile, inputs, effectiveLatencyMs);
  const mes = opinionFromR(r, profile.clampBelowOne);
  return {
    profile: profile.name,
    effectiveLatencyMs,
    rValue: shownR(r),
    costs: costsOf(profile, inputs, effectiveLatencyMs),
    mes,
    mes100: mes * OPINION_TO_100,
    rttKnown: inputs.rttMeanMs !== undefined,
  };
}

/** Only the `mes` of that score, on the opinion scale 1-4.5. */
export function opinionOf(profile: MesProfile, inputs: ScoreInputs): number {
  return opinionFromR(ratingOf(profile, inputs, effectiveLatency(profile, inputs)), profile.clampBelowOne);
}

/** The score of a direction or interval in which packets were sent and none arrived: the lowest on the scale. */
export const DEAD_OPINION = MIN_OPINION;

/** All delay that the score charges, ms. */
function effectiveLatency(profile: MesProfile, inputs: ScoreInputs): number {
  const codecDelayMs = (profile.usesDelayOfCodec ? inputs.codecDelayMs : undefined) ?? profile.codecDelayMs;
  return (inputs.rttMeanMs ?? 0) * profile.rttFactor + jitterLatency(profile, inputs) + codecDelayMs;
}

/** The part of the latency that jitter adds, ms. Asterisk up to 22.10 takes seconds for milliseconds here (`jitterUnit`). */
function jitterLatency(profile: MesProfile, inputs: ScoreInputs): number {
  const perUnit = profile.jitterUnit === 's' ? 1 / 1000 : 1;
  const jitter = (profile.jitterSample === 'last' ? inputs.jitterLastMs : inputs.jitterMeanMs) * perUnit;
  const jitterStdev = inputs.jitterStdevMs * perUnit;
  return jitter * profile.jitterFactor * (jitterStdev / profile.jitterStdevDivisor);
}

/** R that the latency costs: one slope below the knee, a steeper one above it. */
function latencyCost(profile: MesProfile, effectiveLatencyMs: number): number {
  return effectiveLatencyMs < profile.latencyKneeMs
    ? effectiveLatencyMs / profile.latencyDivisorBelow
    : (effectiveLatencyMs - profile.latencyOffsetMs) / profile.latencyDivisorAbove;
}

/** R, not yet limited to 0-100. */
function ratingOf(profile: MesProfile, inputs: ScoreInputs, effectiveLatencyMs: number): number {
  const r = profile.baseR - latencyCost(profile, effectiveLatencyMs);
  if (!profile.usesCodecImpairment) return r - lossSampleOf(profile, inputs) * profile.lossFactor;
  const { codec = G711, lossPercent, burstR, advantage = 0 } = inputs;
  return r - effectiveImpairment(codec, lossPercent, burstR) + advantage;
}

/** How much R each cause takes. The latency's cost is split between delay and jitter in the proportion of the latency itself. */
function costsOf(profile: MesProfile, inputs: ScoreInputs, effectiveLatencyMs: number): ScoreCosts {
  const latencyR = latencyCost(profile, effectiveLatencyMs);
  const jitterShare = effectiveLatencyMs > 0 ? jitterLatency(profile, inputs) / effectiveLatencyMs : 0;
  const jitterR = latencyR * jitterShare;
  const delayR = latencyR - jitterR;
  if (!profile.usesCodecImpairment) {
    return { delayR, jitterR, lossR: lossSampleOf(profile, inputs) * profile.lossFactor, codecR: 0 };
  }
  const { codec = G711, lossPercent, burstR } = inputs;
  return { delayR, jitterR, lossR: effectiveImpairment(codec, lossPercent, burstR) - codec.ie, codecR: codec.ie };
}

/** The loss that `lossFactor` multiplies, in packets or percent by `lossUnit` and `lossSample`. */
function lossSampleOf(profile: MesProfile, inputs: ScoreInputs): number {
  if (profile.lossUnit === 'percent') return inputs.lossPercent;
  if (profile.lossSample === '5s') return packetsIn5S(inputs.lossPercent);
  return profile.lossSample === 'cumulative-tx' && inputs.direction === 'tx'
    ? inputs.cumulativeLostMean
    : inputs.lostPacketsMean;
}

/** Lost packets of 20 ms in 5 s of audio, from a loss in percent. */
function packetsIn5S(lossPercent: number): number {
  return (lossPercent / 100) * PACKETS_IN_5_S;
}

/** The inverse of `packetsIn5S`. */
export function percentIn5S(packets: number): number {
  return (packets / PACKETS_IN_5_S) * 100;
}
