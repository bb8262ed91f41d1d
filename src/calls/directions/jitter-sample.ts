import type { ReportBlock } from '../../model/report.ts';
import type { MediaMeasure } from '../../stats/interval.ts';
import { isJitterOfJump, wasJumpAtFirst } from '../../stats/jitter-jump.ts';
import { ticksToMs } from '../../units/rtp.ts';
import type { DirectionState } from './direction-state.ts';
import {
  forgetJitter,
  hasJitter,
  jitterFigures,
  lastRoundTripMs,
  lossPercentOf,
  onlyJitterTicks,
  roundTripMeanMs,
} from './tally.ts';

/**
 * Interarrival jitter forgets a jump of the timestamps by 1/16 a packet (RFC 3550 §6.4.1). A stream that goes on with other
 * timestamps, as after an attended transfer, may jump by half of their 32 bits: of that, 250 packets leave 1.7 ms at 8 kHz.
 */
const DISTURBED_JITTER_MS = 5000;
/** Jitter below this is never suspect; see `stats/jitter-jump.ts`. */
const UNSUSPECTED_MS = 200;
/** With this loss (percent), or a round trip so much above the mean (ms), high jitter is the network's own. */
const ILL_LOSS_PERCENT = 1;
const ILL_LOSS_RATIO = 2;
const ILL_ROUND_TRIP_MS = 100;

export interface JitterSample {
  /** Null: the report gives no sample. */
  readonly jitterTicks: number | null;
  /** The sender's clock had jumped without an event that explains it, so the sample was left out. */
  readonly isReset: boolean;
}

const NO_SAMPLE: JitterSample = { jitterTicks: null, isReset: false };

/** The jitter of a report about packets that moved; no sample where something else than the network made it. */
export function jitterSample(
  state: DirectionState,
  measure: MediaMeasure,
  block: ReportBlock | null,
  atMs: number,
): JitterSample {
  if (block === null) return NO_SAMPLE;
  const { jitterTicks } = block;
  const { packetsExpected, packetsLost } = measure;
  const packetsReceived = Math.max(0, (packetsExpected ?? 0) - (packetsLost ?? 0));
  forgetJumpAtFirst(state, jitterTicks, packetsReceived);
  const { refusedJitterTicks } = state;
  if (hasDigit(state)) {
    state.refusedJitterTicks = jitterTicks;
    return { jitterTicks: null, isReset: true };
  }
  if (measure.isRestart || isDisturbed(state, atMs)) {
    state.refusedJitterTicks = jitterTicks;
    return NO_SAMPLE;
  }
  const jitterMs = ticksToMs(jitterTicks, state.clockRateHz);
  if (refusedJitterTicks === null && jitterMs <= UNSUSPECTED_MS) return { jitterTicks, isReset: false };
  const isReset = isJitterOfJump({
    jitterMs,
    meanMs: hasJitter(state.total) ? jitterFigures(state.total, state.clockRateHz).meanMs : null,
    refusedMs: refusedJitterTicks === null ? null : ticksToMs(refusedJitterTicks, state.clockRateHz),
    packetsReceived,
    isNetworkIll: isLossUnusual(state, measure) || isRoundTripUnusual(state),
  });
  state.refusedJitterTicks = isReset ? jitterTicks : null;
  return { jitterTicks: isReset ? null : jitterTicks, isReset };
}

/**
 * Removes the first report's jitter if the next report's shows that the sender's clock had jumped before it. `packetsReceived`:
 * between the two; 0 when not known.
 */
export function forgetJumpAtFirst(state: DirectionState, jitterTicks: number | null, packetsReceived: number): void {
  const { total, clockRateHz } = state;
  const firstTicks = onlyJitterTicks(total);
  if (firstTicks === null || jitterTicks === null || (lossPercentOf(total) ?? 0) >= ILL_LOSS_PERCENT) return;
  const [firstMs, nextMs] = [ticksToMs(firstTicks, clockRateHz), ticksToMs(jitterTicks, clockRateHz)];
  if (!wasJumpAtFirst(firstMs, nextMs, packetsReceived)) return;
  forgetJitter(total);
  const ofSegment = state.segment.tally;
  if (ofSegment !== null && onlyJitterTicks(ofSegment) !== null) forgetJitter(ofSegment);
  state.refusedJitterTicks = firstTicks;
}

/** A digit may have begun before the last report, or gone on after it, by so much. */
const DIGIT_SLACK_MS = 500;

/**
 * Whether a digit was sent since the last report. All packets of a digit have the time at which it began (RFC 4733), so the
 * receiver counts its length as jitter: three digits are 100 ms at the next report.
 */
export function hasDigit({ digitAtMs, markAtMs }: DirectionState): boolean {
  return digitAtMs !== null && (markAtMs === null || digitAtMs > markAtMs - DIGIT_SLACK_MS);
}

function isDisturbed({ disturbedAtMs }: DirectionState, atMs: number): boolean {
  return disturbedAtMs !== null && atMs < disturbedAtMs + DISTURBED_JITTER_MS;
}

function isLossUnusual({ total }: DirectionState, { packetsExpected, packetsLost }: MediaMeasure): boolean {
  if (packetsExpected === null || packetsLost === null || packetsExpected === 0) return false;
  const percent = (100 * packetsLost) / packetsExpected;
  return percent >= ILL_LOSS_PERCENT && percent >= ILL_LOSS_RATIO * (lossPercentOf(total) ?? 0);
}

function isRoundTripUnusual({ total }: DirectionState): boolean {
  const meanMs = roundTripMeanMs(total);
  const lastMs = lastRoundTripMs(total);
  if (meanMs === undefined || lastMs === undefined) return false;
  return lastMs - meanMs >= Math.max(ILL_ROUND_TRIP_MS, meanMs);
}
