import type { RelayTruth, RelayedPacket } from './relay-protocol.ts';

/** What the relay really did with one RTP stream, from its first packet that went on to its last. */
export interface StreamTruth {
  readonly ssrc: number;
  readonly expected: number;
  readonly received: number;
  /** Sequence numbers, oldest first. */
  readonly lost: readonly number[];
  readonly duplicates: number;
  /** Went on after a later one. */
  readonly outOfOrder: number;
  /** One letter a packet in the order of sending: `1` went on, `0` did not. */
  readonly pattern: string;
  /** RFC 3550 A.8 over the moments of sending, ms: after the last packet, and the mean after each. */
  readonly jitterMaxMs: number;
  readonly jitterMeanMs: number;
}

/** The streams of one phone and direction, by the relay's log, oldest first. */
export function streamTruths(truth: RelayTruth, clockRateHz: number): StreamTruth[] {
  const bySsrc = Map.groupBy(truth.packets, ({ ssrc }) => ssrc);
  return [...bySsrc].map(([ssrc, packets]) => streamTruth(ssrc, packets, clockRateHz));
}

function streamTruth(ssrc: number, all: readonly RelayedPacket[], clockRateHz: number): StreamTruth {
  const wentOn = (packet: RelayedPacket): boolean => packet.outcome === 'passed';
  const packets = all.slice(all.findIndex(wentOn), all.findLastIndex(wentOn) + 1);
  const sent = packets
    .flatMap((packet) => (packet.sentMs === null ? [] : [{ packet, sentMs: packet.sentMs }]))
    .toSorted((one, other) => one.sentMs - other.sentMs);
  const places = new Map(packets.map((packet, index) => [packet, index]));
  let highest = -1;
  let outOfOrder = 0;
  let jitterMs = 0;
  let jitterSumMs = 0;
  let jitterMaxMs = 0;
  let arrivals = 0;
  let lastTransitMs: number | undefined;
  for (const { packet, sentMs } of sent) {
    const place = places.get(packet) ?? 0;
    if (place < highest) outOfOrder += 1;
    highest = Math.max(highest, place);
    const transitMs = sentMs - ((packet.rtpTimestamp ?? 0) * 1000) / clockRateHz;
    for (let copy = 0; copy < packet.copies; copy += 1) {
      if (lastTransitMs !== undefined) jitterMs += (Math.abs(transitMs - lastTransitMs) - jitterMs) / 16;
      lastTransitMs = transitMs;
      jitterSumMs += jitterMs;
      jitterMaxMs = Math.max(jitterMaxMs, jitterMs);
      arrivals += 1;
    }
  }
  return {
    ssrc,
    expected: packets.length,
    received: sent.length,
    lost: packets.flatMap(({ outcome, sequence }) => (outcome === 'lost' && sequence !== null ? [sequence] : [])),
    duplicates: sent.reduce((sum, { packet }) => sum + packet.copies - 1, 0),
    outOfOrder,
    pattern: packets.map((packet) => (wentOn(packet) ? '1' : '0')).join(''),
    jitterMaxMs,
    jitterMeanMs: jitterSumMs / Math.max(1, arrivals - 1),
  };
}
