import type { CapturedMedia, FrameCounts, PlayedAudio } from '../../model/capture.ts';
import type { ClockRateSource, SegmentCause } from '../../model/record.ts';
import type { Direction, SenderInfo } from '../../model/report.ts';
import { codecClockRateHz } from '../../score/codec-clock.ts';
import { addMedia } from '../../stats/packets/captured-media.ts';
import { clockRateBetween } from '../../stats/clock-rate.ts';
import { ASSUMED_CLOCK_RATE_HZ } from '../../units/rtp.ts';
import type { StoredRow } from '../../stats/number-row.ts';
import { DirectionMarks } from './direction-marks.ts';
import { beginFlow, NO_PAST_FLOW, type PastFlow } from '../why/flow.ts';
import { type DoubtedJitter, noteSenderCounts } from './told-digits.ts';
import { addRoundTrip, foldJitter, isTallyDead, Tally } from './tally.ts';

/** The usual rate, of packets of 20 ms. */
const USUAL_PACKET_RATE_HZ = 50;

export interface SentCount {
  readonly packets: number;
  readonly octets: number;
}

/** The RTP session that a direction is in. */
export interface SegmentState {
  readonly number: number;
  readonly openedBy: SegmentCause;
  readonly startedAtMs: number;
  /** What the sender had sent when the session began; null: it is the channel's first, or that is not known. */
  readonly sentBefore: SentCount | null;
  /** What had been captured when the session began; absent: it is the channel's first. */
  readonly playedBefore?: PlayedAudio;
  /** The session's sums; null: it is the first, so they are the direction's `total`. */
  readonly tally: Tally | null;
}

/** What was captured of streams that are over, and of those that go on. */
interface Captured {
  readonly closed: CapturedMedia | null;
  readonly open: CapturedMedia | null;
}

const NOTHING_CAPTURED: Captured = { closed: null, open: null };

/** Why and when a new segment begins, with the next report. */
interface NextSegment {
  readonly cause: SegmentCause;
  readonly atMs: number;
  readonly sentBefore: SentCount | null;
  readonly playedBefore?: PlayedAudio;
}

/** Everything known of one direction of a channel. It is stored as it is, and scoring goes on from it after a restart. */
export class DirectionState extends DirectionMarks {
  readonly direction: Direction;
  /** The codec at the last report; null: not known. */
  codec: string | null = null;
  /** Another codec that Asterisk named. It counts from the next report on. */
  nextCodec: string | null = null;
  clockRateHz = ASSUMED_CLOCK_RATE_HZ;
  clockRateSource: ClockRateSource = 'assumed';
  /** Reports may have been missed since the last one. */
  reportsMissed = false;
  /** Sums over the channel's whole life. `reports` is also the last report number given. */
  readonly total: Tally;
  segment: SegmentState;
  nextSegment: NextSegment | null = null;
  captured = NOTHING_CAPTURED;
  pastFlow: PastFlow = NO_PAST_FLOW;
  /** Null: none; see `told-digits.ts`. */
  doubted: DoubtedJitter | null = null;
  /** A party holds the call, so that music flows, or nothing. */
  isFlowHeld = false;

  /** `stored` and `total`: those of a direction that goes on after a restart. */
  constructor(direction: Direction, startedAtMs: number, stored?: StoredRow, total = new Tally()) {
    super(stored);
    this.direction = direction;
    if (stored === undefined) this.packetRateHz = USUAL_PACKET_RATE_HZ;
    this.total = total;
    this.segment = { number: 1, openedBy: 'start', startedAtMs, sentBefore: null, tally: null };
  }

  /** The same direction with another codec or clock rate. */
  with(other: Pick<DirectionState, 'codec' | 'clockRateHz' | 'clockRateSource'>): DirectionState {
    return Object.assign(new DirectionState(this.direction, 0), this, other);
  }

  override toJSON(): object {
    return Object.assign({}, this);
  }
}

