/** RFC 3550 A.8: with each packet the estimate keeps this part of what it was. */
const KEPT_BY_EACH_PACKET = 15 / 16;
/** A.8 takes a sixteenth of each difference: for this much a packet would have to be minutes late. No network does that. */
const IMPOSSIBLE_MS = 10_000;
/** Above this it is a jump, unless loss or round trip say that the network was ill. */
const CERTAIN_MS = 1000;
/** And above this when it is also this many times the stream's average. */
const SUSPECT_MS = 200;
const SUSPECT_RATIO = 20;
/** What is left of a jump is known to so much. */
const ECHO_TOLERANCE = 1.5;
/** Less than this of a jump is no longer worth a word. */
const NEGLIGIBLE_MS = 1;

/** What one report's jitter is judged by. */
export interface JitterMoment {
  readonly jitterMs: number;
  /** Of the samples taken so far; null before the first. */
  readonly meanMs: number | null;
  /** Of the report before this one, if it was not taken; null if it was. */
  readonly refusedMs: number | null;
  /** Received in this interval; 0 when not known. */
  readonly packetsReceived: number;
  /** Loss or round trip are worse than usual as well. */
  readonly isNetworkIll: boolean;
}

/**
 * Whether a report's jitter comes from a jump of the sender's clock (a new source, a hold or a transfer that no event told
 * of), or is what A.8 has kept of one. Such a report gives no sample. Jitter that stays is the network's, however high.
 */
export function isJitterOfJump(moment: JitterMoment): boolean {
  const { jitterMs, meanMs, refusedMs, packetsReceived, isNetworkIll } = moment;
  if (jitterMs > IMPOSSIBLE_MS) return true;
  const floorMs = Math.max(meanMs ?? 0, NEGLIGIBLE_MS);
  if (refusedMs !== null) {
    const echoMs = refusedMs * KEPT_BY_EACH_PACKET ** packetsReceived;
    if (echoMs > floorMs && jitterMs <= echoMs * ECHO_TOLERANCE + 2 * floorMs) return true;
  }
  if (isNetworkIll || !isOutlier(jitterMs, meanMs)) return false;
  const hasStayed = refusedMs !== null && isOutlier(refusedMs, meanMs) && jitterMs <= CERTAIN_MS;
  return !hasStayed;
}

/**
 * Whether the jitter of a stream's first report, which had nothing to be compared with, came from a jump: the next report's
 * has no more of it than A.8 keeps. `packetsReceived`: between the two; 0 when not known.
 */
export function wasJumpAtFirst(firstMs: number, nextMs: number, packetsReceived: number): boolean {
  if (firstMs <= SUSPECT_MS || packetsReceived === 0) return false;
  const echoMs = firstMs * KEPT_BY_EACH_PACKET ** packetsReceived;
  const usualMs = Math.max(nextMs - echoMs, NEGLIGIBLE_MS);
  return firstMs > SUSPECT_RATIO * usualMs;
}

function isOutlier(jitterMs: number, meanMs: number | null): boolean {
  if (jitterMs > CERTAIN_MS) return true;
  return meanMs !== null && jitterMs > SUSPECT_MS && jitterMs > SUSPECT_RATIO * meanMs;
}
