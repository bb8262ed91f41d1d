import type { DirectionState } from './direction-state.ts';
import { lossPercentOf } from './tally.ts';

/**
 * In a native bridge packets are passed on with their SSRC and sequence numbers, so that one party's far end also counts
 * what the other party's network had lost. Returns that loss, percent, of what goes out (`downstream`), given what comes
 * in from the other party (`upstream`); 0 where the SSRC shows that it is not the same stream, or nothing is known.
 */
export function passedOnLossPercent(upstream: DirectionState | undefined, downstream: DirectionState): number {
  if (upstream === undefined || upstream.ssrc === null || upstream.ssrc !== downstream.ssrc) return 0;
  return lossPercentOf(upstream.total) ?? 0;
}
