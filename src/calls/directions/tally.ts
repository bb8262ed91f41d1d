import type { IntervalKind } from '../../model/record.ts';
import {
  addSampleAt,
  countAt,
  lastAt,
  meanAt,
  mergeMoments,
  type Moments,
  NO_SAMPLES,
  scaleMoments,
  standardDeviation,
  standardDeviationAt,
} from '../../stats/moments.ts';
import { burstRatioOfReports } from '../../stats/loss-dispersion.ts';
import { numberRow } from '../../stats/number-row.ts';
import { ticksToMs } from '../../units/rtp.ts';

/** Sums over the reports about one direction, in the channel's life or in one segment. */
export class Tally extends numberRow({
  known: [
    'reports',
    'mediaReports',
    'idleReports',
    'deadReports',
    'unusedReports',
    'packetsLost',
    // Sums over the `measuredReports`, which tell both expected and lost packets.
    'packetsExpected',
    'packetsLostOfExpected',
    'duplicates',
    'sequenceRestarts',
    'jitterResets',
    'measuredReports',
    // Sum of lost² / expected over them, which tells how unevenly they lost.
    'lostSquaredPerExpected',
  ],
  unknown: ['mesMin'],
  times: [],
  sampled: [
    // In ticks of the stream's clock, so that a rate learnt late is right for earlier samples, too.
    'jitterTicks',
    'rttMs',
    'lostPackets',
    // The cumulative counts as Asterisk's own score averages them: unsigned.
    'cumulativeLost',
  ],
}) {
  /** Samples by earlier clock rates of the stream; null for nearly all streams, which keep their first rate. */
  earlierJitterMs: Moments | null = null;

  override toJSON(): object {
    return Object.assign({}, this);
  }
}

const { jitterTicks: JITTER, rttMs: ROUND_TRIP, lostPackets: LOST, cumulativeLost: CUMULATIVE_LOST } = Tally.places;

/** What one report contributes; null: it does not tell. */
export interface ReportSample {
  readonly kind: IntervalKind;
  readonly packetsExpected: number | null;
  readonly packetsLost: number | null;
  readonly duplicates: number;
  /** Packets counted as lost before that came after all. */
  readonly latePackets: number;
  readonly isSequenceRestart: boolean;
  readonly isJitterReset: boolean;
  readonly jitterTicks: number | null;
  /** Unsigned. */
  readonly cumulativeLost: number | null;
  /** How many reports this one stands for, itself included. */
  readonly coversReports: number;
}

export function addReport(tally: Tally, sample: ReportSample): void {
  tally.reports++;
  if (sample.kind === 'media') tally.mediaReports++;
  else if (sample.kind === 'idle') tally.idleReports++;
  else if (sample.kind === 'dead') tally.deadReports++;
  else tally.unusedReports++;
  if (sample.packetsLost !== null) {
    const net = sample.packetsLost - sample.latePackets;
    addSampleAt(tally.values, LOST, net / sample.coversReports, sample.coversReports);
    tally.packetsLost = Math.max(0, tally.packetsLost + net);
    if (sample.packetsExpected !== null) {
      tally.packetsExpected += sample.packetsExpected;
      tally.packetsLostOfExpected = Math.max(0, tally.packetsLostOfExpected + net);
      if (sample.packetsExpected > 0) {
        tally.measuredReports++;
        tally.lostSquaredPerExpected += sample.packetsLost ** 2 / sample.packetsExpected;
      }
    }
  }
  if (sample.isSequenceRestart) tally.sequenceRestarts++;
  if (sample.isJitterReset) tally.jitterResets++;
  if (sample.cumulativeLost !== null) addSampleAt(tally.values, CUMULATIVE_LOST, sample.cumulativeLost);
  if (sample.jitterTicks !== null) addSampleAt(tally.values, JITTER, sample.jitterTicks);
  tally.duplicates += sample.duplicates;
}

/** Notes an interval's own score; the worst one is kept. */
export function noteIntervalMes(tally: Tally, mes: number | null): void {
  if (mes !== null && (tally.mesMin === null || mes < tally.mesMin)) tally.mesMin = mes;
}

/** The only jitter sample so far, ticks; null: there is none, or more than one. */
export function onlyJitterTicks({ values, earlierJitterMs }: Tally): number | null {
  return earlierJitterMs === null && countAt(values, JITTER) === 1 ? lastAt(values, JITTER) : null;
}

/** Removes the only jitter sample so far. */
export function forgetJitter(tally: Tally): void {
  tally.jitterTicks = NO_SAMPLES;
  tally.jitterResets++;
}

