/** With each packet the jitter estimate keeps this part of its value (RFC 3550 A.8). */
const KEPT_BY_EACH_PACKET = 15 / 16;
/**
 * The estimate takes a sixteenth of each difference. For this value one packet would have to be minutes late, which no network
 * does.
 */
const IMPOSSIBLE_MS = 10_000;
/** Jitter above this comes from a jump, unless loss or round trip say that the network was ill. */
const CERTAIN_MS = 1000;
/** So does jitter above this that is also this many times the stream's average. */
const SUSPECT_MS = 200;
const SUSPECT_RATIO = 20;
/** The remainder of a jump is known to within this factor. */
const ECHO_TOLERANCE = 1.5;
/** A smaller remainder of a jump does not matter. */
const NEGLIGIBLE_MS = 1;

/** What one report's jitter is compared with. */
export interface JitterMoment {
  readonly jitterMs: number;
  /** The mean of the samples so far; null before the first. */
  readonly meanMs: number | null;
  /** The jitter of the report before, if that gave no sample; null if it did. */
  readonly refusedMs: number | null;
  /** Packets received in this interval; 0 when not known. */
  readonly packetsReceived: number;
  /** True: loss or round trip are worse than usual, too. */
  readonly isNetworkIll: boolean;
}

/**
 * Whether a report's jitter comes from a jump of the sender's clock (a new source, or a hold or transfer without an event), or is
 * the remainder of an earlier jump. Such a report gives no sample. Jitter that stays is the network's, however high.
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
 * Whether the jitter of a stream's first report, which nothing could be compared with, came from a jump: the next report has only
 * the remainder of it. `packetsReceived`: between the two reports; 0 when not known.
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
