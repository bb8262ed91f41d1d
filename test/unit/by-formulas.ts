/** The formulas written down once more, from the documents that the product follows and not from its code. */

/** The opinion of a rating R (ITU-T G.107 Annex B), on the scale 1-4.5. */
export function opinionByG107(r: number): number {
  if (r < 0) return 1;
  if (r > 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** The Media Experience Score as Asterisk's page has it, with 2.5 R for each packet of 20 ms lost in 5 s. */
export function mesByPage(of: { rttMs: number; jitterMs: number; stdevMs: number; lossPercent: number }): number {
  const latencyMs = of.rttMs + of.jitterMs * 2 * (of.stdevMs / 3) + 10;
  const r = latencyMs < 160 ? 93.2 - latencyMs / 40 : 93.2 - (latencyMs - 120) / 10;
  return opinionByG107(r - (of.lossPercent / 100) * 250 * 2.5);
}
