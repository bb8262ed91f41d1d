import { wrappedDelta } from '../../stats/sendable.ts';
import type { DirectionState } from './direction-state.ts';
import type { ReportSample } from './tally.ts';

const SEQUENCE_MODULUS = 0x1_0000_0000;
/** A count and the report that tells it are not of one moment: what is sent in so long is no error. */
const SLACK_S = 0.5;
/** A sender of whom nobody has a count is slower than usual below this part of the usual pace. */
const SLOW_RATIO = 0.8;

/** Where a report stands. */
export interface ReportPlace {
  readonly atMs: number;
  /** Null when it had no block. */
  readonly sourceSsrc: number | null;
  readonly extendedHighestSequence: number | null;
}

/**
 * A first report does not say how many packets it expected. With 60 ms packets or silence suppression they were fewer than 50 a
 * second, and a loss among them would look smaller than it is: what was too much is taken back once the sender's count tells. Call
 * it before the sample is added to the sums.
 */
export function followFirstEstimate(state: DirectionState, sample: ReportSample, place: ReportPlace): void {
  const { atMs, sourceSsrc, extendedHighestSequence: highest } = place;
  const { total, firstAtMs } = state;
  if (sample.kind !== 'media') return;
  if (total.mediaReports === 0) {
    state.firstAtMs = sample.packetsExpected === null || highest === null ? null : atMs;
    state.firstHighestSequence = highest;
    state.firstExpectedPackets = sample.packetsExpected;
    return;
  }
  if (firstAtMs === null || highest === null) return;
  const goesOn = state.segment.number === 1 && sourceSsrc === state.ssrc && sample.packetsExpected !== null;
  const expected = goesOn ? expectedByFirst(state, sample, highest, atMs) : null;
  if (expected === undefined) return;
  state.firstAtMs = null;
  if (expected !== null) takeBack(state, expected);
}

/** Undefined while nobody can tell; null when there is nothing to take back. */
function expectedByFirst(
  state: DirectionState,
  sample: ReportSample,
  highest: number,
  atMs: number,
): number | null | undefined {
  const { total, senderPackets, senderAtMs } = state;
  const { firstAtMs, firstHighestSequence, firstExpectedPackets, packetRateHz } = state;
  if (firstAtMs === null || firstHighestSequence === null || firstExpectedPackets === null) return null;
  const sinceMs = atMs - firstAtMs;
  const moved = wrappedDelta(highest, firstHighestSequence, SEQUENCE_MODULUS);
  if (sinceMs <= 0 || moved <= 0) return null;
  if (senderPackets === null || senderAtMs === null) {
    // A first report that lost some said by its fraction how many it expected.
    const usual = (sinceMs / 1000) * packetRateHz;
    const isSlow = total.packetsLostOfExpected === 0 && moved < usual * SLOW_RATIO;
    return isSlow ? firstExpectedPackets * (moved / usual) : null;
  }
  if (senderAtMs <= firstAtMs) return undefined;
  const share = Math.min(1, (senderAtMs - firstAtMs) / sinceMs);
  // What was lost before it came here has a number, and is not in our own count.
  const lostBefore = state.direction === 'tx' ? total.packetsLostOfExpected : 0;
  const lostSince = state.direction === 'tx' ? (sample.packetsLost ?? 0) : 0;
  return senderPackets - share * (moved - lostSince) + lostBefore;
}

function takeBack(state: DirectionState, expected: number): void {
  const { total, firstExpectedPackets } = state;
  const least = Math.max(expected, total.packetsLostOfExpected);
  const tooMany = Math.round((firstExpectedPackets ?? 0) - least);
  if (tooMany <= SLACK_S * state.packetRateHz) return;
  total.packetsExpected -= tooMany;
  state.estimatedPackets = Math.max(0, state.estimatedPackets - tooMany);
  if (state.flowFromExpected !== null) state.flowFromExpected -= tooMany;
}
