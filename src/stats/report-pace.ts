/** Asterisk's default `rtcpinterval`, and the pace of many phones. */
export const USUAL_REPORT_PACE_MS = 5000;
/** Asterisk's longest `rtcpinterval`. */
export const LONGEST_REPORT_PACE_MS = 60_000;
/** Asterisk's shortest `rtcpinterval` is 500 ms: reports closer than this were held up and came in together. */
const SHORTEST_GAP_MS = 400;
const WEIGHT_OF_NEW_GAP = 0.5;

/**
 * How often one end of a channel reports, ms, learnt from gap after gap; null before the first gap. A longer gap counts at once,
 * so that no report counts as missing before more is known.
 */
export function nextReportPace(paceMs: number | null, gapMs: number): number | null {
  if (gapMs < SHORTEST_GAP_MS) return paceMs;
  if (paceMs === null || gapMs > paceMs) return Math.min(gapMs, LONGEST_REPORT_PACE_MS);
  return paceMs + (gapMs - paceMs) * WEIGHT_OF_NEW_GAP;
}

/** A pace that no channel has any more is forgotten within some hundred reports. */
const WEIGHT_OF_FASTER_CHANNEL = 0.01;

/** The slowest pace of all channels: how long to wait for a channel that has not reported yet. */
export function slowestReportPace(slowestMs: number, paceMs: number): number {
  return paceMs >= slowestMs ? paceMs : slowestMs + (paceMs - slowestMs) * WEIGHT_OF_FASTER_CHANNEL;
}
