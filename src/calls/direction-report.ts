import type { IntervalRecord } from '../model/record.ts';
import type { ReportBlock, Reporter, SenderInfo } from '../model/report.ts';
import { type IntervalMeasure, measureInterval, nextMark } from '../stats/interval.ts';
import { CUMULATIVE_LOST_MODULUS, ticksToMs } from '../units/rtp.ts';
import { directionRules } from './direction-score.ts';
import {
  beginSegment,
  type DirectionState,
  knownCodec,
  noteRoundTrip,
  openSegment,
  useCodec,
} from './direction-state.ts';
import { addToSums } from './report-sums.ts';
import type { ScoringRules } from './scoring-rules.ts';
import type { ReportSample } from './tally.ts';

/** Report intervals without a packet after which a direction whose sender says nothing is dead. */
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
  /** Among the reports of both directions. */
  readonly channelReportNumber: number;
  readonly rules: ScoringRules;
  readonly atMs: number;
  readonly rttSampleMs: number | null;
  readonly nativeMes100: number | null;
  /** What the report says of the other direction. */
  readonly sender: SenderInfo | null;
  /** On hold, or not up: standing still is no fault. */
  readonly mayBeSilent: boolean;
  /** Since when the channel has been up; null before. */
  readonly upSinceMs: number | null;
  /** The channel was there before we were: its first report is a baseline only. */
  readonly joinedLate: boolean;
  /** Called before the sums of a segment that is over give way to the next one's. */
  readonly onSegmentEnd: (state: DirectionState) => void;
}

/** Takes one report about a direction into its state and says what it amounted to. `block` null: nothing was received. */
export function takeReport(
  state: DirectionState,
  reporter: Reporter,
  block: ReportBlock | null,
  context: ReportContext,
): IntervalRecord {
  if (block !== null && state.ssrc !== null && state.ssrc !== block.sourceSsrc)
    openSegment(state, 'ssrc', context.atMs);
  if (state.nextSegment !== null) {
    context.onSegmentEnd(state);
    beginSegment(state, state.nextSegment);
  }
  if (state.nextCodec !== null) useCodec(state, state.nextCodec);
  // It belongs to the session that it was measured in, which may begin with this very report.
  if (context.rttSampleMs !== null) noteRoundTrip(state, context.rttSampleMs);
  const measure = judge(state, block, context);
  const sample = sampleOf(state, measure, block, context.atMs);
  const beganAtMs = state.markAtMs;
  noteGap(state, context.atMs);

  state.reportsMissed = false;
  state.mark = nextMark(measure, { previous: state.mark, block, sender: state.sender, atMs: context.atMs });

  const facts = {
    beganAtMs,
    atMs: context.atMs,
    sourceSsrc: block?.sourceSsrc ?? null,
    fractionLostQ8: block?.fractionLostQ8 ?? null,
    jitterTicks: block?.jitterTicks ?? null,
    nativeMes100: context.nativeMes100,
  };
  const { score, mes, mesRunning, lossPercent } = addToSums(state, sample, facts, directionRules(state, context.rules));

  return {
    uniqueid: context.uniqueid,
    direction: state.direction,
    reporter,
    reportNumber: state.total.reports,
    channelReportNumber: context.channelReportNumber,
    beganAtMs,
    atMs: context.atMs,
    kind: measure.kind,
    ssrc: facts.sourceSsrc,
    fractionLostQ8: facts.fractionLostQ8,
    cumulativeLostPackets: block?.cumulativeLostPackets ?? null,
    extendedHighestSequence: block?.extendedHighestSequence ?? null,
    jitterTicks: facts.jitterTicks,
    codec: knownCodec(state),
    clockRateHz: state.clockRateHz,
    clockRateSource: state.clockRateSource,
    lsrNtp32: block?.lsrNtp32 ?? null,
    dlsrS: block?.dlsrS ?? null,
    senderPackets: state.senderPackets,
    rttMs: context.rttSampleMs,
    jitterMs: sample.jitterTicks === null ? null : ticksToMs(sample.jitterTicks, state.clockRateHz),
    packetsExpected: sample.packetsExpected,
    packetsLost: sample.packetsLost,
    duplicates: sample.duplicates,
    lossPercent,
    coversReports: sample.coversReports,
    effectiveLatencyMs: score?.effectiveLatencyMs ?? null,
    rValue: score?.rValue ?? null,
    mes,
    mesRunning,
    nativeMes100: context.nativeMes100,
    sentNtpS: context.sender?.ntpS ?? null,
    sentRtpTicks: context.sender?.rtpTicks ?? null,
    sentPackets: context.sender?.sentPackets ?? null,
    sentOctets: context.sender?.sentOctets ?? null,
    profile: context.rules.profile.name,
  };
}

