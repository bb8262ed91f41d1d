import { mergeMoments, type Moments, NO_SAMPLES, scaleMoments } from '../stats/moments.ts';
import { numberRow } from '../stats/number-row.ts';
import { ticksToMs } from '../units/rtp.ts';

/** What the reports about one direction add up to: over the channel's life, or over one segment of it. */
export class Tally extends numberRow({
  known: [
    'reports',
    'mediaReports',
    'idleReports',
    'deadReports',
    'packetsLost',
    // Of the reports that tell both.
    'packetsExpected',
    'packetsLostOfExpected',
    'duplicates',
  ],
  unknown: ['mesMin'],
  sampled: [
    // In ticks of the stream's clock, so that a rate learnt late is right for the earlier samples too.
    'jitterTicks',
    'rttMs',
    'lostPackets',
    // The cumulative counts as Asterisk's own score averages them: unsigned.
    'cumulativeLost',
  ],
}) {
  /** Of clock rates that the stream had before; null, as it is with nearly all, while it has its first. */
  earlierJitterMs: Moments | null = null;

  override toJSON(): object {
    return Object.assign({}, this);
  }
}

/** What one report contributes; null where it tells nothing. */
export interface ReportSample {
  readonly kind: 'media' | 'idle' | 'dead';
  readonly packetsExpected: number | null;
  readonly packetsLost: number | null;
  readonly duplicates: number;
  readonly jitterTicks: number | null;
  /** Unsigned. */
  readonly cumulativeLost: number | null;
  /** Reports that this one stands for, itself included. */
  readonly coversReports: number;
}

export function addReport(tally: Tally, sample: ReportSample): void {
  tally.reports++;
  if (sample.kind === 'media') tally.mediaReports++;
  else if (sample.kind === 'idle') tally.idleReports++;
  else tally.deadReports++;
  if (sample.packetsLost !== null) {
    tally.addSample('lostPackets', sample.packetsLost / sample.coversReports, sample.coversReports);
    tally.packetsLost += sample.packetsLost;
  }
  if (sample.packetsLost !== null && sample.packetsExpected !== null) {
    tally.packetsExpected += sample.packetsExpected;
    tally.packetsLostOfExpected += sample.packetsLost;
  }
  if (sample.cumulativeLost !== null) tally.addSample('cumulativeLost', sample.cumulativeLost);
  if (sample.jitterTicks !== null) tally.addSample('jitterTicks', sample.jitterTicks);
  tally.duplicates += sample.duplicates;
}

/** An interval's own score, for the worst one. */
export function noteIntervalMes(tally: Tally, mes: number | null): void {
  if (mes !== null && (tally.mesMin === null || mes < tally.mesMin)) tally.mesMin = mes;
}

/** The stream goes on with another clock: what was sampled so far is kept in milliseconds. */
export function foldJitter(tally: Tally, clockRateHz: number): void {
  tally.earlierJitterMs = jitterOf(tally, clockRateHz);
  tally.jitterTicks = NO_SAMPLES;
}

/** All its jitter samples, in milliseconds. */
export function jitterOf(tally: Tally, clockRateHz: number): Moments {
  const jitterMs = scaleMoments(tally.jitterTicks, ticksToMs(1, clockRateHz));
  return tally.earlierJitterMs === null ? jitterMs : mergeMoments(tally.earlierJitterMs, jitterMs);
}

/** Whether packets were sent and not one of them arrived. */
export function isTallyDead(tally: Tally): boolean {
  return tally.deadReports > 0 && tally.mediaReports === 0;
}

/** Percent of the packets that were expected; null when no report told. */
export function lossPercentOf(tally: Tally): number | null {
  return tally.packetsExpected === 0 ? null : (100 * tally.packetsLostOfExpected) / tally.packetsExpected;
}
