import { PAYLOAD_TYPE_COMFORT_NOISE } from '../../wire/rtp.ts';
import type { RtpPacket } from './stream-meter.ts';

/** Packets that must go on from each other before an unannounced stream is believed. */
export const PACKETS_TO_BELIEVE = 3;
/** A believable step between two of the first packets, either way. */
const BELIEVABLE_STEP_PACKETS = 100;
/** RFC 3550 A.1's MAX_DROPOUT: packets so far apart may still be of one row with a loss in between. */
const MAX_DROPOUT_PACKETS = 3000;
/** Media is sent all the time; a counter in some other protocol that goes on after this long is none. */
const BELIEVABLE_PAUSE_MS = 5000;
/** The fastest RTP clock there is (192 kHz audio), ticks per ms, and what a talk spurt may add. */
const FASTEST_CLOCK_TICKS_PER_MS = 192;
const BELIEVABLE_LEAP_MS = 1000;
/** Far below the slowest clock (8000 Hz), for packets that the network held back; after a longer time it proves nothing. */
const SLOWEST_CLOCK_TICKS_PER_MS = 0.25;
const HELD_BACK_MS = 500;

/**
 * Whether early packets, the latest `rowPackets` of which go on from each other, are RTP: an RTP time that moves, and
 * most of them of one payload type.
 */
export function isBelievable(early: readonly RtpPacket[], rowPackets: number): boolean {
  if (rowPackets < PACKETS_TO_BELIEVE) return false;
  // Only the packets of one video frame or one telephone event have one RTP time, and others follow them.
  if (early.every(({ timestamp }) => timestamp === early[0]?.timestamp)) return false;
  const main = mainPayloadType(early);
  return early.filter(({ payloadType }) => payloadType === main).length * 2 >= early.length;
}

/** The same packet, captured twice or sent twice. */
export function isSamePacket(one: RtpPacket, other: RtpPacket): boolean {
  return one.sequence === other.sequence && one.timestamp === other.timestamp && one.payloadType === other.payloadType;
}

/** Whether a packet follows another as RTP does: in its sequence number, its RTP time and the time of its arrival. */
export function goesOn(from: RtpPacket, to: RtpPacket): boolean {
  const step = ((to.sequence - from.sequence + 0x8000) & 0xffff) - 0x8000;
  if (step === 0 || Math.abs(step) > BELIEVABLE_STEP_PACKETS) return false;
  const elapsedMs = Math.abs(to.atMs - from.atMs);
  const elapsedTicks = Math.abs((to.timestamp - from.timestamp) | 0);
  if (elapsedMs > BELIEVABLE_PAUSE_MS) return false;
  if (elapsedTicks > (elapsedMs + BELIEVABLE_LEAP_MS) * FASTEST_CLOCK_TICKS_PER_MS) return false;
  return elapsedTicks === 0 || elapsedMs > HELD_BACK_MS || elapsedTicks >= elapsedMs * SLOWEST_CLOCK_TICKS_PER_MS;
}

/** Whether a packet that does not follow another may be of the same stream, with a loss in between. */
export function mayBeAfterLoss(from: RtpPacket, to: RtpPacket): boolean {
  const step = (to.sequence - from.sequence) & 0xffff;
  return step > 0 && step < MAX_DROPOUT_PACKETS && Math.abs(to.atMs - from.atMs) <= BELIEVABLE_PAUSE_MS;
}

/** The payload type that most of the packets have; comfort noise only when there is nothing else. */
export function mainPayloadType(early: readonly RtpPacket[]): number {
  const counts = new Map<number, number>();
  for (const { payloadType } of early) counts.set(payloadType, (counts.get(payloadType) ?? 0) + 1);
  let [best = 0] = counts.keys();
  for (const [payloadType, count] of counts) {
    if (payloadType === PAYLOAD_TYPE_COMFORT_NOISE) continue;
    if (best === PAYLOAD_TYPE_COMFORT_NOISE || count > (counts.get(best) ?? 0)) best = payloadType;
  }
  return best;
}
