import type { ClockRateSource } from '../model/record.ts';
import type { Direction, SenderInfo } from '../model/report.ts';
import { clockRateBetween } from '../stats/clock-rate.ts';
import type { ReceiverMark, SenderMark } from '../stats/interval.ts';
import { mergeMoments, type Moments, NO_SAMPLES, scaleMoments } from '../stats/moments.ts';
import { ASSUMED_CLOCK_RATE_HZ, ticksToMs } from '../units/rtp.ts';

/** 20 ms packets, the usual. */
const USUAL_PACKET_RATE_HZ = 50;

/** Everything we know of one direction of a channel. Plain data: it is stored as it is and gone on with after a restart. */
export interface DirectionState {
  readonly direction: Direction;
  ssrc: number | null;
  /** Where the receiver stood at its last report. */
  mark: ReceiverMark | null;
  /** What the sender said last. */
  sender: SenderMark | null;
  lastSr: SenderInfo | null;
  packetRateHz: number;
  clockRateHz: number;
  clockRateSource: ClockRateSource;
  /** Reports seen; the last report number given. */
  reports: number;
  mediaReports: number;
  idleReports: number;
  deadReports: number;
  /** Reports without a single packet since the channel came up. */
  emptyReports: number;
  /** Reports may have been missed since the last one. */
  reportsMissed: boolean;
  /** When another source was last put on this direction (hold, bridge); null if never since media first flowed. */
  disturbedAtMs: number | null;
  gapMsSum: number;
  gapCount: number;
  /** In ticks of `clockRateHz`, so that a rate learnt late is right for the earlier samples too. */
  jitterTicks: Moments;
  /** Of clock rates that the stream had before. */
  earlierJitterMs: Moments;
  lostPackets: Moments;
  /** The cumulative counts as Asterisk's own score averages them: unsigned. */
  cumulativeLost: Moments;
  /** Sums over the reports that tell both. */
  packetsExpected: number;
  packetsLostOfExpected: number;
  packetsLost: number;
  duplicates: number;
  mesMin: number | null;
  nativeMes100: number | null;
}

export function newDirection(direction: Direction): DirectionState {
  return {
    direction,
    ssrc: null,
    mark: null,
    sender: null,
    lastSr: null,
    packetRateHz: USUAL_PACKET_RATE_HZ,
    clockRateHz: ASSUMED_CLOCK_RATE_HZ,
    clockRateSource: 'assumed',
    reports: 0,
    mediaReports: 0,
    idleReports: 0,
    deadReports: 0,
    emptyReports: 0,
    reportsMissed: false,
    disturbedAtMs: null,
    gapMsSum: 0,
    gapCount: 0,
    jitterTicks: NO_SAMPLES,
    earlierJitterMs: NO_SAMPLES,
    lostPackets: NO_SAMPLES,
    cumulativeLost: NO_SAMPLES,
    packetsExpected: 0,
    packetsLostOfExpected: 0,
    packetsLost: 0,
    duplicates: 0,
    mesMin: null,
    nativeMes100: null,
  };
}

/** Takes in what the sender of this direction says of itself: its packet count, and with the SR before it its clock. */
export function noteSender(state: DirectionState, sr: SenderInfo, atMs: number): void {
  const before = state.lastSr;
  state.sender = { sentPackets: sr.sentPackets, atMs };
  state.lastSr = sr;
  if (before === null) return;
  const rateHz = clockRateBetween(before, sr);
  if (rateHz === undefined) return;
  noteClockRate(state, rateHz, 'sr');
  const packetRateHz = (sr.sentPackets - before.sentPackets) / (sr.ntpS - before.ntpS);
  if (packetRateHz > state.packetRateHz) state.packetRateHz = Math.min(packetRateHz, 2 * USUAL_PACKET_RATE_HZ);
}

/** Better knowledge of the clock replaces poorer: SRs before the codec, the codec before an assumption. */
export function noteClockRate(state: DirectionState, rateHz: number, source: 'sr' | 'codec'): void {
  if (source === 'codec' && state.clockRateSource === 'sr') return;
  const isChange = state.clockRateSource === 'sr' && rateHz !== state.clockRateHz;
  if (isChange) {
    state.earlierJitterMs = jitterMs(state);
    state.jitterTicks = NO_SAMPLES;
  }
  state.clockRateHz = rateHz;
  state.clockRateSource = source;
}

/**
 * Another source was put on the direction: sequence and timestamps may jump without a packet being lost or late.
 * At its beginning there is nothing to jump from.
 */
export function noteDisturbance(state: DirectionState, atMs: number): void {
  if (state.mediaReports > 0) state.disturbedAtMs = atMs;
}

/** All jitter samples of the direction, in milliseconds. */
export function jitterMs(state: DirectionState): Moments {
  return mergeMoments(state.earlierJitterMs, scaleMoments(state.jitterTicks, ticksToMs(1, state.clockRateHz)));
}

/** Whether packets were sent and not one of them ever arrived. */
export function isDead(state: DirectionState): boolean {
  return state.deadReports > 0 && state.mediaReports === 0;
}

/** Percent of the packets that were expected; null when no report told. */
export function lossPercent(state: DirectionState): number | null {
  return state.packetsExpected === 0 ? null : (100 * state.packetsLostOfExpected) / state.packetsExpected;
}
