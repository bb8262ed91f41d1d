import type { IntervalRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import { type Direction, directionMeasuredBy, directionSentBy } from '../../model/report.ts';
import type { StoredChannel } from '../../model/rescoring.ts';
import { DEAD_OPINION } from '../../score/mes.ts';
import { ASSUMED_CLOCK_RATE_HZ, CUMULATIVE_LOST_MODULUS } from '../../units/rtp.ts';
import { channelScores, segmentRecord } from '../channels/channel-record.ts';
import { type ChannelScores, type ChannelState, newChannel, NO_SCORES } from '../channels/channel-state.ts';
import { directionRules } from '../directions/direction-score.ts';
import {
  beginSegment,
  type DirectionState,
  noteCaptured,
  noteClockRate,
  noteRoundTrip,
  segmentTally,
} from '../directions/direction-state.ts';
import { noteSenderCounts } from '../directions/told-digits.ts';
import { forgetJumpAtFirst } from '../directions/jitter-sample.ts';
import { addToSums } from '../directions/report-sums.ts';
import { scoresOf } from './rescored-fields.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import type { ReportSample } from '../directions/tally.ts';

const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];

/** A channel whose stored reports were counted and scored again. */
export interface ReplayedChannel {
  readonly stored: StoredChannel;
  /** The state at the end, as far as scores depend on it. */
  readonly state: ChannelState;
  readonly segments: readonly SegmentRecord[];
  readonly intervals: readonly IntervalRecord[];
  /** The scores at a moment, epoch milliseconds. */
  scoresAt(atMs: number): ChannelScores;
}

/** Whether every report from which the channel's scores were made is still stored. */
export function isWhole({ channel, segments, intervals }: StoredChannel): boolean {
  return DIRECTIONS.every((direction) => {
    const stored = intervals.filter((interval) => interval.direction === direction).length;
    const counted = channel.streams.find((stream) => stream.direction === direction)?.reports ?? 0;
    const own = segments.filter((segment) => segment.direction === direction);
    // Releases before there were segments stored none.
    const inSegments = own.length === 0 ? counted : own.reduce((sum, { reports }) => sum + reports, 0);
    return stored === counted && inSegments === counted;
  });
}

/** Scores a channel's stored reports again by `rules`, in the order in which they came. The channel must be whole. */
export function replayChannel(stored: StoredChannel, rules: ScoringRules): ReplayedChannel {
  const { channel } = stored;
  const state = emptyState(stored);
  const segments = new SegmentsAgain(stored.segments, rules);
  const trail: { readonly atMs: number; readonly scores: ChannelScores }[] = [];
  const intervals = stored.intervals.toSorted(byArrival).map((interval) => {
    const scored = takeAgain(state, interval, channel.streams, segments, rules);
    state.scores = channelScores(state, rules);
    trail.push({ atMs: interval.atMs, scores: state.scores });
    return scored;
  });

  for (const stream of channel.streams) takeLaterFacts(state[stream.direction], stream);
  const deadFromMs = noteFinalSilence(state, stored);
  for (const direction of DIRECTIONS) segments.close(state, state[direction]);
  restoreMarks(state, stored);
  state.rtcpEvents = stored.intervals.length;
  state.scores = channelScores(state, rules);
  const last = state.scores;
  return {
    stored,
    state,
    segments: segments.closed,
    intervals,
    scoresAt: (atMs) => {
      if (deadFromMs !== null && atMs >= deadFromMs) return last;
      return trail.findLast((step) => step.atMs <= atMs)?.scores ?? NO_SCORES;
    },
  };
}

function emptyState({ channel }: StoredChannel): ChannelState {
  const { uniqueid, linkedid, name, startedAtMs } = channel;
  const state = newChannel({ uniqueid, linkedid, name, stateNumber: 0 }, startedAtMs, startedAtMs, false);
  state.answeredAtMs = channel.answeredAtMs;
  state.endedAtMs = channel.endedAtMs;
  state.endReason = channel.endReason;
  state.bridgeId = channel.bridgeId;
  state.bridgeTechnology = channel.bridgeTechnology;
  state.peerUniqueid = channel.peerUniqueid;
  state.onHold = channel.onHold;
  state.device = channel.device;
  state.site = channel.site;
  state.deviceDetails = channel.deviceDetails;
  state.lastReceivedAtMs = channel.lastReceivedAtMs;
  state.sipCallId = channel.sipCallId;
  state.phone = channel.phone;
  return state;
}

/**
 * Orders reports of one millisecond that an older release did not number: the far end's first, because its round trip serves both
 * directions.
 */
function byArrival(a: IntervalRecord, b: IntervalRecord): number {
  if (a.channelReportNumber !== null && b.channelReportNumber !== null)
    return a.channelReportNumber - b.channelReportNumber;
  const rank = ({ direction, reporter }: IntervalRecord): number =>
    direction === 'tx' ? 0 : reporter === 'remote' ? 1 : 2;
  return a.atMs - b.atMs || rank(a) - rank(b) || a.reportNumber - b.reportNumber;
}