/** What the reports of the current segment add up to. */
export function segmentTally({ segment, total }: DirectionState): Tally {
  return segment.tally ?? total;
}

/** Takes what the sender of this direction reports: its packet count and, with the SR before, its clock rate. */
export function noteSender(state: DirectionState, sr: SenderInfo, atMs: number): void {
  const { srNtpS, srRtpTicks, srPackets } = state;
  noteSenderCounts(state, sr.sentPackets, sr.sentOctets, atMs);
  state.srNtpS = sr.ntpS;
  state.srRtpTicks = sr.rtpTicks;
  if (srNtpS === null || srRtpTicks === null || srPackets === null) return;
  const rateHz = clockRateBetween({ ntpS: srNtpS, rtpTicks: srRtpTicks }, sr);
  if (rateHz === undefined) return;
  noteClockRate(state, rateHz, 'sr');
  const packetRateHz = (sr.sentPackets - srPackets) / (sr.ntpS - srNtpS);
  if (packetRateHz > state.packetRateHz) state.packetRateHz = Math.min(packetRateHz, 2 * USUAL_PACKET_RATE_HZ);
}

/**
 * Better knowledge of the clock rate replaces poorer: SRs are better than the codec, the codec is better than an assumption.
 * Equally good knowledge of another rate (another codec, other SRs) means that the clock has changed.
 */
export function noteClockRate(state: DirectionState, rateHz: number, source: 'sr' | 'codec'): void {
  if (source === 'codec' && state.clockRateSource === 'sr') return;
  if (state.clockRateSource === source && rateHz !== state.clockRateHz) {
    foldJitter(state.total, state.clockRateHz);
    if (state.segment.tally !== null) foldJitter(state.segment.tally, state.clockRateHz);
  }
  state.clockRateHz = rateHz;
  state.clockRateSource = source;
}

/** Takes what was captured: `closed` is new and stays, `open` replaces what was open before. */
export function noteCaptured(state: DirectionState, open: CapturedMedia | null, closed: CapturedMedia | null): void {
  state.captured = { closed: addMedia(state.captured.closed, closed), open };
}

/** After a restart, streams that were open do not go on. */
export function closeCaptured(state: DirectionState): void {
  noteCaptured(state, null, state.captured.open);
}

/** Everything captured of the direction; null: nothing was. */
export function capturedOf({ captured }: Pick<DirectionState, 'captured'>): CapturedMedia | null {
  return addMedia(captured.closed, captured.open);
}

/** Notes a round trip. It belongs to the channel, and so to both directions. */
export function noteRoundTrip(state: DirectionState, rttMs: number): void {
  addRoundTrip(state.total, rttMs);
  if (state.segment.tally !== null) addRoundTrip(state.segment.tally, rttMs);
}

/**
 * The direction got another source, so sequence and timestamps may jump although no packet is lost or late. `isBeginning`: the
 * channel has just been answered, so there may be nothing yet from which they jump.
 */
export function noteDisturbance(state: DirectionState, cause: SegmentCause, atMs: number, isBeginning: boolean): void {
  if (cause === 'hold' || cause === 'retrieve') state.heldAtMs = atMs;
  if (isBeginning && state.total.mediaReports === 0) return;
  state.disturbedAtMs = atMs;
  openSegment(state, cause, atMs);
}

/** The next report begins a new RTP session. A segment without reports is not closed; it gets the new cause. */
export function openSegment(state: DirectionState, cause: SegmentCause, atMs: number): void {
  if (segmentTally(state).reports === 0 && state.segment.number > 1) {
    state.segment = { ...state.segment, openedBy: cause, startedAtMs: atMs, ...soFar(state) };
  } else if (state.total.reports > 0) {
    state.nextSegment ??= { cause, atMs, ...soFar(state) };
  }
}

