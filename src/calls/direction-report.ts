import type { IntervalRecord } from '../model/record.ts';
import type { ReportBlock, Reporter } from '../model/report.ts';
import type { MesProfile, MesScore, ScoreInputs } from '../model/score.ts';
import { computeMes, DEAD_OPINION } from '../score/mes.ts';
import { type IntervalMeasure, measureInterval } from '../stats/interval.ts';
import { addSample, type Moments, standardDeviation } from '../stats/moments.ts';
import { CUMULATIVE_LOST_MODULUS, ticksToMs } from '../units/rtp.ts';
import { type DirectionState, isDead, jitterMs, lossPercent } from './direction-state.ts';

/** Report intervals without a packet after which a direction whose sender says nothing is dead (formulas.md §1). */
const EMPTY_REPORTS_UNTIL_DEAD = 2;
/** A report may still have been on its way when another source was put on the stream. */
const DISTURBED_LOSS_MS = 500;
/** Interarrival jitter forgets a jump of the timestamps by 1/16 a packet (RFC 3550 §6.4.1): after 100 packets 0.2 % are left. */
const DISTURBED_JITTER_MS = 2000;
/** Reports are not sent to the millisecond. */
const INTERVAL_SLACK_RATIO = 0.9;

/** What of the channel a report is judged by. */
export interface ReportContext {
  readonly uniqueid: string;
  readonly atMs: number;
  readonly profile: MesProfile;
  /** Of the direction's codec, when it has its own. */
  readonly codecDelayMs: number | undefined;
  /** The channel's round trips, this report's included. */
  readonly rttMs: Moments;
  readonly rttSampleMs: number | null;
  readonly nativeMes100: number | null;
  /** On hold, or not up: standing still is no fault. */
  readonly mayBeSilent: boolean;
  /** Since when the channel has been up; null before. */
  readonly upSinceMs: number | null;
  /** The channel was there before we were: its first report is a baseline only. */
  readonly joinedLate: boolean;
}

/** Takes one report about a direction into its state and says what it amounted to. `block` null: nothing was received. */
export function takeReport(
  state: DirectionState,
  reporter: Reporter,
  block: ReportBlock | null,
  context: ReportContext,
): IntervalRecord {
  const measure = judge(state, block, context);
  const coversReports = countCoveredReports(state, measure, context.atMs);
  noteGap(state, context.atMs);

  state.reports++;
  state.reportsMissed = false;
  state.nativeMes100 = context.nativeMes100 ?? state.nativeMes100;
  if (block !== null) state.ssrc = block.sourceSsrc;
  const jitterTicks =
    measure.kind === 'media' && !isJitterDisturbed(state, context.atMs) ? (block?.jitterTicks ?? null) : null;
  addSamples(state, measure, block, jitterTicks, coversReports);
  if (!(measure.kind === 'idle' && measure.undecided)) {
    state.mark = { block: block ?? state.mark?.block ?? null, sender: state.sender, atMs: context.atMs };
  }

  const score = scoreInterval(state, measure, jitterTicks, coversReports, context);
  const mes = measure.kind === 'dead' ? DEAD_OPINION : (score?.mes ?? null);
  if (mes !== null && (state.mesMin === null || mes < state.mesMin)) state.mesMin = mes;

  const packetsExpected = measure.kind === 'media' ? measure.packetsExpected : lostOf(measure);
  const packetsLost = lostOf(measure);
  return {
    uniqueid: context.uniqueid,
    direction: state.direction,
    reporter,
    reportNumber: state.reports,
    atMs: context.atMs,
    kind: measure.kind,
    ssrc: block?.sourceSsrc ?? null,
    fractionLostQ8: block?.fractionLostQ8 ?? null,
    cumulativeLostPackets: block?.cumulativeLostPackets ?? null,
    extendedHighestSequence: block?.extendedHighestSequence ?? null,
    jitterTicks: block?.jitterTicks ?? null,
    clockRateHz: state.clockRateHz,
    lsrNtp32: block?.lsrNtp32 ?? null,
    dlsrS: block?.dlsrS ?? null,
    senderPackets: state.sender?.sentPackets ?? null,
    rttMs: context.rttSampleMs,
    jitterMs: jitterTicks === null ? null : ticksToMs(jitterTicks, state.clockRateHz),
    packetsExpected,
    packetsLost,
    duplicates: measure.kind === 'media' ? measure.duplicates : 0,
    lossPercent: percentOf(packetsLost, packetsExpected),
    coversReports,
    effectiveLatencyMs: score?.effectiveLatencyMs ?? null,
    rValue: score?.rValue ?? null,
    mes,
    mesRunning: scoreDirection(state, context)?.mes ?? null,
    nativeMes100: context.nativeMes100,
    profile: context.profile.name,
  };
}

