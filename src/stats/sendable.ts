import type { StreamMarks } from './interval.ts';

const PACKET_COUNT_MODULUS = 0x1_0000_0000;
/** An estimate from the pace of a stream alone may be wrong by so much. */
const PACE_TOLERANCE = 2;
/** Reports that were held up are read together: no interval counts as shorter than this, or than the usual one. */
const SHORTEST_INTERVAL_MS = 1000;
/** More arrived than a sender counts, but for these that were on their way: it counts wrongly, or of another time. */
const CREDIBLE_PACKETS = 5;
const CREDIBLE_RATIO = 1.1;

/** How many packets can have been sent in an interval. */
export interface Sendable {
  /** The best estimate. */
  readonly aboutPackets: number;
  readonly atMostPackets: number;
  /** By how far the sequence can have moved, packets that were lost before they came to the sender included. */
  readonly farthestPackets: number;
}

/**
 * What can have been sent from `sinceMs` to `atMs`, of which the receiver got `receivedPackets`: by the sender's own count
 * where an SR told it since the mark, else by the usual pace of the stream.
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
    // What the count of now does not tell yet stands against what the count at the mark did not tell.
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

/** Packets that the sender has counted since the receiver last moved; null without an SR since. */
function sentSinceMark(marks: Readonly<StreamMarks>): number | null {
  const { senderPackets, senderAtMs, markMovedSenderPackets, markMovedSenderAtMs, markMovedAtMs } = marks;
  if (senderPackets === null || senderAtMs === null || senderAtMs === markMovedSenderAtMs) return null;
  // Its count at the mark is not known: nobody can say what it has sent since.
  if (markMovedAtMs !== null && markMovedSenderPackets === null) return null;
  const since = wrappedDelta(senderPackets, markMovedSenderPackets ?? 0, PACKET_COUNT_MODULUS);
  // A count that fell was begun anew.
  return since < 0 ? senderPackets : since;
}

/** later − earlier of counters that wrap; negative when the later one is behind. */
export function wrappedDelta(later: number, earlier: number, modulus: number): number {
  const forward = (((later - earlier) % modulus) + modulus) % modulus;
  return forward >= modulus / 2 ? forward - modulus : forward;
}
