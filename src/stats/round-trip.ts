import type { RtcpReport } from '../model/report.ts';

/** A longer round trip is a clock step, not a network. */
export const MAX_ROUND_TRIP_MS = 10_000;

/** A round-trip sample, why it was refused, or `none` when the report brought none at all. */
export type RoundTripSample = { readonly rttMs: number } | 'refused' | 'none';

/**
 * The round trip that a remote report measured. It is a new sample only if the report block answers an SR of ours (LSR is not 0);
 * otherwise Asterisk repeats the old value. Refused are exactly 0 before any sample, values above 10 s, and values that come with
 * a block about another stream than ours.
 */
export function roundTripSample(report: RtcpReport, earlierSamples: number, isAboutUs = true): RoundTripSample {
  if (report.reporter !== 'remote' || report.rttMs === undefined || report.block === undefined) return 'none';
  if (report.block.lsrNtp32 === 0) return report.rttMs === 0 ? 'none' : 'refused';
  if (!isAboutUs) return 'refused';
  if (report.rttMs > MAX_ROUND_TRIP_MS) return 'refused';
  if (report.rttMs === 0 && earlierSamples === 0) return 'refused';
  return { rttMs: report.rttMs };
}