/** A direction's score so far: `score` is absent for a dead one, whose opinion is 1 whatever the formula says. */
export interface DirectionScore {
  readonly mes: number;
  readonly score: MesScore | null;
}

/** Null while there is no interval to judge by: an unknown direction has no score. */
export function scoreDirection(
  state: DirectionState,
  context: Pick<ReportContext, 'profile' | 'codecDelayMs' | 'rttMs'>,
): DirectionScore | null {
  if (isDead(state)) return { mes: DEAD_OPINION, score: null };
  if (state.lostPackets.count === 0) return null;
  const jitter = jitterMs(state);
  const score = computeMes(context.profile, {
    direction: state.direction,
    rttMeanMs: context.rttMs.count === 0 ? undefined : context.rttMs.mean,
    jitterMeanMs: jitter.mean,
    jitterLastMs: jitter.last,
    jitterStdevMs: standardDeviation(jitter),
    lostPacketsMean: state.lostPackets.mean,
    cumulativeLostMean: state.cumulativeLost.mean,
    lossPercent: lossPercent(state) ?? 0,
    codecDelayMs: context.codecDelayMs,
  });
  return { mes: score.mes, score };
}

function judge(state: DirectionState, block: ReportBlock | null, context: ReportContext): IntervalMeasure {
  const measure = measureInterval({
    previous: state.mark,
    block,
    sender: state.sender,
    atMs: context.atMs,
    packetRateHz: state.packetRateHz,
    mayBeSilent: context.mayBeSilent,
    joinedLate: context.joinedLate && state.mark === null,
  });
  if (measure.kind === 'media') {
    state.emptyReports = 0;
    return isLossDisturbed(state) ? { ...measure, packetsExpected: null, packetsLost: null } : measure;
  }
  if (measure.kind === 'dead') return measure;
  return neverAnythingArrived(state, context) ? { kind: 'dead', packetsLost: null } : measure;
}

/**
 * In a native bridge packets pass with their sequence numbers: after hold or a transfer the far end takes what was never
 * sent to it for lost. What we receive ourselves is not touched by that.
 */
function isLossDisturbed(state: DirectionState): boolean {
  if (state.direction === 'rx' || state.disturbedAtMs === null || state.mark === null) return false;
  return state.mark.atMs < state.disturbedAtMs + DISTURBED_LOSS_MS;
}

function isJitterDisturbed(state: DirectionState, atMs: number): boolean {
  return state.disturbedAtMs !== null && atMs < state.disturbedAtMs + DISTURBED_JITTER_MS;
}

/** Their sender says nothing, the channel is up, and nothing came in over two whole intervals. Of our own sending we know. */
function neverAnythingArrived(state: DirectionState, context: ReportContext): boolean {
  if (state.direction !== 'rx' || state.sender !== null || state.mediaReports > 0) return false;
  if (context.mayBeSilent || context.upSinceMs === null || context.joinedLate) return false;
  state.emptyReports++;
  const intervalMs = state.mark === null ? 0 : context.atMs - state.mark.atMs;
  const upMs = context.atMs - context.upSinceMs;
  return (
    state.emptyReports >= EMPTY_REPORTS_UNTIL_DEAD &&
    upMs >= EMPTY_REPORTS_UNTIL_DEAD * intervalMs * INTERVAL_SLACK_RATIO
  );
}

