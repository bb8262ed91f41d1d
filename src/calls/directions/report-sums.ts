import type { MesScore } from '../../model/score.ts';
import { computeMes, DEAD_OPINION, percentIn5S } from '../../score/mes.ts';
import { ticksToMs } from '../../units/rtp.ts';
import { followFirstEstimate } from './first-estimate.ts';
import { burstRatioOf, type DirectionRules, tallyMes } from './direction-score.ts';
import type { DirectionState } from './direction-state.ts';
import { noteReceiverFlow } from '../why/flow.ts';
import { digitDoubt, doubtJitter } from './told-digits.ts';
import {
  addReport,
  type JitterFigures,
  jitterFigures,
  jitterFiguresWith,
  lastCumulativeLost,
  lastRoundTripMs,
  noteIntervalMes,
  type ReportSample,
} from './tally.ts';

/** From this loss on, percent, an interval lost more than a trace. */
const LOSSY_PERCENT = 1;

/** What a report tells beside its sample. */
export interface ReportFacts {
  /** When its interval began: at the report before; null: it is the first. */
  readonly beganAtMs: number | null;
  readonly atMs: number;
  /** Both null: the report had no block. */
  readonly sourceSsrc: number | null;
  readonly extendedHighestSequence: number | null;
  readonly fractionLostQ8: number | null;
  readonly jitterTicks: number | null;
  readonly nativeMes100: number | null;
}

/** What follows from a report. */
export interface ScoredReport {
  /** The interval's own score; null: the report does not tell how much was lost. */
  readonly score: MesScore | null;
  /** The interval's opinion, 1 for a dead one. */
  readonly mes: number | null;
  /** The direction's opinion up to and including this report. */
  readonly mesRunning: number | null;
  readonly lossPercent: number | null;
}

/**
 * Adds a report to its direction's sums and scores it. New reports and stored ones that are scored again both come here, so that
 * the same reports always give the same scores.
 */
export function addToSums(
  state: DirectionState,
  told: ReportSample,
  facts: ReportFacts,
  rules: DirectionRules,
): ScoredReport {
  followFirstEstimate(state, told, facts);
  const doubt = digitDoubt(state, told.jitterTicks, facts.atMs);
  const sample =
    doubt === 'no' ? told : { ...told, jitterTicks: null, isJitterReset: told.isJitterReset || doubt === 'yes' };
  state.nativeMes100 = facts.nativeMes100 ?? state.nativeMes100;
  state.ssrc = facts.sourceSsrc ?? state.ssrc;
  const { total } = state;
  const ofSegment = state.segment.tally;
  addReport(total, sample);
  if (ofSegment !== null) addReport(ofSegment, sample);

  const jitter = jitterFigures(total, state.clockRateHz);
  const lossPercent = percentOf(sample.packetsLost, sample.packetsExpected);
  const score = scoreInterval(state, sample, jitter, lossPercent, rules);
  const mes = sample.kind === 'dead' ? DEAD_OPINION : (score?.mes ?? null);
  if (doubt === 'perhaps' && told.jitterTicks !== null) {
    const doubted = jitterFiguresWith(total, told.jitterTicks, state.clockRateHz);
    const worse = scoreInterval(state, told, doubted, lossPercent, rules);
    doubtJitter(state, told.jitterTicks, worse?.mes ?? null);
  }
  noteIntervalMes(total, mes);
  if (ofSegment !== null) noteIntervalMes(ofSegment, mes);
  noteLoss(state, sample, lossPercent, facts);
  noteReceiverFlow(state, sample, facts.atMs);
  state.lastLossPercent = lossPercent;
  state.lastPacketsReceived = receivedOf(sample);
  state.lastFractionLostQ8 = facts.fractionLostQ8;
  state.lastJitterTicks = facts.jitterTicks;
  return { score, mes, mesRunning: tallyMes(state, total, rules, jitter), lossPercent };
}

/**
 * The score of the interval by itself: its own loss and jitter (or the mean jitter so far), the latest round trip, and deviation
 * and burstiness so far.
 */
function scoreInterval(
  state: DirectionState,
  sample: ReportSample,
  jitter: JitterFigures,
  lossPercent: number | null,
  rules: DirectionRules,
): MesScore | null {
  if (sample.kind !== 'media' || sample.packetsLost === null) return null;
  const { direction, total, clockRateHz } = state;
  const ownJitterMs = sample.jitterTicks === null ? jitter.meanMs : ticksToMs(sample.jitterTicks, clockRateHz);
  return computeMes(rules.profile, {
    direction,
    rttMeanMs: lastRoundTripMs(total),
    jitterMeanMs: ownJitterMs,
    jitterLastMs: ownJitterMs,
    jitterStdevMs: jitter.stdevMs,
    lostPacketsMean: sample.packetsLost / sample.coversReports,
    cumulativeLostMean: lastCumulativeLost(total),
    lossPercent: lossPercent ?? Math.min(100, percentIn5S(sample.packetsLost / sample.coversReports)),
    codecDelayMs: rules.codecDelayMs,
    codec: rules.codec,
    burstR: burstRatioOf(state, total, rules.profile),
    advantage: rules.advantage,
  });
}

function noteLoss(
  state: DirectionState,
  sample: ReportSample,
  lossPercent: number | null,
  { beganAtMs, atMs }: ReportFacts,
): void {
  if (sample.kind === 'idle' || sample.kind === 'unused') return;
  state.firstMediaAtMs ??= beganAtMs ?? atMs;
  state.deadSinceMs = sample.kind === 'dead' ? (state.deadSinceMs ?? beganAtMs ?? atMs) : null;
  if (lossPercent === null || lossPercent < LOSSY_PERCENT) return;
  state.lossyReports++;
  state.firstLossyAtMs ??= beganAtMs ?? atMs;
  state.lastLossyAtMs = atMs;
}

function receivedOf({ packetsExpected, packetsLost }: ReportSample): number | null {
  return packetsExpected === null || packetsLost === null ? null : packetsExpected - packetsLost;
}

function percentOf(packetsLost: number | null, packetsExpected: number | null): number | null {
  if (packetsLost === null || packetsExpected === null || packetsExpected === 0) return null;
  return (100 * packetsLost) / packetsExpected;
}
