import { SEQUENCE_CYCLE_PACKETS } from '../../units/rtp.ts';

/** RFC 3550 A.1: a step forward in the sequence, packets, that is still a loss and not a new beginning. */
export const MAX_DROPOUT_PACKETS = 3000;
/** A step of up to so many packets is a loss, whatever the clocks say. */
const SURE_DROPOUT_PACKETS = 100;
/** By the wall clock a longer step may last this many times as long, or as short, as by the RTP clock. */
const CLOCK_RATIO = 2;
/**
 * A step of more than this many times the packets that fit into the elapsed time was never sent. The ratio allows for bunched
 * arrivals.
 */
const SENT_RATIO = 4;
const BUNCHED_MS = 2000;
const HALF_SEQUENCE_CYCLE = SEQUENCE_CYCLE_PACKETS / 2;
/** After a silence the RTP clock may be off by this much, or by this part of the silence, and still be the same clock. */
const SAME_CLOCK_MS = 1000;
const SAME_CLOCK_RATIO = 0.1;

/**
 * Whether a packet so many numbers further on belongs to the same numbering, so that the packets between are lost (RFC 3550 A.1).
 * For a long step both clocks have to agree: the RTP clock, which went on by `elapsedTicks`, exactly, and the wall clock roughly.
 * `packetTicks`: a packet's length, 0 while it is not known.
 */
export function staysInRow(
  step: number,
  packetTicks: number,
  elapsedTicks: number,
  msPerTick: number,
  elapsedMs: number,
): boolean {
  if (step < SURE_DROPOUT_PACKETS) return true;
  const isExact = packetTicks > 0 && elapsedTicks === step * packetTicks;
  if (step < MAX_DROPOUT_PACKETS) {
    const sentMs = step * packetTicks * msPerTick;
    return isExact || !(sentMs > SENT_RATIO * elapsedMs + BUNCHED_MS);
  }
  if (step >= HALF_SEQUENCE_CYCLE || !isExact) return false;
  const mediaMs = elapsedTicks * msPerTick;
  return elapsedMs > mediaMs / CLOCK_RATIO && elapsedMs < mediaMs * CLOCK_RATIO;
}

/**
 * Whether a packet after a silence begins another session. The same session goes on with the next sequence numbers, or at least
 * with its RTP clock, which followed the wall clock or stood still. The arguments are those of `staysInRow`, counted from the
 * last packet with an RTP time of its own.
 */
export function isNewSession(
  step: number,
  packetTicks: number,
  elapsedTicks: number,
  msPerTick: number,
  elapsedMs: number,
): boolean {
  if (step === 1 || (step < HALF_SEQUENCE_CYCLE && packetTicks > 0 && elapsedTicks === step * packetTicks))
    return false;
  if (!(msPerTick > 0)) return step >= MAX_DROPOUT_PACKETS;
  const offMs = Math.abs(elapsedTicks * msPerTick - elapsedMs);
  return step >= HALF_SEQUENCE_CYCLE || offMs > Math.max(SAME_CLOCK_MS, elapsedMs * SAME_CLOCK_RATIO);
}