/** How many report intervals the report stands for: more than one only after reports were missed. */
function countCoveredReports(state: DirectionState, measure: IntervalMeasure, atMs: number): number {
  if (!state.reportsMissed || state.mark === null || state.gapCount === 0 || measure.kind === 'idle') return 1;
  const usualGapMs = state.gapMsSum / state.gapCount;
  return Math.max(1, Math.round((atMs - state.mark.atMs) / Math.max(1, usualGapMs)));
}

function noteGap(state: DirectionState, atMs: number): void {
  if (state.mark === null || state.reportsMissed || atMs <= state.mark.atMs) return;
  state.gapMsSum += atMs - state.mark.atMs;
  state.gapCount++;
}

function addSamples(
  state: DirectionState,
  measure: IntervalMeasure,
  block: ReportBlock | null,
  jitterTicks: number | null,
  coversReports: number,
): void {
  const packetsLost = lostOf(measure);
  if (packetsLost !== null) {
    state.lostPackets = addSample(state.lostPackets, packetsLost / coversReports, coversReports);
    state.packetsLost += packetsLost;
  }
  if (block !== null) {
    const unsigned = (block.cumulativeLostPackets + CUMULATIVE_LOST_MODULUS) % CUMULATIVE_LOST_MODULUS;
    state.cumulativeLost = addSample(state.cumulativeLost, unsigned);
  }
  switch (measure.kind) {
    case 'idle':
      state.idleReports++;
      return;
    case 'dead':
      state.deadReports++;
      state.packetsExpected += packetsLost ?? 0;
      state.packetsLostOfExpected += packetsLost ?? 0;
      return;
    case 'media':
      state.mediaReports++;
      state.duplicates += measure.duplicates;
      if (jitterTicks !== null) state.jitterTicks = addSample(state.jitterTicks, jitterTicks);
      if (measure.packetsExpected === null) return;
      state.packetsExpected += measure.packetsExpected;
      state.packetsLostOfExpected += packetsLost ?? 0;
  }
}

/** The interval by itself: its own loss and jitter (the mean when it brought none), the latest round trip, the deviation so far. */
function scoreInterval(
  state: DirectionState,
  measure: IntervalMeasure,
  jitterTicks: number | null,
  coversReports: number,
  context: ReportContext,
): MesScore | null {
  if (measure.kind !== 'media' || measure.packetsLost === null) return null;
  const intervalJitterMs = jitterTicks === null ? jitterMs(state).mean : ticksToMs(jitterTicks, state.clockRateHz);
  const inputs: ScoreInputs = {
    direction: state.direction,
    rttMeanMs: context.rttMs.count === 0 ? undefined : context.rttMs.last,
    jitterMeanMs: intervalJitterMs,
    jitterLastMs: intervalJitterMs,
    jitterStdevMs: standardDeviation(jitterMs(state)),
    lostPacketsMean: measure.packetsLost / coversReports,
    cumulativeLostMean: state.cumulativeLost.last,
    lossPercent: percentOf(measure.packetsLost, measure.packetsExpected) ?? 0,
    codecDelayMs: context.codecDelayMs,
  };
  return computeMes(context.profile, inputs);
}

function lostOf(measure: IntervalMeasure): number | null {
  return measure.kind === 'idle' ? null : measure.packetsLost;
}

function percentOf(packetsLost: number | null, packetsExpected: number | null): number | null {
  if (packetsLost === null || packetsExpected === null || packetsExpected === 0) return null;
  return (100 * packetsLost) / packetsExpected;
}
