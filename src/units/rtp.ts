/** Constants of RTP, RTCP and Asterisk's way of printing them. */

/** Sequence numbers on the wire are 16 bits wide (RFC 3550 §5.1); one cycle is this many packets. */
export const SEQUENCE_CYCLE_PACKETS = 65_536;

/** Cumulative lost is a signed 24-bit number (RFC 3550 §6.4.1). */
export const CUMULATIVE_LOST_MODULUS = 0x100_0000;
const CUMULATIVE_LOST_SIGN_BIT = 0x80_0000;

/** Fraction lost is in 1/256 (RFC 3550 §6.4.1). */
export const Q8_ONE = 256;

/** RTP clocks that audio codecs use, Hz. G.722 is 8000 by RFC 3551 §4.5.2. */
export const STANDARD_CLOCK_RATES_HZ = [8000, 16_000, 24_000, 32_000, 44_100, 48_000] as const;

/** RTP clocks that packets may turn out to have, Hz: those of audio, and that of video (RFC 3551 §5). */
export const RTP_CLOCK_RATES_HZ = [...STANDARD_CLOCK_RATES_HZ, 90_000] as const;

/** The clock assumed while nothing better is known, Hz: right for G.711, G.722, G.729, GSM and iLBC. */
export const ASSUMED_CLOCK_RATE_HZ = 8000;

/**
 * Reads a cumulative lost count as RFC 3550's signed 24-bit number.
 * Asterisk prints it unsigned: 16777215 is -1 (one duplicate), not sixteen million lost packets.
 */
export function signed24(unsignedPackets: number): number {
  const low = unsignedPackets & (CUMULATIVE_LOST_MODULUS - 1);
  return low & CUMULATIVE_LOST_SIGN_BIT ? low - CUMULATIVE_LOST_MODULUS : low;
}

/** The signed difference of two cumulative lost counts, across a wrap of the 24-bit field. */
export function cumulativeLostDelta(nowPackets: number, beforePackets: number): number {
  return signed24(nowPackets - beforePackets);
}

/** RTP clock ticks as milliseconds; `clockRateHz` is positive. */
export function ticksToMs(ticks: number, clockRateHz: number): number {
  return (ticks * 1000) / clockRateHz;
}

export function secondsToMs(seconds: number): number {
  return seconds * 1000;
}
