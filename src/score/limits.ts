/** Values that are a fault whatever they cost the score. They are here once, so that words, sentences and fault places agree. */

/** More mean jitter than a usual jitter buffer of 60 ms can smooth. */
export const JITTER_LIMIT_MS = 60;

/** From this loss on, G.711's MOS-CQ is below 4 (G.107). */
export const LOSS_LIMIT_PERCENT = 2;

/** Twice the one-way delay of 100 ms that nobody notices (G.107 §7.4). */
export const ROUND_TRIP_LIMIT_MS = 200;