/** The stream goes on with another clock rate, so the samples so far are kept in milliseconds. */
export function foldJitter(tally: Tally, clockRateHz: number): void {
  tally.earlierJitterMs = jitterOf(tally, clockRateHz);
  tally.jitterTicks = NO_SAMPLES;
}

/** All its jitter samples, in milliseconds. */
export function jitterOf(tally: Tally, clockRateHz: number): Moments {
  const jitterMs = scaleMoments(tally.jitterTicks, ticksToMs(1, clockRateHz));
  return tally.earlierJitterMs === null ? jitterMs : mergeMoments(tally.earlierJitterMs, jitterMs);
}

/** What a score needs of all the jitter samples; 0 where there are none. */
export interface JitterFigures {
  readonly meanMs: number;
  readonly lastMs: number;
  readonly stdevMs: number;
}

/** Those of `jitterOf`. */
export function jitterFigures(tally: Tally, clockRateHz: number): JitterFigures {
  if (tally.earlierJitterMs !== null) {
    const jitterMs = jitterOf(tally, clockRateHz);
    return { meanMs: jitterMs.mean, lastMs: jitterMs.last, stdevMs: standardDeviation(jitterMs) };
  }
  const { values } = tally;
  const tickMs = ticksToMs(1, clockRateHz);
  return {
    meanMs: meanAt(values, JITTER) * tickMs,
    lastMs: lastAt(values, JITTER) * tickMs,
    stdevMs: standardDeviationAt(values, JITTER, tickMs),
  };
}

export function addJitter({ values }: Tally, jitterTicks: number): void {
  addSampleAt(values, JITTER, jitterTicks);
}

/** Those with one sample more. */
export function jitterFiguresWith(tally: Tally, jitterTicks: number, clockRateHz: number): JitterFigures {
  const own = ticksToMs(jitterTicks, clockRateHz);
  const one = { count: 1, last: own, min: own, max: own, mean: own, m2: 0 };
  const { mean, last, ...rest } = mergeMoments(jitterOf(tally, clockRateHz), one);
  return { meanMs: mean, lastMs: last, stdevMs: standardDeviation({ mean, last, ...rest }) };
}

export function hasJitter({ values, earlierJitterMs }: Tally): boolean {
  return earlierJitterMs !== null || countAt(values, JITTER) > 0;
}

export function addRoundTrip({ values }: Tally, rttMs: number): void {
  addSampleAt(values, ROUND_TRIP, rttMs);
}

export function roundTripsOf({ values }: Tally): number {
  return countAt(values, ROUND_TRIP);
}

/** Undefined without a sample. */
export function roundTripMeanMs({ values }: Tally): number | undefined {
  return countAt(values, ROUND_TRIP) === 0 ? undefined : meanAt(values, ROUND_TRIP);
}

/** Undefined without a sample. */
export function lastRoundTripMs({ values }: Tally): number | undefined {
  return countAt(values, ROUND_TRIP) === 0 ? undefined : lastAt(values, ROUND_TRIP);
}

/** Whether any report said how many packets were lost. */
export function isLossKnown({ values }: Tally): boolean {
  return countAt(values, LOST) > 0;
}

/** Mean of the packets lost between two reports; 0: no report told. */
export function meanLost({ values }: Tally): number {
  return meanAt(values, LOST);
}

/** Mean of the cumulative counts, packets; 0: no report had one. */
export function meanCumulativeLost({ values }: Tally): number {
  return meanAt(values, CUMULATIVE_LOST);
}

/** The latest cumulative count, packets; 0: no report had one. */
export function lastCumulativeLost({ values }: Tally): number {
  return lastAt(values, CUMULATIVE_LOST);
}

/** Whether packets were sent and none of them arrived. */
export function isTallyDead(tally: Tally): boolean {
  return tally.deadReports > 0 && tally.mediaReports === 0;
}

/** Lost packets in percent of those expected; null: no report told. */
export function lossPercentOf(tally: Tally): number | null {
  return tally.packetsExpected === 0 ? null : (100 * tally.packetsLostOfExpected) / tally.packetsExpected;
}

/** BurstR (G.107 §7.5) by how unevenly the reports lost; 1: not known. */
export function reportedBurstRatio(tally: Tally): number {
  return burstRatioOfReports({
    reports: tally.measuredReports,
    packetsExpected: tally.packetsExpected,
    packetsLost: tally.packetsLostOfExpected,
    lostSquaredPerExpected: tally.lostSquaredPerExpected,
  });
}
