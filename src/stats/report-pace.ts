/** Asterisk's default `rtcpinterval`. */
export const USUAL_REPORT_PACE_MS = 5000;
/** A gap longer than this many paces is a pause of one stream, not the pace of the server. */
const PAUSE_RATIO = 1.5;
/** Asterisk takes no `rtcpinterval` below 500 ms: reports closer than that were held up and came in together. */
const SHORTEST_GAP_MS = 400;
const WEIGHT_OF_NEW_GAP = 0.2;
/** How fast the pace follows when every gap is longer: after a reload with a longer `rtcpinterval`. */
const SLOWEST_GROWTH = 1.1;

/** How often this server sends its reports, ms, learnt from one gap after another; all channels have the same `rtcpinterval`. */
export function nextReportPace(paceMs: number, gapMs: number): number {
  if (gapMs < SHORTEST_GAP_MS) return paceMs;
  if (gapMs > paceMs * PAUSE_RATIO) return Math.min(gapMs, paceMs * SLOWEST_GROWTH);
  return paceMs + (gapMs - paceMs) * WEIGHT_OF_NEW_GAP;
}
