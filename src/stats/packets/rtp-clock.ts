import { RTP_CLOCK_RATES_HZ } from '../../units/rtp.ts';

/** One packet, as the rate of an RTP clock is measured from it. */
export interface ClockPoint {
  readonly sequence: number;
  /** Signed 32 bits. */
  readonly timestamp: number;
  readonly atMs: number;
}

/** Fewer packets, or a shorter time, do not tell. */
const LEAST_PACKETS = 12;
const LEAST_SPAN_MS = 150;
/** A pause ends a piece, and so does a step of this many usual ones: there the clock may have jumped or stood still. */
const PAUSE_MS = 1000;
const JUMP_STEPS = 25;
/** How far a measured rate may be from a standard one and still be taken for it. */
const TOLERANCE_RATIO = 0.05;
const MAX_ERROR_RATIO = 0.1;
/**
 * Three standard errors of the difference between two medians of m values each, in standard deviations: 3 × 1.253 × √2 / √m. What
 * delays one packet also delays its neighbours, so the error never counts as less than one standard deviation.
 */
const ERRORS = 5.32;
/** Standard deviations in one median absolute deviation of a normal distribution. */
const DEVIATIONS_PER_MAD = 1.4826;

/**
 * The standard clock rate at which the packets' RTP time went on while they arrived, measured over the longest piece without a
 * pause or jump; undefined: the packets do not tell yet. The slope is that of Tukey's resistant line, between the medians of the
 * first and the last third. Late, early or bunched packets do not turn it.
 */
export function measuredClockRateHz(points: readonly ClockPoint[]): number | undefined {
  const slope = slopeOf(longestPiece(points));
  if (slope === undefined) return undefined;
  const [nearest, second] = RTP_CLOCK_RATES_HZ.toSorted((a, b) => Math.abs(slope.hz - a) - Math.abs(slope.hz - b));
  if (nearest === undefined || second === undefined) return undefined;
  const offRatio = Math.abs(slope.hz - nearest) / nearest;
  const halfWayRatio = Math.abs(second - nearest) / nearest / 2;
  const isSure = slope.errorRatio <= MAX_ERROR_RATIO && offRatio + slope.errorRatio < halfWayRatio;
  return isSure && offRatio <= TOLERANCE_RATIO ? nearest : undefined;
}

/** Whether the first and the last packet fit this clock rate roughly. It is a first look, before anything is sorted. */
export function looksLikeClock(points: readonly ClockPoint[], clockRateHz: number, withinRatio: number): boolean {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return false;
  const hz = (((last.timestamp - first.timestamp) | 0) / (last.atMs - first.atMs)) * 1000;
  return Math.abs(hz / clockRateHz - 1) <= withinRatio;
}

/** A packet's place within a piece; ticks count from the piece's begin. */
interface Place {
  readonly ticks: number;
  readonly atMs: number;
}

function longestPiece(points: readonly ClockPoint[]): readonly Place[] {
  const usualTicks = median(neighbours(points).flatMap(({ step, ticks }) => (ticks > 0 ? [ticks / step] : [])));
  let longest: Place[] = [];
  let piece: Place[] = [];
  let ticksSoFar = 0;
  for (const { step, ticks, elapsedMs, atMs } of neighbours(points)) {
    if (elapsedMs > PAUSE_MS || ticks < -3 * usualTicks || ticks > JUMP_STEPS * usualTicks * step) {
      if (piece.length > longest.length) longest = piece;
      piece = [];
      ticksSoFar = 0;
    }
    ticksSoFar = piece.length === 0 ? 0 : ticksSoFar + ticks;
    piece.push({ ticks: ticksSoFar, atMs });
  }
  return piece.length > longest.length ? piece : longest;
}

/** The steps from each packet to the next one with a higher sequence number. */
function neighbours(points: readonly ClockPoint[]): { step: number; ticks: number; elapsedMs: number; atMs: number }[] {
  const pairs: { step: number; ticks: number; elapsedMs: number; atMs: number }[] = [];
  let [before] = points;
  for (const point of points) {
    if (before === undefined) break;
    const step = (point.sequence - before.sequence) & 0xffff;
    if (step === 0 || step > 0x8000) continue;
    pairs.push({
      step,
      ticks: (point.timestamp - before.timestamp) | 0,
      elapsedMs: point.atMs - before.atMs,
      atMs: point.atMs,
    });
    before = point;
  }
  return pairs;
}

function slopeOf(piece: readonly Place[]): { readonly hz: number; readonly errorRatio: number } | undefined {
  if (piece.length < LEAST_PACKETS) return undefined;
  const third = Math.floor(piece.length / 3);
  const [left, right] = [piece.slice(0, third), piece.slice(-third)];
  const spanMs = median(right.map(({ atMs }) => atMs)) - median(left.map(({ atMs }) => atMs));
  const spanTicks = median(right.map(({ ticks }) => ticks)) - median(left.map(({ ticks }) => ticks));
  if (!(spanMs >= LEAST_SPAN_MS) || !(spanTicks > 0)) return undefined;
  const ticksPerMs = spanTicks / spanMs;
  const first = piece[0]?.atMs ?? 0;
  const offMs = piece.map(({ ticks, atMs }) => atMs - first - ticks / ticksPerMs);
  const middleMs = median(offMs);
  const spreadMs = DEVIATIONS_PER_MAD * median(offMs.map((off) => Math.abs(off - middleMs)));
  return { hz: ticksPerMs * 1000, errorRatio: (spreadMs * Math.max(1, ERRORS / Math.sqrt(third))) / spanMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