function takeAgain(
  state: ChannelState,
  interval: IntervalRecord,
  streams: readonly StreamRecord[],
  segments: SegmentsAgain,
  rules: ScoringRules,
): IntervalRecord {
  const direction = state[interval.direction];
  if (interval.sentPackets !== null && interval.sentOctets !== null) {
    const sender = state[directionSentBy(interval.reporter)];
    noteSenderCounts(sender, interval.sentPackets, interval.sentOctets, interval.atMs);
  }
  // An older release did not store the codec with the report.
  const isOld = interval.channelReportNumber === null;
  const codec = isOld ? streams.find((stream) => stream.direction === interval.direction)?.codec : interval.codec;
  const isAssumed = (interval.clockRateSource ?? 'sr') === 'assumed' || isPerhapsAssumed(interval);
  if (!isAssumed) noteClockRate(direction, interval.clockRateHz, interval.clockRateSource === 'codec' ? 'codec' : 'sr');
  segments.beginNextIfDue(state, direction);
  direction.codec = codec ?? null;
  noteUnknown(direction, interval);
  if (interval.rttMs !== null) {
    noteRoundTrip(state.rx, interval.rttMs);
    noteRoundTrip(state.tx, interval.rttMs);
  }
  if (interval.kind === 'media') {
    const { jitterTicks, packetsExpected, packetsLost } = interval;
    forgetJumpAtFirst(direction, jitterTicks, Math.max(0, (packetsExpected ?? 0) - (packetsLost ?? 0)));
  }
  const facts = { ...interval, sourceSsrc: interval.ssrc };
  const own = directionRules(state, direction, rules);
  const { score, mes, mesRunning } = addToSums(direction, sampleOf(interval), facts, own);
  return {
    ...interval,
    effectiveLatencyMs: score?.effectiveLatencyMs ?? null,
    rValue: score?.rValue ?? null,
    mes,
    mesRunning,
    profile: rules.profile.name,
  };
}

/** Notes since when the direction was not known: a report was about another stream, and brought no score. */
function noteUnknown(direction: DirectionState, { kind, mesRunning, reporter, atMs }: IntervalRecord): void {
  if (kind === 'unused' && mesRunning === null) direction.unknownSinceMs ??= atMs;
  else if (kind !== 'unused' && directionMeasuredBy(reporter) === direction.direction) direction.unknownSinceMs = null;
}

/** An older release did not store where a clock rate came from. */
function isPerhapsAssumed({ clockRateHz, clockRateSource }: IntervalRecord): boolean {
  return clockRateSource === null && clockRateHz === ASSUMED_CLOCK_RATE_HZ;
}

function sampleOf(interval: IntervalRecord): ReportSample {
  const { kind, packetsExpected, packetsLost, duplicates, coversReports, cumulativeLostPackets } = interval;
  return {
    kind,
    packetsExpected,
    packetsLost,
    duplicates,
    latePackets: interval.latePackets ?? 0,
    isSequenceRestart: false,
    isJitterReset: false,
    // Jitter that gave no sample was stored in ticks only.
    jitterTicks: interval.jitterMs === null ? null : interval.jitterTicks,
    cumulativeLost:
      cumulativeLostPackets === null
        ? null
        : (cumulativeLostPackets + CUMULATIVE_LOST_MODULUS) % CUMULATIVE_LOST_MODULUS,
    coversReports,
  };
}

/** Takes what became known of the direction after its last report. */
function takeLaterFacts(direction: DirectionState, stream: StreamRecord): void {
  if (stream.clockRateSource !== 'assumed') noteClockRate(direction, stream.clockRateHz, stream.clockRateSource);
  direction.codec = stream.codec;
  direction.ssrc = stream.ssrc;
  direction.unknownSinceMs = stream.unknownSinceMs;
  noteCaptured(direction, null, stream.capture?.media ?? null);
  direction.nativeMes100 = stream.nativeMes100;
  if (stream.senderPackets !== null) {
    direction.senderPackets = stream.senderPackets;
    direction.senderAtMs = 0;
  }
}

/** Asterisk's last counters may show that nothing had come in where no report did. Returns since when; null: they do not. */
function noteFinalSilence({ rx }: ChannelState, { channel }: StoredChannel): number | null {
  const told = channel.streams.find(({ direction }) => direction === 'rx')?.deadReports ?? 0;
  if (told <= rx.total.deadReports) return null;
  rx.total.deadReports = told;
  rx.total.mesMin = DEAD_OPINION;
  return channel.finalAtMs ?? channel.endedAtMs ?? channel.startedAtMs;
}

/** Restores when each direction was last reported on, as far as the scores need it. */
function restoreMarks(state: ChannelState, { segments, intervals }: StoredChannel): void {
  for (const direction of DIRECTIONS) {
    const isOwn = (row: SegmentRecord | IntervalRecord): boolean => row.direction === direction;
    const atMs = segments.findLast(isOwn)?.endedAtMs ?? Math.max(...intervals.filter(isOwn).map((row) => row.atMs));
    if (Number.isFinite(atMs)) state[direction].markAtMs = atMs;
  }
}

/** Opens the segments again: each gets as many reports as it had. */
class SegmentsAgain {
  readonly closed: SegmentRecord[] = [];
  readonly #stored: readonly SegmentRecord[];
  readonly #rules: ScoringRules;

  constructor(stored: readonly SegmentRecord[], rules: ScoringRules) {
    this.#stored = stored;
    this.#rules = rules;
  }

  beginNextIfDue(state: ChannelState, direction: DirectionState): void {
    const current = this.#find(direction, direction.segment.number);
    const next = this.#find(direction, direction.segment.number + 1);
    if (next === undefined || segmentTally(direction).reports < (current?.reports ?? 0)) return;
    this.close(state, direction);
    beginSegment(direction, { cause: next.openedBy, atMs: next.startedAtMs, sentBefore: null });
  }

  close(state: ChannelState, direction: DirectionState): void {
    const stored = this.#find(direction, direction.segment.number);
    if (stored === undefined) return;
    const { codec, clockRateHz, clockRateSource } = stored;
    const again = segmentRecord(state, direction.with({ codec, clockRateHz, clockRateSource }), this.#rules);
    this.closed.push({ ...stored, ...scoresOf(again) });
  }

  #find({ direction }: DirectionState, number: number): SegmentRecord | undefined {
    return this.#stored.find((segment) => segment.direction === direction && segment.segmentNumber === number);
  }
}
