import type { RtcpReport } from '../model/report.ts';

/** Above this a round trip is a clock step, not a network. */
export const MAX_ROUND_TRIP_MS = 10_000;

/** A round-trip sample, why it was refused, or `none` when the report brought none at all. */
export type RoundTripSample = { readonly rttMs: number } | 'refused' | 'none';

/**
 * Takes the round trip out of a remote report.
 * It is a new sample only when the report block answers an SR of ours (LSR not 0); without that Asterisk repeats the
 * old value. Exactly 0 before any sample, anything above 10 s, and what comes with a block about another stream than ours
 * is refused.
 */
export function roundTripSample(report: RtcpReport, earlierSamples: number, isAboutUs = true): RoundTripSample {
  if (report.reporter !== 'remote' || report.rttMs === undefined || report.block === undefined) return 'none';
  if (report.block.lsrNtp32 === 0) return report.rttMs === 0 ? 'none' : 'refused';
  if (!isAboutUs) return 'refused';
  if (report.rttMs > MAX_ROUND_TRIP_MS) return 'refused';
  if (report.rttMs === 0 && earlierSamples === 0) return 'refused';
  return { rttMs: report.rttMs };
}
