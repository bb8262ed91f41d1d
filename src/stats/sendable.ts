import type { StreamMarks } from './stream-marks.ts';

const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** An estimate by the pace of the stream alone may be wrong by this factor. */
const PACE_TOLERANCE = 2;
/** Reports that were held up come in together, so no interval counts as shorter than this, or than the usual one. */
const SHORTEST_INTERVAL_MS = 1000;
/** If the receiver got more than this beyond the sender's count, the count is wrong or of another time. */
const CREDIBLE_PACKETS = 5;
const CREDIBLE_RATIO = 1.1;

/** How many packets can have been sent in an interval. */
export interface Sendable {
  /** The best estimate. */
  readonly aboutPackets: number;
  readonly atMostPackets: number;
  /** How far the sequence can have moved. It includes packets that were lost before they reached the sender. */
  readonly farthestPackets: number;
}

/**
 * How many packets can have been sent from `sinceMs` to `atMs`, if the receiver got `receivedPackets` of them. The sender's own
 * count tells, where an SR came since the mark; otherwise the stream's usual pace.
 */
export function sendablePackets(
  marks: Readonly<StreamMarks>,
  sinceMs: number,
  atMs: number,
  receivedPackets: number,
): Sendable {
  const elapsedMs = Math.max(atMs - sinceMs, marks.paceMs ?? 0, SHORTEST_INTERVAL_MS);
  const byPacePackets = (elapsedMs / 1000) * marks.packetRateHz;
  const toldPackets = sentSinceMark(marks);
  if (toldPackets !== null) {
    const sinceSrMs = Math.max(0, atMs - (marks.senderAtMs ?? atMs));
    const sinceSrPackets = (sinceSrMs / 1000) * marks.packetRateHz;
    // The time that the present count does not cover, less the time that the count at the mark did not cover.
    const untoldMs = Math.max(0, sinceSrMs - untoldAtMarkMs(marks));
    const atMostPackets = toldPackets + PACE_TOLERANCE * (untoldMs / 1000) * marks.packetRateHz;
    if (receivedPackets <= CREDIBLE_RATIO * atMostPackets + CREDIBLE_PACKETS) {
      const aboutPackets = toldPackets + sinceSrPackets;
      const farthestPackets = PACE_TOLERANCE * Math.max(aboutPackets, byPacePackets);
      return { aboutPackets, atMostPackets, farthestPackets };
    }
  }
  const atMostPackets = PACE_TOLERANCE * byPacePackets;
  return { aboutPackets: byPacePackets, atMostPackets, farthestPackets: atMostPackets };
}

/** How old the sender's count was when the receiver last moved. */
function untoldAtMarkMs({ markMovedAtMs, markMovedSenderAtMs }: Readonly<StreamMarks>): number {
  return markMovedAtMs === null || markMovedSenderAtMs === null ? 0 : Math.max(0, markMovedAtMs - markMovedSenderAtMs);
}

/** Packets that the sender counted since the receiver last moved; null: no SR came since. */
function sentSinceMark(marks: Readonly<StreamMarks>): number | null {
  const { senderPackets, senderAtMs, markMovedSenderPackets, markMovedSenderAtMs, markMovedAtMs } = marks;
  if (senderPackets === null || senderAtMs === null || senderAtMs === markMovedSenderAtMs) return null;
  // The count at the mark is not known, so nobody can tell what was sent since.
  if (markMovedAtMs !== null && markMovedSenderPackets === null) return null;
  const since = wrappedDelta(senderPackets, markMovedSenderPackets ?? 0, PACKET_COUNT_MODULUS);
  // A count that fell began anew.
  return since < 0 ? senderPackets : since;
}

/** later − earlier of counters that wrap; negative: the later one is behind. */
export function wrappedDelta(later: number, earlier: number, modulus: number): number {
  const forward = (((later - earlier) % modulus) + modulus) % modulus;
  return forward >= modulus / 2 ? forward - modulus : forward;
}
