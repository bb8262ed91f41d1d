import type { Comparison } from './measure.ts';

/** A quantity that has both a truth and a measurement. */
export type Quantity = 'loss_percent' | 'round_trip_ms' | 'jitter_ms' | 'mes' | 'mos_lq';

export interface Pair {
  readonly truth: number | null;
  readonly measured: number | null;
}

export interface WorstError {
  readonly quantity: Quantity;
  /** Absolute; null when the product has no value anywhere in the grid. */
  readonly error: number | null;
  readonly at: Comparison | null;
  /** Directions in which the network had something to measure and the product says nothing. */
  readonly missing: number;
}

/** The truth and the measurement of each quantity of one direction of a call. */
export function pairsOf({ network, shouldBe, measured }: Comparison): Record<Quantity, Pair> {
  return {
    // What was lost after the last report no report tells.
    loss_percent: { truth: network.reportedLossPercent, measured: measured.lossPercent },
    round_trip_ms: { truth: network.roundTripMs, measured: measured.roundTripMs },
    jitter_ms: { truth: network.jitterMeanMs, measured: measured.jitterMs },
    mes: { truth: shouldBe.mes, measured: measured.mes },
    mos_lq: { truth: shouldBe.mosLq, measured: measured.mosLq },
  };
}

/** The largest error of each quantity, and where it was. */
export function worstErrors(comparisons: readonly Comparison[]): WorstError[] {
  const quantities: readonly Quantity[] = ['loss_percent', 'round_trip_ms', 'jitter_ms', 'mes', 'mos_lq'];
  return quantities.map((quantity) => {
    let worst: WorstError = { quantity, error: null, at: null, missing: 0 };
    for (const at of comparisons) {
      const { truth, measured } = pairsOf(at)[quantity];
      if (truth === null) continue;
      if (measured === null) {
        worst = { ...worst, missing: worst.missing + 1 };
        continue;
      }
      const error = Math.abs(measured - truth);
      if (worst.error === null || error > worst.error) worst = { ...worst, error, at };
    }
    return worst;
  });
}