/** Begins the sums of a new RTP session, with the first report after what opened it. */
export function beginSegment(
  state: DirectionState,
  { cause, atMs, ...before }: NonNullable<DirectionState['nextSegment']>,
): void {
  const number = state.segment.number + 1;
  state.segment = { number, openedBy: cause, startedAtMs: atMs, ...before, tally: new Tally() };
  state.nextSegment = null;
  beginFlow(state, cause);
}

function soFar(state: DirectionState): Pick<NextSegment, 'sentBefore' | 'playedBefore'> {
  const playedBefore = playedSoFar(state);
  return { sentBefore: sentSoFar(state), ...(playedBefore === undefined ? {} : { playedBefore }) };
}

function playedSoFar(state: DirectionState): PlayedAudio | undefined {
  const media = capturedOf(state);
  if (media === null) return undefined;
  const { packetsReceived, frames10ms } = media.tally;
  return { packetsReceived, frames10ms };
}

/** How the captured packets of this segment were played; undefined: nothing was captured. */
export function playedInSegment(state: DirectionState): PlayedAudio | undefined {
  const until = state.nextSegment?.playedBefore ?? playedSoFar(state);
  const before = state.segment.playedBefore;
  if (until === undefined || before === undefined) return until;
  const since = (name: keyof FrameCounts): number => Math.max(0, until.frames10ms[name] - before.frames10ms[name]);
  return {
    packetsReceived: Math.max(0, until.packetsReceived - before.packetsReceived),
    frames10ms: { normal: since('normal'), plc: since('plc'), cng: since('cng'), silence: since('silence') },
  };
}

function sentSoFar({ srPackets: packets, srOctets: octets }: DirectionState): SentCount | null {
  return packets === null || octets === null ? null : { packets, octets };
}

/** What the sender says it has sent in this segment; null: it has said nothing. A smaller count began anew. */
export function sentInSegment(state: DirectionState): SentCount | null {
  const before = state.segment.sentBefore;
  const until = state.nextSegment === null ? sentSoFar(state) : state.nextSegment.sentBefore;
  if (until === null || before === null || until.packets < before.packets) return until;
  return { packets: until.packets - before.packets, octets: Math.max(0, until.octets - before.octets) };
}

/**
 * Asterisk named the direction's codec; null: it did not. The first codec counts from the channel's beginning. Another one counts
 * from the next report on, which begins a new RTP session, unless a new session has just shown itself: then it counts from that
 * session's beginning. Returns whether the codec is new.
 */
export function noteCodec(state: DirectionState, codec: string | null, atMs: number): boolean {
  if (codec === null || codec === (state.nextCodec ?? state.codec)) return false;
  if (state.codec === null || state.total.reports === 0) {
    useCodec(state, codec);
    return true;
  }
  const hasJustBegun = state.segment.number > 1 && segmentTally(state).reports === 1;
  if (!hasJustBegun) openSegment(state, 'codec', atMs);
  state.nextCodec = codec;
  return true;
}

/** Sets the direction's codec. Its clock rate serves until SRs show one. */
export function useCodec(state: DirectionState, codec: string): void {
  state.codec = codec;
  state.nextCodec = null;
  const rateHz = codecClockRateHz(codec);
  if (rateHz !== undefined) noteClockRate(state, rateHz, 'codec');
}

/** The direction's codec; null: its clock rate contradicts the codec that Asterisk names. */
export function knownCodec({ codec, clockRateHz, clockRateSource }: DirectionState): string | null {
  if (codec === null || clockRateSource !== 'sr') return codec;
  const rateHz = codecClockRateHz(codec);
  return rateHz === undefined || rateHz === clockRateHz ? codec : null;
}

/** Received packets by the reports alone, without estimates. */
export function leastReceived({ total, estimatedPackets }: DirectionState): number {
  return total.packetsExpected - total.packetsLostOfExpected - estimatedPackets;
}

/** Whether packets were sent and none of them ever arrived, as far as anybody can tell. */
export function isDead(state: DirectionState): boolean {
  return state.unknownSinceMs === null && isTallyDead(state.total);
}
