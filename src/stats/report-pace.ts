/** Asterisk's default `rtcpinterval`, and the pace of many phones. */
export const USUAL_REPORT_PACE_MS = 5000;
/** Asterisk takes no longer `rtcpinterval`. */
export const LONGEST_REPORT_PACE_MS = 60_000;
/** Asterisk takes no `rtcpinterval` below 500 ms: reports closer than that were held up and came in together. */
const SHORTEST_GAP_MS = 400;
const WEIGHT_OF_NEW_GAP = 0.5;

/**
 * How often one end of a channel reports, ms, learnt from one gap after another; null before the first gap. A longer gap
 * counts at once: until it is known better, nobody may miss a report.
 */
export function nextReportPace(paceMs: number | null, gapMs: number): number | null {
  if (gapMs < SHORTEST_GAP_MS) return paceMs;
  if (paceMs === null || gapMs > paceMs) return Math.min(gapMs, LONGEST_REPORT_PACE_MS);
  return paceMs + (gapMs - paceMs) * WEIGHT_OF_NEW_GAP;
}

/** A pace that no channel has any more is forgotten over some hundred reports. */
const WEIGHT_OF_FASTER_CHANNEL = 0.01;

/** The slowest pace of the server's channels: what must be waited for where a channel has not reported yet. */
export function slowestReportPace(slowestMs: number, paceMs: number): number {
  return paceMs >= slowestMs ? paceMs : slowestMs + (paceMs - slowestMs) * WEIGHT_OF_FASTER_CHANNEL;
}
