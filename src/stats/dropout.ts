import { SEQUENCE_CYCLE_PACKETS } from '../units/rtp.ts';

/** RFC 3550 A.1: a step forward in the sequence, packets, that is still a loss and not a new beginning. */
const MAX_DROPOUT_PACKETS = 3000;
/** How many times as long or as short as by the RTP clock a longer one may be by the wall clock. */
const CLOCK_RATIO = 2;
const HALF_SEQUENCE_CYCLE = SEQUENCE_CYCLE_PACKETS / 2;

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
  if (step < MAX_DROPOUT_PACKETS) return true;
  if (step >= HALF_SEQUENCE_CYCLE || packetTicks === 0 || elapsedTicks !== step * packetTicks) return false;
  const mediaMs = elapsedTicks * msPerTick;
  return elapsedMs > mediaMs / CLOCK_RATIO && elapsedMs < mediaMs * CLOCK_RATIO;
}
