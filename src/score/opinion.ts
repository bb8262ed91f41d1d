/** Top of the opinion scale (G.107 Annex B). */
export const MAX_OPINION = 4.5;
/** Bottom of the opinion scale, and the score of a dead direction. */
export const MIN_OPINION = 1;
/** Asterisk prints opinion × 20. */
export const OPINION_TO_100 = 20;

/**
 * The opinion score of a transmission rating R (ITU-T G.107 Annex B): 1 below R = 0, 4.5 above R = 100.
 * The cubic dips below 1 for 0 < R < 6.5, where G.107's scale has ended; `clampBelowOne` false leaves the dip.
 */
export function opinionFromR(r: number, clampBelowOne = true): number {
  if (r < 0) return MIN_OPINION;
  if (r > 100) return MAX_OPINION;
  const opinion = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
  return clampBelowOne ? Math.max(MIN_OPINION, opinion) : opinion;
}

/** R as it is shown everywhere, limited to 0-100 (RFC 3611 §4.7.5). */
export function shownR(r: number): number {
  return Math.min(100, Math.max(0, r));
}

/** Every opinion in hundredths as text, because the same few hundred are written all the time. */
const TEXTS = Array.from({ length: MAX_OPINION * 100 + 1 }, (_, hundredths) => (hundredths / 100).toFixed(2));

/** The opinion as written to variables, CDR and REST: two decimals. */
export function formatOpinion(opinion: number): string {
  return TEXTS[Math.round(opinion * 100)] ?? opinion.toFixed(2);
}

/** The same value as a number. */
export function roundOpinion(opinion: number): number {
  return Math.round(opinion * 100) / 100;
}
