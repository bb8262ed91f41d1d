import type { SenderInfo } from '../model/report.ts';
import { STANDARD_CLOCK_RATES_HZ } from '../units/rtp.ts';

/** How far ΔRTP / ΔNTP may be from a standard rate and still be taken for it. */
const RATE_TOLERANCE_RATIO = 0.05;
/** An interval between two SRs that is shorter than this proves little: 1 ms of error in the sender's clock is 1 % of 0.1 s. */
const MIN_SR_DISTANCE_S = 0.1;
const RTP_TIMESTAMP_MODULUS = 0x1_0000_0000;

/** What an SR says of its sender's clocks. */
type SenderClock = Pick<SenderInfo, 'ntpS' | 'rtpTicks'>;

/**
 * The RTP clock rate of a stream from two of its SRs, Hz: ΔRTP / ΔNTP, rounded to a standard audio rate.
 * Undefined when they do not show one (too close together, a silence, a new stream in between, a video clock).
 */
export function clockRateBetween(earlier: SenderClock, later: SenderClock): number | undefined {
  const elapsedS = later.ntpS - earlier.ntpS;
  if (elapsedS < MIN_SR_DISTANCE_S) return undefined;
  const ticks = (later.rtpTicks - earlier.rtpTicks + RTP_TIMESTAMP_MODULUS) % RTP_TIMESTAMP_MODULUS;
  const measuredHz = ticks / elapsedS;
  // 44100 and 48000 lie within each other's tolerance: the nearer one is meant.
  let nearestHz = Number.POSITIVE_INFINITY;
  for (const rateHz of STANDARD_CLOCK_RATES_HZ) {
    if (Math.abs(measuredHz - rateHz) < Math.abs(measuredHz - nearestHz)) nearestHz = rateHz;
  }
  return Math.abs(measuredHz - nearestHz) <= nearestHz * RATE_TOLERANCE_RATIO ? nearestHz : undefined;
}
