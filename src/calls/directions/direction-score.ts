import type { EModelRecord } from '../../model/record.ts';
import type { CodecImpairment, MesProfile, MesScore, ScoreInputs } from '../../model/score.ts';
import { codecImpairment, codecSettings } from '../../score/codec-impairment.ts';
import { computeEModel, type EModelInputs, mosCqOf } from '../../score/e-model.ts';
import { computeMes, DEAD_OPINION, opinionOf, percentIn5S } from '../../score/mes.ts';
import { worseOpinion } from '../../score/verdict.ts';
import { burstRatio } from '../../stats/packets/burst-gap.ts';
import type { ChannelState } from '../channels/channel-state.ts';
import { endpointOf } from '../../model/channel.ts';
import { capturedOf, type DirectionState, knownCodec } from './direction-state.ts';
import { type AdvantageFacts, advantageOf, type ScoringRules } from '../scoring-rules.ts';
import {
  isLossKnown,
  isTallyDead,
  type JitterFigures,
  jitterFigures,
  lossPercentOf,
  meanCumulativeLost,
  meanLost,
  reportedBurstRatio,
  roundTripMeanMs,
  type Tally,
} from './tally.ts';

/** With fewer received packets the E-model has no score (README, The score). */
const FEWEST_PACKETS = 5;

/** The rules for scoring a direction. */
export interface DirectionRules {
  readonly profile: MesProfile;
  /** The codec's own delay; undefined: the profile's counts. */
  readonly codecDelayMs: number | undefined;
  /** Undefined: the codec is not known, or has no factors. */
  readonly codec: CodecImpairment | undefined;
  /** The advantage factor of the channel's endpoint. */
  readonly advantage: number;
}

/** The present rules for a direction of `channel`. */
export function directionRules(
  channel: Pick<ChannelState, 'name' | 'device' | 'site' | 'deviceDetails'>,
  state: DirectionState,
  rules: ScoringRules,
): DirectionRules {
  const codec = knownCodec(state);
  return {
    profile: rules.profile,
    codecDelayMs: codec === null ? undefined : codecSettings(codec, rules.codecs)?.delayMs,
    codec: codec === null ? undefined : codecImpairment(codec, rules.codecs),
    advantage: rules.advantages.length === 0 ? 0 : advantageOf(factsOf(channel), rules),
  };
}

function factsOf({
  name,
  device,
  site,
  deviceDetails,
}: Pick<ChannelState, 'name' | 'device' | 'site' | 'deviceDetails'>): AdvantageFacts {
  return { endpoint: endpointOf(name), device, site, network: deviceDetails?.networkKind ?? null };
}

/** A direction's score. `score` is absent for a dead direction, whose opinion is 1 whatever the formula says. */
export interface DirectionScore {
  readonly mes: number;
  readonly score: MesScore | null;
}

/** The score of a tally; null: no interval can be judged, so the direction is unknown. */
export function scoreTally(state: DirectionState, tally: Tally, rules: DirectionRules): DirectionScore | null {
  if (isUnknownNow(state, tally)) return null;
  if (isTallyDead(tally)) return { mes: DEAD_OPINION, score: null };
  if (!isLossKnown(tally)) return null;
  const score = computeMes(rules.profile, scoreInputs(state, tally, rules));
  return { mes: score.mes, score };
}

/** Only the `mes` of that score. */
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

/** Whether the direction as a whole has become unknown. A segment that is over keeps its score. */
function isUnknownNow({ unknownSinceMs, total }: DirectionState, tally: Tally): boolean {
  return unknownSinceMs !== null && tally === total;
}

/** The inputs of the formulas. Means are 0 where there was no sample. */
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
    lossPercent: scoredLossPercent(tally),
    codecDelayMs: rules.codecDelayMs,
    codec: rules.codec,
    burstR: burstRatioOf(state, tally, rules.profile),
    advantage: rules.advantage,
  };
}

/**
 * The loss that is scored. Where no report tells how many packets it expected, the loss counts as that of 5 s, the usual pace of
 * reports.
 */
function scoredLossPercent(tally: Tally): number {
  return lossPercentOf(tally) ?? Math.min(100, percentIn5S(meanLost(tally)));
}

/**
 * The burst ratio, for the profile that uses it, from captured packets or else from the reports. Captured packets of our own
 * audio show how it left, not how it arrived.
 */
export function burstRatioOf(state: DirectionState, tally: Tally, profile: MesProfile): number | undefined {
  if (!profile.usesCodecImpairment) return undefined;
  const media = state.direction === 'rx' ? capturedOf(state) : null;
  return (media === null ? undefined : burstRatio(media.tally.burstGap)) ?? reportedBurstRatio(tally);
}

/**
 * The opinion that decides a direction's word: the worse of its MES (`mes`) and the E-model's MOS-CQ. Where the profile knows the
 * codec, the MES already contains that. Null: there is no score.
 */
export function judgedOpinion(tally: Tally, mes: number | null, rules: DirectionRules): number | null {
  if (mes === null || rules.profile.usesCodecImpairment || isTallyDead(tally)) return mes;
  const inputs = eModelInputs(tally, rules);
  return inputs === undefined ? mes : worseOpinion(mes, mosCqOf(inputs));
}

/** The inputs of the E-model; undefined: its score is not available. */
export function eModelInputs(tally: Tally, rules: DirectionRules): EModelInputs | undefined {
  return availableInputs({
    codec: rules.codec,
    lossPercent: lossPercentOf(tally),
    packetsReceived: tally.packetsExpected - tally.packetsLostOfExpected,
    rttMeanMs: roundTripMeanMs(tally),
    advantage: rules.advantage,
  });
}

/** What the E-model's score is computed from. */
export interface EModelBasis {
  /** Undefined: not known, or without factors. */
  readonly codec: CodecImpairment | undefined;
  readonly lossPercent: number | null;
  readonly packetsReceived: number | null;
  /** Undefined: not known. */
  readonly rttMeanMs: number | undefined;
  readonly advantage: number;
  /** Undefined: the losses count as random. */
  readonly burstR?: number | undefined;
}

const NOT_AVAILABLE: EModelRecord = { rLq: null, rCq: null, mosLq: null, mosCq: null };

/** The E-model's quality; all null: codec or loss are not known, or too few packets were received. */
export function eModelOf(basis: EModelBasis): EModelRecord {
  const inputs = availableInputs(basis);
  return inputs === undefined ? NOT_AVAILABLE : computeEModel(inputs);
}

function availableInputs(basis: EModelBasis): EModelInputs | undefined {
  const { codec, lossPercent, packetsReceived, rttMeanMs, advantage, burstR } = basis;
  if (codec === undefined || lossPercent === null || packetsReceived === null || packetsReceived < FEWEST_PACKETS) {
    return undefined;
  }
  return { codec, lossPercent, rttMs: rttMeanMs, advantage, burstR };
}