function judge(state: DirectionState, block: ReportBlock | null, context: ReportContext): IntervalMeasure {
  const measure = measureInterval({
    previous: state.mark,
    block,
    sender: state.sender,
    atMs: context.atMs,
    packetRateHz: state.packetRateHz,
    mayBeSilent: context.mayBeSilent,
    joinedLate: context.joinedLate && state.markAtMs === null,
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
  if (state.direction === 'rx' || state.disturbedAtMs === null || state.markAtMs === null) return false;
  return state.markAtMs < state.disturbedAtMs + DISTURBED_LOSS_MS;
}

function isJitterDisturbed(state: DirectionState, atMs: number): boolean {
  return state.disturbedAtMs !== null && atMs < state.disturbedAtMs + DISTURBED_JITTER_MS;
}

/** Their sender says nothing, the channel is up, and nothing came in over two whole intervals. Of our own sending we know. */
function neverAnythingArrived(state: DirectionState, context: ReportContext): boolean {
  if (state.direction !== 'rx' || state.senderPackets !== null || state.total.mediaReports > 0) return false;
  if (context.mayBeSilent || context.upSinceMs === null || context.joinedLate) return false;
  state.emptyReports++;
  const intervalMs = context.atMs - (state.markAtMs ?? context.atMs);
  const upMs = context.atMs - context.upSinceMs;
  return (
    state.emptyReports >= EMPTY_REPORTS_UNTIL_DEAD &&
    upMs >= EMPTY_REPORTS_UNTIL_DEAD * intervalMs * INTERVAL_SLACK_RATIO
  );
}

/** How many report intervals the report stands for: more than one only after reports were missed. */
function countCoveredReports(state: DirectionState, measure: IntervalMeasure, atMs: number): number {
  if (!state.reportsMissed || state.markAtMs === null || state.gapCount === 0 || measure.kind === 'idle') return 1;
  const usualGapMs = state.gapMsSum / state.gapCount;
  return Math.max(1, Math.round((atMs - state.markAtMs) / Math.max(1, usualGapMs)));
}

function noteGap(state: DirectionState, atMs: number): void {
  if (state.markAtMs === null || state.reportsMissed || atMs <= state.markAtMs) return;
  state.gapMsSum += atMs - state.markAtMs;
  state.gapCount++;
}

function sampleOf(
  state: DirectionState,
  measure: IntervalMeasure,
  block: ReportBlock | null,
  atMs: number,
): ReportSample {
  const isMedia = measure.kind === 'media';
  const packetsLost = measure.kind === 'idle' ? null : measure.packetsLost;
  return {
    kind: measure.kind,
    packetsExpected: isMedia ? measure.packetsExpected : packetsLost,
    packetsLost,
    duplicates: isMedia ? measure.duplicates : 0,
    jitterTicks: isMedia && block !== null && !isJitterDisturbed(state, atMs) ? block.jitterTicks : null,
    cumulativeLost:
      block === null ? null : (block.cumulativeLostPackets + CUMULATIVE_LOST_MODULUS) % CUMULATIVE_LOST_MODULUS,
    coversReports: countCoveredReports(state, measure, atMs),
  };
}
