/** What is a fault by itself, whatever it costs a score. One place, so that words, sentences and fault places agree. */

/** Mean jitter that a jitter buffer of the usual 60 ms no longer takes. */
export const JITTER_LIMIT_MS = 60;

/** Loss from which on G.711's MOS-CQ is under 4 (G.107). */
export const LOSS_LIMIT_PERCENT = 2;

/** A one-way delay of 100 ms, up to which nobody notices (G.107 §7.4), there and back. */
export const ROUND_TRIP_LIMIT_MS = 200;
