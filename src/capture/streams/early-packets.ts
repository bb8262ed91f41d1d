import { PAYLOAD_TYPE_COMFORT_NOISE } from '../../wire/rtp.ts';
import type { RtpPacket } from './stream-meter.ts';

/** So many packets must follow each other before an unannounced stream is believed. */
export const PACKETS_TO_BELIEVE = 3;
/** The largest believable step between two of the first packets, in either direction. */
const BELIEVABLE_STEP_PACKETS = 100;
/** RFC 3550 A.1's MAX_DROPOUT: packets this far apart may still be of one numbering, with a loss in between. */
const MAX_DROPOUT_PACKETS = 3000;
/** Media is sent all the time. A counter that goes on after a longer pause belongs to another protocol. */
const BELIEVABLE_PAUSE_MS = 5000;
/** The fastest RTP clock (192 kHz audio), ticks per ms, and how much a talk spurt may add. */
const FASTEST_CLOCK_TICKS_PER_MS = 192;
const BELIEVABLE_LEAP_MS = 1000;
/**
 * Far below the slowest clock (8000 Hz), because the network may have held packets back. After a longer time the test proves
 * nothing.
 */
const SLOWEST_CLOCK_TICKS_PER_MS = 0.25;
const HELD_BACK_MS = 500;

/**
 * Whether early packets are RTP, if the latest `rowPackets` of them follow each other: their RTP time moves, and most have one
 * payload type.
 */
export function isBelievable(early: readonly RtpPacket[], rowPackets: number): boolean {
  if (rowPackets < PACKETS_TO_BELIEVE) return false;
  // Only packets of one video frame or one telephone event share one RTP time, and others follow them.
  if (early.every(({ timestamp }) => timestamp === early[0]?.timestamp)) return false;
  const main = mainPayloadType(early);
  return early.filter(({ payloadType }) => payloadType === main).length * 2 >= early.length;
}

/** Whether it is the same packet, captured or sent twice. */
export function isSamePacket(one: RtpPacket, other: RtpPacket): boolean {
  return one.sequence === other.sequence && one.timestamp === other.timestamp && one.payloadType === other.payloadType;
}

/** Whether a packet follows another as in RTP: by sequence number, RTP time and time of arrival. */
export function goesOn(from: RtpPacket, to: RtpPacket): boolean {
  const step = ((to.sequence - from.sequence + 0x8000) & 0xffff) - 0x8000;
  if (step === 0 || Math.abs(step) > BELIEVABLE_STEP_PACKETS) return false;
  const elapsedMs = Math.abs(to.atMs - from.atMs);
  const elapsedTicks = Math.abs((to.timestamp - from.timestamp) | 0);
  if (elapsedMs > BELIEVABLE_PAUSE_MS) return false;
  if (elapsedTicks > (elapsedMs + BELIEVABLE_LEAP_MS) * FASTEST_CLOCK_TICKS_PER_MS) return false;
  return elapsedTicks === 0 || elapsedMs > HELD_BACK_MS || elapsedTicks >= elapsedMs * SLOWEST_CLOCK_TICKS_PER_MS;
}

/** Whether a packet that does not follow another may be of the same stream, after a loss. */
export function mayBeAfterLoss(from: RtpPacket, to: RtpPacket): boolean {
  const step = (to.sequence - from.sequence) & 0xffff;
  return step > 0 && step < MAX_DROPOUT_PACKETS && Math.abs(to.atMs - from.atMs) <= BELIEVABLE_PAUSE_MS;
}

/** The payload type of most of the packets. Comfort noise counts only if there is nothing else. */
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
