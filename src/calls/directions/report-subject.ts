import type { ReportBlock } from '../../model/report.ts';
import { type DirectionState, openSegment } from './direction-state.ts';

/** Audio and video that share a port (BUNDLE) report in turn: after so many turns both SSRCs are ours. */
const SHARED_PORT_FLIPS = 3;

/**
 * Whose stream a far end's report block is about: ours, another one, or none. `unsure`: one of several streams that the far end
 * has heard, before our own first report.
 */
export type ReportSubject = 'ours' | 'another' | 'nobody' | 'unsure';

/**
 * Finds whose stream a block is about. AMI shows only report block 0. After a transfer or a queue's answer Asterisk sends with a
 * new SSRC, but a phone may still report on the old one in block 0, and its numbers stand still for ever. Only our own latest
 * `RTCPSent` tells them apart. Before our first one, a single block is about our stream, and one of several is if it has moved on
 * since the last report. In the first second of a call Asterisk may send a single packet with another SSRC, and baresip's first
 * report is about that one.
 */
export function subjectOf(state: DirectionState, block: ReportBlock, hasMoreBlocks: boolean): ReportSubject {
  const { sentSsrc, sentSsrcBefore, sentSsrcFlips } = state;
  if (hasForgotten(state, block)) return 'nobody';
  if (sentSsrc === block.sourceSsrc) return 'ours';
  // A phone that says goodbye may send a block of zeros.
  if (block.extendedHighestSequence === 0) return 'nobody';
  if (block.sourceSsrc === 0) return 'nobody';
  if (sentSsrcFlips >= SHARED_PORT_FLIPS && sentSsrcBefore === block.sourceSsrc) return 'ours';
  if (sentSsrc !== null) return 'another';
  return !hasMoreBlocks || hasMovedOn(state, block) ? 'ours' : 'unsure';
}

/** Whether the block's stream was reported on before and has received more since. */
function hasMovedOn(state: DirectionState, { sourceSsrc, extendedHighestSequence }: ReportBlock): boolean {
  if (state.markSsrc === sourceSsrc) return true;
  return state.anotherSsrc === sourceSsrc && (state.anotherHighestSequence ?? 0) < extendedHighestSequence;
}

/** Whether the block is back at the very beginning, which no receiver goes back to. Such a block is about nobody. */
export function hasForgotten({ markHighestSequence }: DirectionState, block: ReportBlock): boolean {
  return block.extendedHighestSequence === 0 && (markHighestSequence ?? 0) !== 0;
}

/** Whether the block is about our stream and none of it has arrived. It then means the same as a report without a block. */
export function isOfNothing({ markHighestSequence }: DirectionState, block: ReportBlock): boolean {
  return block.extendedHighestSequence === 0 && (markHighestSequence ?? 0) === 0;
}

/** Notes the SSRC that we send with, by our own report. */
export function noteOwnSsrc(state: DirectionState, ssrc: number, atMs: number): void {
  state.sentSsrcFlips = ssrc === state.sentSsrcBefore && ssrc !== state.sentSsrc ? state.sentSsrcFlips + 1 : 0;
  if (ssrc !== state.sentSsrc) state.sentSsrcBefore = state.sentSsrc;
  state.sentSsrc = ssrc;
  state.sentSsrcAtMs = atMs;
}

/**
 * Notes a block of which nobody can say whose stream it is about. Once that is known to be ours, the next report counts
 * everything from the beginning.
 */
export function noteUnsure(state: DirectionState, block: ReportBlock, atMs: number): void {
  state.unknownSinceMs ??= atMs;
  state.anotherSsrc = block.sourceSsrc;
  state.anotherHighestSequence = block.extendedHighestSequence;
}

/**
 * Notes a block about another stream. A single one may have crossed our own report on its way: it is about our stream before, or
 * about one that our next report will name. If it stands still, or is still about another stream after our next report, nobody
 * knows how our audio arrives. Returns whether that is new. `mayBeSilent`: nothing need have been sent.
 */
export function noteAnother(state: DirectionState, block: ReportBlock, mayBeSilent: boolean, atMs: number): boolean {
  const { sourceSsrc, extendedHighestSequence, cumulativeLostPackets } = block;
  const isStill =
    (sourceSsrc === state.markSsrc && extendedHighestSequence === state.markHighestSequence) ||
    (sourceSsrc === state.anotherSsrc && extendedHighestSequence === state.anotherHighestSequence);
  const isToldSince =
    state.anotherSinceMs !== null && state.sentSsrcAtMs !== null && state.sentSsrcAtMs > state.anotherSinceMs;
  const hasNothingSent = state.senderPackets !== null && state.senderPackets === state.markSenderPackets;
  state.anotherSinceMs ??= atMs;
  state.anotherSsrc = sourceSsrc;
  state.anotherHighestSequence = extendedHighestSequence;
  state.anotherLostPackets = cumulativeLostPackets;
  state.anotherAtMs = atMs;
  if (state.unknownSinceMs !== null || mayBeSilent || hasNothingSent || (!isStill && !isToldSince)) return false;
  openSegment(state, 'ssrc', atMs);
  return true;
}

/**
 * Whether a stream that is reported on for the first time may be one from before a hold that goes on. If the channel entered
 * another bridge since, the stream is somebody else's and began there.
 */
export function mayGoOnFromBeforeHold({ heldAtMs, movedAtMs }: DirectionState): boolean {
  return heldAtMs !== null && (movedAtMs === null || movedAtMs <= heldAtMs);
}

/**
 * Notes a far-end report about our stream. If it named that stream before we did, it counts from there. Block null: nothing
 * arrives of any stream.
 */
export function noteOurs(state: DirectionState, block: ReportBlock | null): void {
  if (state.unknownSinceMs === null && state.anotherSinceMs === null) return;
  if (
    block !== null &&
    state.anotherSinceMs !== null &&
    state.anotherSsrc === block.sourceSsrc &&
    state.markSsrc !== block.sourceSsrc
  ) {
    state.markAtMs = state.anotherAtMs;
    state.markMovedAtMs = state.anotherAtMs;
    state.markMovedSenderPackets = state.markSenderPackets;
    state.markMovedSenderAtMs = state.markSenderAtMs;
    // A stream from before goes on, as far as anybody knows. What it lost was counted then, or was not sent to it meanwhile.
    const isOfBefore = state.formerSsrc === block.sourceSsrc || mayGoOnFromBeforeHold(state);
    state.formerSsrc = state.markSsrc;
    state.markSsrc = state.anotherSsrc;
    state.markHighestSequence = state.anotherHighestSequence;
    state.markLostPackets = state.anotherLostPackets;
    state.markLostWhileStillPackets = null;
    state.baselineLostPackets = isOfBefore ? (state.anotherLostPackets ?? 0) : 0;
    state.countedLostPackets = 0;
    state.recentLostPackets = 0;
  }
  state.unknownSinceMs = null;
  state.anotherSinceMs = null;
  state.anotherSsrc = null;
  state.anotherHighestSequence = null;
  state.anotherLostPackets = null;
  state.anotherAtMs = null;
}
