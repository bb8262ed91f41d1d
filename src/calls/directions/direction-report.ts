import type { IntervalRecord, SegmentRecord } from '../../model/record.ts';
import type { ReportBlock, Reporter, SenderInfo } from '../../model/report.ts';
import { directionMeasuredBy } from '../../model/report.ts';
import { type IntervalMeasure, type MediaMeasure, measureInterval, moveMarks } from '../../stats/interval.ts';
import { nextReportPace } from '../../stats/report-pace.ts';
import { CUMULATIVE_LOST_MODULUS, ticksToMs } from '../../units/rtp.ts';
import { segmentRecord } from '../channels/channel-record.ts';
import type { ChannelState } from '../channels/channel-state.ts';
import { directionRules } from './direction-score.ts';
import {
  beginSegment,
  type DirectionState,
  knownCodec,
  noteRoundTrip,
  openSegment,
  useCodec,
} from './direction-state.ts';
import { hasDigit, jitterSample } from './jitter-sample.ts';
import {
  isOfNothing,
  mayGoOnFromBeforeHold,
  noteAnother,
  noteOurs,
  noteUnsure,
  type ReportSubject,
} from './report-subject.ts';
import { addToSums } from './report-sums.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import type { ReportSample } from './tally.ts';

/** After so many intervals without a packet, a direction whose sender reports nothing is dead. */
const EMPTY_REPORTS_UNTIL_DEAD = 2;
/** A report may still have been on its way when the stream got another source. */
const DISTURBED_LOSS_MS = 500;
/** An interval may be shorter than the pace, down to this part of it, and count as whole. */
const INTERVAL_SLACK_RATIO = 0.9;

/** A report that is not about our stream. */
const UNUSED = { kind: 'unused' } as const;

/** Everything in a report that changes the state. Its stored interval contains all of it. */
export interface ReportInputs {
  readonly reporter: Reporter;
  /** What it says of the other direction; null: nothing. */
  readonly sender: SenderInfo | null;
  /** The reporter's own SSRC; null: the reporter is not this server. */
  readonly senderSsrc: number | null;
  /** Null: nothing was received. */
  readonly block: ReportBlock | null;
  /** The report has further blocks, which AMI does not show. */
  readonly hasMoreBlocks: boolean;
  readonly rttSampleMs: number | null;
  readonly nativeMes100: number | null;
  readonly atMs: number;
}

/**
 * Takes one report about a direction of a channel into its state, and returns the interval. Adds to `closed` the segment that the
 * report shows to be over.
 */
