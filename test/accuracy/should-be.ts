import type { Truth } from './truth.ts';

/** What the scores should be, by the published formulas written down a second time: nothing of `src/score` is used. */
export interface ShouldBe {
  readonly mes: number;
  readonly mosLq: number;
}

type Heard = Pick<Truth, 'roundTripMs' | 'jitterMeanMs' | 'jitterStdevMs' | 'reportedLossPercent'>;

/** Of a direction over G.711. */
export function shouldBe(truth: Heard): ShouldBe {
  return { mes: opinion(mediaExperienceR(truth)), mosLq: opinion(listeningR(truth)) };
}

/** Asterisk's published "Media Experience Score", for packets lost in 5 s. */
function mediaExperienceR({ roundTripMs, jitterMeanMs, jitterStdevMs, reportedLossPercent }: Heard): number {
  const latency = (roundTripMs ?? 0) + jitterMeanMs * 2 * (jitterStdevMs / 3) + 10;
  const r = latency < 160 ? 93.2 - latency / 40 : 93.2 - (latency - 120) / 10;
  return r - (reportedLossPercent / 100) * 250 * 2.5;
}

/** ITU-T G.107 with G.113's numbers for G.711 and random loss. */
function listeningR({ reportedLossPercent: ppl }: Heard): number {
  return 93.25 - (95 * ppl) / (ppl + 10);
}

/** ITU-T G.107 Annex B; its scale starts at 1. */
function opinion(r: number): number {
  if (r < 0) return 1;
  if (r > 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
