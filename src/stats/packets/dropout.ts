import { SEQUENCE_CYCLE_PACKETS } from '../../units/rtp.ts';

/** RFC 3550 A.1: a step forward in the sequence, packets, that is still a loss and not a new beginning. */
export const MAX_DROPOUT_PACKETS = 3000;
/** A step up to here is a loss, whatever the clocks say. */
const SURE_DROPOUT_PACKETS = 100;
/** How many times as long or as short as by the RTP clock a longer one may be by the wall clock. */
const CLOCK_RATIO = 2;
/** More than this many times what can have been sent in the time that passed was never sent. Bunched arrivals do not matter. */
const SENT_RATIO = 4;
const BUNCHED_MS = 2000;
const HALF_SEQUENCE_CYCLE = SEQUENCE_CYCLE_PACKETS / 2;
/** After a silence the RTP clock may be off by so much, or by a part of the silence, and still be the same. */
const SAME_CLOCK_MS = 1000;
const SAME_CLOCK_RATIO = 0.1;

/**
 * Whether a packet so many numbers further on is of the same row, and what lies between is lost (RFC 3550 A.1). Of a long
 * step both clocks have to say so: the RTP clock, which went on by `elapsedTicks`, exactly, and the wall clock about.
 * `packetTicks` is a packet's own time, 0 while that is not known.
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
 * Whether a packet after a silence begins another session. The same one goes on where it was in the sequence, or at least
 * by the RTP clock, which went on with the wall clock or stood still. The arguments are those of `staysInRow`, counted from
 * the last packet with an RTP time of its own.
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
