import type { CodecImpairment, ScoreCosts } from '../model/score.ts';
import { MAX_OPINION, opinionFromR, shownR } from './opinion.ts';

export interface EModelInputs {
  readonly codec: CodecImpairment;
  /** The percentage of expected packets that were lost or came too late to be played, 0-100. */
  readonly lossPercent: number;
  /** Mean length of loss runs over that of random loss; undefined: not known, so 1 (random). */
  readonly burstR?: number | undefined;
  /** Mean round trip; undefined: not known, which adds no delay impairment. */
  readonly rttMs?: number | undefined;
  /** How much R users forgive for mobility (G.113 Appendix II); undefined: 0. */
  readonly advantage?: number | undefined;
}

/** Listening (LQ) and conversational (CQ) quality: rating R as shown (0-100), and opinion 1-4.5. */
export interface EModelScore {
  readonly rLq: number;
  readonly rCq: number;
  readonly mosLq: number;
  readonly mosCq: number;
}

/** Phones cancel talker echo, so it counts nothing. For listener echo softphone SDKs take this constant. */
const TALKER_ECHO_IMPAIRMENT = 0;
const LISTENER_ECHO_IMPAIRMENT = 0.15;
/** One-way delay up to which nobody notices (G.107 §7.4). */
const UNNOTICED_DELAY_MS = 100;
/** Converts from the wideband scale, whose best is 129, to that of the opinion formula (G.107.1). */
const WIDEBAND_SCALE = 1.29;
/** What Ie,eff tends to when every packet is lost (G.107 §7.5). */
const MAX_IMPAIRMENT = 95;
/**
 * The range of BurstR that G.107's table 2 permits: 1 to 8 since the edition of 04/2009, 1 to 2 before. Its note says that
 * predictions above 2 are validated only for losses under 2 %. Loss runs that are shorter than random ones count as random.
 */
const MIN_BURST_R = 1;
const MAX_BURST_R = 8;

/**
 * The E-model (ITU-T G.107, simplified as in softphone SDKs; README.md beside this file). Listening quality follows from codec
 * and loss, conversational quality from these and the delay.
 */
export function computeEModel(inputs: EModelInputs): EModelScore {
  const { codec } = inputs;
  const rLq = listeningR(inputs);
  const rCq = conversationalR(inputs, rLq);
  return { rLq: shownR(rLq), rCq: shownR(rCq), mosLq: mosOf(rLq, codec), mosCq: mosOf(rCq, codec) };
}

/** The `mosCq` of that score alone. */
export function mosCqOf(inputs: EModelInputs): number {
  return mosOf(conversationalR(inputs, listeningR(inputs)), inputs.codec);
}

/**
 * How much R(CQ) each cause takes, on the scale of the opinion. Jitter takes none here. The codec's cost is counted against
 * `reference`.
 */
export function eModelCosts(inputs: EModelInputs, reference: CodecImpairment): ScoreCosts {
  const { codec, lossPercent, burstR, rttMs = 0 } = inputs;
  const scale = codec.isWidebandScale ? WIDEBAND_SCALE : 1;
  const lossR = (effectiveImpairment(codec, lossPercent, burstR) - codec.ie) / scale;
  const codecR = Math.max(0, reference.r0Is - reference.ie - (codec.r0Is - codec.ie) / scale);
  return { delayR: delayImpairment(rttMs / 2) / scale, jitterR: 0, lossR, codecR };
}

function listeningR({ codec, lossPercent, burstR, advantage = 0 }: EModelInputs): number {
  return codec.r0Is - effectiveImpairment(codec, lossPercent, burstR) + advantage;
}

function conversationalR({ rttMs = 0 }: EModelInputs, rLq: number): number {
  return rLq - (TALKER_ECHO_IMPAIRMENT + LISTENER_ECHO_IMPAIRMENT + delayImpairment(rttMs / 2));
}

/** Ie,eff (G.107 §7.5): `ie` without loss, at most 95. */
export function effectiveImpairment({ ie, bpl }: CodecImpairment, lossPercent: number, burstR = MIN_BURST_R): number {
  const burstRatio = Math.min(MAX_BURST_R, Math.max(MIN_BURST_R, burstR));
  const impairment = ie + ((MAX_IMPAIRMENT - ie) * lossPercent) / (lossPercent / burstRatio + bpl);
  return Math.min(MAX_IMPAIRMENT, impairment);
}

/** Idd (G.107 §7.4) of a one-way delay. */
function delayImpairment(delayMs: number): number {
  if (delayMs <= UNNOTICED_DELAY_MS) return 0;
  const x = Math.log2(delayMs / UNNOTICED_DELAY_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

function mosOf(r: number, codec: CodecImpairment): number {
  const scaled = codec.isWidebandScale ? r / WIDEBAND_SCALE : r;
  return scaled >= 100 ? MAX_OPINION : opinionFromR(scaled);
}
