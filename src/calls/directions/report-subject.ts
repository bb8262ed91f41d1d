import type { ReportBlock } from '../../model/report.ts';
import { type DirectionState, openSegment } from './direction-state.ts';

/** Audio and video that share a port (BUNDLE) report in turn: after so many turns both SSRCs are ours. */
const SHARED_PORT_FLIPS = 3;

/**
 * Whose stream a far end's report block is about: the one that we send, another one, or none at all. `unsure`: one of several
 * that it has heard, and our own first report has not come yet.
 */
export type ReportSubject = 'ours' | 'another' | 'nobody' | 'unsure';

/**
 * AMI shows report block 0 alone. After a transfer or a queue answer Asterisk sends with a new SSRC, and a phone may go on to
 * report on the old one in block 0, whose numbers stand still for ever: only our own latest `RTCPSent` tells the two apart.
 * Before the first one an only block is about our stream; one of several is when it has moved on since the report before. In
 * the first second of a call Asterisk may send a single packet with another SSRC: baresip's first report is about that one.
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

/** The stream of the block was reported on before, and more of it has arrived since. */
function hasMovedOn(state: DirectionState, { sourceSsrc, extendedHighestSequence }: ReportBlock): boolean {
  if (state.markSsrc === sourceSsrc) return true;
  return state.anotherSsrc === sourceSsrc && (state.anotherHighestSequence ?? 0) < extendedHighestSequence;
}

/** A receiver does not go back to the very beginning: such a block is about nobody. */
export function hasForgotten({ markHighestSequence }: DirectionState, block: ReportBlock): boolean {
  return block.extendedHighestSequence === 0 && (markHighestSequence ?? 0) !== 0;
}

/** A block about our stream of which not one packet has arrived: it says what a report without a block says. */
export function isOfNothing({ markHighestSequence }: DirectionState, block: ReportBlock): boolean {
  return block.extendedHighestSequence === 0 && (markHighestSequence ?? 0) === 0;
}

/** The SSRC that we send with, by our own report. */
export function noteOwnSsrc(state: DirectionState, ssrc: number, atMs: number): void {
  state.sentSsrcFlips = ssrc === state.sentSsrcBefore && ssrc !== state.sentSsrc ? state.sentSsrcFlips + 1 : 0;
  if (ssrc !== state.sentSsrc) state.sentSsrcBefore = state.sentSsrc;
  state.sentSsrc = ssrc;
  state.sentSsrcAtMs = atMs;
}

/** Nobody can say whose stream the block is about. Once it is known to be ours, the next report counts all from the beginning. */
export function noteUnsure(state: DirectionState, block: ReportBlock, atMs: number): void {
  state.unknownSinceMs ??= atMs;
  state.anotherSsrc = block.sourceSsrc;
  state.anotherHighestSequence = block.extendedHighestSequence;
}

/**
 * The block is about another stream than ours. A single such block may have crossed our own report on its way: it is of the
 * stream before, or of the one that our next report will name. When it stands still, or our next report has come and it is
 * still another, nobody knows any more how our audio arrives: returns whether that is news. `mayBeSilent`: nothing need have
 * been sent.
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
 * A stream that is reported on for the first time may be that of before a hold, which goes on. In another bridge since then it is
 * that of somebody else, and has begun there.
 */
export function mayGoOnFromBeforeHold({ heldAtMs, movedAtMs }: DirectionState): boolean {
  return heldAtMs !== null && (movedAtMs === null || movedAtMs <= heldAtMs);
}

/**
 * The far end's report is about our stream, perhaps one that it named before we did: then it counts from there. Or it has no
 * block at all (null), since nothing arrives of any stream.
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
    // A stream of before goes on, as far as anybody knows: what it lost was counted then, or was not sent to it meanwhile.
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
