import type { IntervalRecord, SegmentRecord } from '../model/record.ts';
import type { ReportBlock, Reporter, SenderInfo } from '../model/report.ts';
import { type IntervalMeasure, measureInterval, moveMarks } from '../stats/interval.ts';
import { CUMULATIVE_LOST_MODULUS, ticksToMs } from '../units/rtp.ts';
import { segmentRecord } from './channel-record.ts';
import type { ChannelState } from './channel-state.ts';
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

/** What is taken of a report, all of which its interval tells again. */
export interface ReportInputs {
  readonly reporter: Reporter;
  /** What it says of the other direction. */
  readonly sender: SenderInfo | null;
  /** The reporter's own SSRC; null unless it is ours. */
  readonly senderSsrc: number | null;
  /** Null: nothing was received. */
  readonly block: ReportBlock | null;
  readonly rttSampleMs: number | null;
  readonly nativeMes100: number | null;
  readonly atMs: number;
}

/**
 * Takes one report about a direction of a channel into its state and says what it amounted to. To `closed` it adds the
 * segment that the report shows to be over.
 */
export function takeReport(
  channel: ChannelState,
  state: DirectionState,
  inputs: ReportInputs,
  rules: ScoringRules,
  closed: SegmentRecord[],
): IntervalRecord {
  const { sender, senderSsrc, block, rttSampleMs, nativeMes100, atMs } = inputs;
  if (block !== null && state.ssrc !== null && state.ssrc !== block.sourceSsrc) openSegment(state, 'ssrc', atMs);
  if (state.nextSegment !== null) {
    closed.push(segmentRecord(channel, state, rules));
    beginSegment(state, state.nextSegment);
  }
  if (state.nextCodec !== null) useCodec(state, state.nextCodec);
  // It belongs to the session that it was measured in, which may begin with this very report.
  if (rttSampleMs !== null) noteRoundTrip(state, rttSampleMs);
  const channelReportNumber = channel.rx.total.reports + channel.tx.total.reports + 1;
  const measure = judge(channel, state, block, atMs);
  const sample = sampleOf(state, measure, block, atMs);
  const beganAtMs = state.markAtMs;
  noteGap(state, atMs);

  state.reportsMissed = false;
  moveMarks(state, measure, block, atMs);

  const facts = {
    beganAtMs,
    atMs,
    sourceSsrc: block?.sourceSsrc ?? null,
    fractionLostQ8: block?.fractionLostQ8 ?? null,
    jitterTicks: block?.jitterTicks ?? null,
    nativeMes100,
  };
  const { score, mes, mesRunning, lossPercent } = addToSums(
    state,
    sample,
    facts,
    directionRules(channel, state, rules),
  );

  return {
    uniqueid: channel.uniqueid,
    direction: state.direction,
    reporter: inputs.reporter,
    reportNumber: state.total.reports,
    channelReportNumber,
    beganAtMs,
    atMs,
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
    rttMs: rttSampleMs,
    jitterMs: sample.jitterTicks === null ? null : ticksToMs(sample.jitterTicks, state.clockRateHz),
    packetsExpected: sample.packetsExpected,
    packetsLost: sample.packetsLost,
    duplicates: sample.duplicates,
    latePackets: 0,
    lossPercent,
    coversReports: sample.coversReports,
    effectiveLatencyMs: score?.effectiveLatencyMs ?? null,
    rValue: score?.rValue ?? null,
    mes,
    mesRunning,
    nativeMes100,
    sentNtpS: sender?.ntpS ?? null,
    sentRtpTicks: sender?.rtpTicks ?? null,
    sentPackets: sender?.sentPackets ?? null,
    sentOctets: sender?.sentOctets ?? null,
    sentSsrc: senderSsrc,
    profile: rules.profile.name,
  };
}

function judge(channel: ChannelState, state: DirectionState, block: ReportBlock | null, atMs: number): IntervalMeasure {
  const { joinedLate } = channel;
  const measure = measureInterval(state, block, { atMs, mayBeSilent: mayBeSilent(channel), joinedLate });
  if (measure.kind === 'media') {
    state.emptyReports = 0;
    return isLossDisturbed(state) ? { ...measure, packetsExpected: null, packetsLost: null } : measure;
  }
  if (measure.kind === 'dead') return measure;
  return neverAnythingArrived(channel, state, atMs) ? { kind: 'dead', packetsLost: null } : measure;
}

/** On hold, or not up: standing still is no fault. */
function mayBeSilent({ onHold, answeredAtMs }: ChannelState): boolean {
  return onHold || answeredAtMs === null;
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
function neverAnythingArrived(channel: ChannelState, state: DirectionState, atMs: number): boolean {
  if (state.direction !== 'rx' || state.senderPackets !== null || state.total.mediaReports > 0) return false;
  if (mayBeSilent(channel) || channel.answeredAtMs === null || channel.joinedLate) return false;
  state.emptyReports++;
  const intervalMs = atMs - (state.markAtMs ?? atMs);
  const upMs = atMs - channel.answeredAtMs;
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
