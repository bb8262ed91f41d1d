import { type CodecImpairment, codecImpairment } from './codec-impairment.ts';
import { MAX_OPINION, opinionFromR } from './opinion.ts';

export interface EModelInputs {
  /** By its name in Asterisk or SDP. */
  readonly codec: string;
  /** Packets that were lost, or came too late to be played, of those expected, 0-100. */
  readonly lossPercent: number;
  /** Mean length of loss runs over the one under random loss; 1 (random) when not known. */
  readonly burstR?: number | undefined;
  /** Mean round trip; unknown adds no delay impairment. */
  readonly rttMs?: number | undefined;
  /** What users forgive for the sake of mobility (G.113 Appendix II); 0 when not set. */
  readonly advantage?: number | undefined;
}

/** Listening (LQ) and conversational (CQ) quality: rating R, and opinion 1-4.5. */
export interface EModelScore {
  readonly rLq: number;
  readonly rCq: number;
  readonly mosLq: number;
  readonly mosCq: number;
}

/** Talker echo: none, as phones cancel it. Listener echo: the constant that softphone SDKs take. */
const TALKER_ECHO_IMPAIRMENT = 0;
const LISTENER_ECHO_IMPAIRMENT = 0.15;
/** One-way delay up to which nobody notices (G.107 §7.4). */
const UNNOTICED_DELAY_MS = 100;
/** From G.107's wideband scale, whose best is 129, to that of the opinion formula (G.107.1). */
const WIDEBAND_SCALE = 1.29;

/**
 * The E-model (ITU-T G.107, simplified as in softphone SDKs; README, The score): quality of listening from codec and loss,
 * quality of conversation from that and the delay. Undefined for a codec without impairment factors.
 */
export function computeEModel(inputs: EModelInputs): EModelScore | undefined {
  const codec = codecImpairment(inputs.codec);
  if (codec === undefined) return undefined;
  const rLq = codec.r0Is - effectiveImpairment(codec, inputs) + (inputs.advantage ?? 0);
  const rCq = rLq - (TALKER_ECHO_IMPAIRMENT + LISTENER_ECHO_IMPAIRMENT + delayImpairment((inputs.rttMs ?? 0) / 2));
  return { rLq, rCq, mosLq: mosOf(rLq, codec), mosCq: mosOf(rCq, codec) };
}

/** Ie,eff (G.107 §7.5). */
function effectiveImpairment({ ie, bpl }: CodecImpairment, { lossPercent, burstR = 1 }: EModelInputs): number {
  return ie + ((95 - ie) * lossPercent) / (lossPercent / burstR + bpl);
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