export function takeReport(
  channel: ChannelState,
  state: DirectionState,
  subject: ReportSubject,
  inputs: ReportInputs,
  rules: ScoringRules,
  closed: SegmentRecord[],
): IntervalRecord {
  const { sender, senderSsrc, block, rttSampleMs, nativeMes100, atMs } = inputs;
  const isUnused = subject !== 'ours';
  // What the receiver has of our stream; null: nothing.
  const heard = block !== null && isOfNothing(state, block) ? null : block;
  const isLostSight = noteSubject(channel, state, subject, block, atMs);
  if (state.nextSegment !== null) {
    closed.push(segmentRecord(channel, state, rules));
    beginSegment(state, state.nextSegment);
  }
  // Not earlier: the segment that is over keeps its score.
  if (isLostSight) state.unknownSinceMs = state.anotherSinceMs;
  if (state.nextCodec !== null) useCodec(state, state.nextCodec);
  // The round trip belongs to the session in which it was measured, which may begin with this report.
  if (rttSampleMs !== null) noteRoundTrip(state, rttSampleMs);
  const channelReportNumber = channel.rx.total.reports + channel.tx.total.reports + 1;
  const isReturning = heard !== null && hasReturned(state, heard);
  const measure = isUnused ? UNUSED : judge(channel, state, heard, isReturning, atMs);
  const sample = sampleOf(state, measure, heard, atMs);
  const beganAtMs = state.markAtMs;
  if (state.direction === directionMeasuredBy(inputs.reporter)) notePace(state, atMs);

  state.reportsMissed = false;
  if (measure.kind === 'media' && measure.isFresh) state.estimatedPackets += measure.packetsExpected ?? 0;
  if (measure.kind !== 'unused') {
    if (heard !== null && heard.sourceSsrc !== state.markSsrc) state.formerSsrc = state.markSsrc;
    moveMarks(state, measure, heard, atMs);
  }

  const usedBlock = isUnused ? null : heard;
  const facts = {
    beganAtMs,
    atMs,
    sourceSsrc: usedBlock?.sourceSsrc ?? null,
    extendedHighestSequence: usedBlock?.extendedHighestSequence ?? null,
    fractionLostQ8: usedBlock?.fractionLostQ8 ?? null,
    jitterTicks: usedBlock?.jitterTicks ?? null,
    nativeMes100: isUnused ? null : nativeMes100,
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
    ssrc: block?.sourceSsrc ?? null,
    fractionLostQ8: block?.fractionLostQ8 ?? null,
    cumulativeLostPackets: block?.cumulativeLostPackets ?? null,
    extendedHighestSequence: block?.extendedHighestSequence ?? null,
    jitterTicks: block?.jitterTicks ?? null,
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
    latePackets: sample.latePackets,
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

/** Returns whether the far end's reports have just turned out to be about another stream. */
function noteSubject(
  channel: ChannelState,
  state: DirectionState,
  subject: ReportSubject,
  block: ReportBlock | null,
  atMs: number,
): boolean {
  if (subject === 'another' && block !== null) return noteAnother(state, block, mayBeSilent(channel), atMs);
  if (subject === 'unsure' && block !== null) noteUnsure(state, block, atMs);
  if (subject === 'nobody' || subject === 'unsure') return false;
  noteOurs(state, block);
  if (block !== null && state.ssrc !== null && state.ssrc !== block.sourceSsrc) openSegment(state, 'ssrc', atMs);
  return false;
}

/**
 * Whether we send again with an SSRC that the far end has reported on before, as after music on hold. The far end then counts as
 * lost what was not sent to it meanwhile.
 */
function hasReturned({ direction, markSsrc, formerSsrc }: DirectionState, { sourceSsrc }: ReportBlock): boolean {
  return direction === 'tx' && sourceSsrc !== markSsrc && sourceSsrc === formerSsrc;
}

function judge(
  channel: ChannelState,
  state: DirectionState,
  block: ReportBlock | null,
  isReturning: boolean,
  atMs: number,
): IntervalMeasure {
  const { joinedLate, startedAtMs, answeredAtMs } = channel;
  const moment = {
    atMs,
    startedAtMs,
    answeredAtMs,
    mayBeSilent: mayBeSilent(channel),
    joinedLate,
    // Our own reports come straight from Asterisk; one of the far end's may have been lost on its way.
    isSurelyFirst: state.direction === 'rx',
  };
  const measure = measureInterval(state, block, moment);
  if (measure.kind === 'media') {
    state.emptyReports = 0;
    const isUntold =
      isReturning ||
      isLossDisturbed(channel, state) ||
      mayHaveBegunBeforeHold(state, block) ||
      isGapOfDigit(state, measure);
    return isUntold
      ? { ...measure, packetsExpected: null, packetsLost: null, latePackets: 0, isRestart: false }
      : measure;
  }
  if (measure.kind === 'dead') return maySendAnother(state) ? { kind: 'idle', undecided: true } : measure;
  return neverAnythingArrived(channel, state, atMs) ? { kind: 'dead', packetsLost: null } : measure;
}

/**
 * Whether a digit explains the loss: where it was taken out of the audio that is passed on, its sequence numbers are missing, and
 * so is the audio that Asterisk leaves out meanwhile.
 */
function isGapOfDigit(state: DirectionState, { packetsLost }: MediaMeasure): boolean {
  return state.direction === 'tx' && (packetsLost ?? 0) > 0 && hasDigit(state);
}

/** On hold or before the answer, a stream that stands still is no fault. */
function mayBeSilent({ onHold, answeredAtMs }: ChannelState): boolean {
  return onHold || answeredAtMs === null;
}

/**
 * Whether something else than the network explains the loss. A native bridge passes sequence numbers on, so after a hold or a
 * transfer the far end counts as lost what was never sent to it. What we receive ourselves is not affected.
 */
function isLossDisturbed(
  { answeredAtMs, watchedSinceMs }: ChannelState,
  { direction, disturbedAtMs, heldAtMs, movedAtMs, markAtMs }: DirectionState,
): boolean {
  if (direction === 'rx' || disturbedAtMs === null) return false;
  // A first report covers all the time before it. After a hold that may be music, and time without it. In another bridge the far
  // end may count as lost the difference between the sequence numbers of two parties.
  if (markAtMs === null)
    return heldAtMs !== null || movedAtMs !== null || (answeredAtMs !== null && watchedSinceMs > answeredAtMs);
  return markAtMs < disturbedAtMs + DISTURBED_LOSS_MS;
}

/**
 * Whether the stream of a first report may have begun before a hold. The report counts losses since the stream's first packet,
 * and during a hold everything that is not passed on counts as lost.
 */
function mayHaveBegunBeforeHold(state: DirectionState, block: ReportBlock | null): boolean {
  const { direction, markSsrc } = state;
  return direction === 'tx' && block !== null && block.sourceSsrc !== markSsrc && mayGoOnFromBeforeHold(state);
}

/** Whether the stream got another source since our last report, so that we may send with another SSRC than it named. */
function maySendAnother({ direction, disturbedAtMs, sentSsrcAtMs }: DirectionState): boolean {
  return direction === 'tx' && disturbedAtMs !== null && sentSsrcAtMs !== null && sentSsrcAtMs <= disturbedAtMs;
}

/**
 * Whether two whole intervals passed on a channel that is up, in which its sender reported nothing and nothing arrived. Of our
 * own audio we know what we sent.
 */
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

/** How many report intervals the report stands for; more than one only if reports were missed. */
function countCoveredReports(
  { reportsMissed, reportedAtMs, paceMs }: DirectionState,
  kind: IntervalRecord['kind'],
  atMs: number,
): number {
  if (!reportsMissed || reportedAtMs === null || paceMs === null || kind === 'idle' || kind === 'unused') return 1;
  return Math.max(1, Math.round((atMs - reportedAtMs) / Math.max(1, paceMs)));
}

/**
 * Learns the pace of the reports. Each end of each channel has its own: phones choose theirs, and a channel keeps that of its
 * beginning.
 */
function notePace(state: DirectionState, atMs: number): void {
  const { reportedAtMs, reportsMissed } = state;
  if (reportedAtMs !== null && !reportsMissed) state.paceMs = nextReportPace(state.paceMs, atMs - reportedAtMs);
  state.reportedAtMs = atMs;
}

function sampleOf(
  state: DirectionState,
  measure: IntervalMeasure | typeof UNUSED,
  block: ReportBlock | null,
  atMs: number,
): ReportSample {
  const media = measure.kind === 'media' ? measure : null;
  const jitter = media === null ? null : jitterSample(state, media, block, atMs);
  const packetsLost = measure.kind === 'media' || measure.kind === 'dead' ? measure.packetsLost : null;
  return {
    kind: measure.kind,
    packetsExpected: media === null ? packetsLost : media.packetsExpected,
    packetsLost,
    latePackets: media?.latePackets ?? 0,
    duplicates: media?.duplicates ?? 0,
    isSequenceRestart: media?.isRestart ?? false,
    isJitterReset: jitter?.isReset ?? false,
    jitterTicks: jitter?.jitterTicks ?? null,
    // Asterisk's own score uses this count and does not distinguish streams.
    cumulativeLost:
      block === null ? null : (block.cumulativeLostPackets + CUMULATIVE_LOST_MODULUS) % CUMULATIVE_LOST_MODULUS,
    coversReports: countCoveredReports(state, measure.kind, atMs),
  };
}
