import type { SegmentCause } from '../../model/record.ts';
import type { DirectionMarks } from '../directions/direction-marks.ts';
import type { ReportSample, Tally } from '../directions/tally.ts';

/** In a shorter stretch of time its two ends weigh too much: two intervals of 5 s, whose reports may come early. */
const LONG_ENOUGH_MS = 9500;

/** Octets of payload in 1 ms of audio, for codecs with a constant rate, by Asterisk's names. */
const OCTETS_PER_MS: Readonly<Record<string, number>> = {
  ulaw: 8,
  alaw: 8,
  g722: 8,
  g726: 4,
  g726aal2: 4,
  adpcm: 4,
  gsm: 33 / 20,
  g729: 1,
  // 38 / 20 with frames of 20 ms.
  ilbc: 50 / 30,
  slin: 16,
  slin16: 32,
};

/** What a receiver counted between two of its reports. */
interface ReceiverFlow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly expectedPerMs: number;
  readonly receivedPerMs: number;
}

/** What a sender counted between two of its SRs. */
interface SenderFlow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly packetsPerMs: number;
  /** Milliseconds of audio sent in one millisecond; null: the codec does not tell. */
  readonly audioPerMs: number | null;
}

/**
 * The flow of the last session that was long enough. It stays until the next such session. The session that remains after the
 * other party hung up is short, and says nothing about the call.
 */
export interface PastFlow {
  readonly received: ReceiverFlow | null;
  readonly sent: SenderFlow | null;
}

/** What is followed of a direction. */
export interface FlowState extends DirectionMarks {
  readonly total: Tally;
  /** Asterisk's name of the codec; null: not known. */
  readonly codec: string | null;
  pastFlow: PastFlow;
  isFlowHeld: boolean;
}

export const NO_PAST_FLOW: PastFlow = { received: null, sent: null };
/** One in which no optional part is missing. */
export const WHOLE_PAST_FLOW: PastFlow = {
  received: { fromMs: 0, toMs: 0, expectedPerMs: 0, receivedPerMs: 0 },
  sent: { fromMs: 0, toMs: 0, packetsPerMs: 0, audioPerMs: 0 },
};

/** Takes a receiver's report. What the receiver expects and gets is followed from the first report of a session on. */
export function noteReceiverFlow(state: FlowState, sample: ReportSample, atMs: number): void {
  const { total } = state;
  const isUncounted = sample.kind === 'unused' || (sample.kind === 'media' && sample.packetsExpected === null);
  // Packets that nobody counted passed in this interval, so begin anew after it.
  if (isUncounted) return endReceiverFlow(state, !state.isFlowHeld);
  if (total.mediaReports === 0) return;
  if (state.flowSinceMs === null) {
    state.flowSinceMs = atMs;
    state.flowFromExpected = total.packetsExpected;
    state.flowFromLost = total.packetsLostOfExpected;
  }
  state.flowAtMs = atMs;
}

/** Takes a sender's counts (SR) once media flows. */
export function noteSenderFlow(state: FlowState, packets: number, octets: number, atMs: number): void {
  const { srFlowPackets } = state;
  // A smaller count began anew.
  if (srFlowPackets !== null && packets < srFlowPackets) endSenderFlow(state, !state.isFlowHeld);
  if (state.srFlowSinceMs === null) {
    if (state.total.mediaReports === 0) return;
    state.srFlowSinceMs = atMs;
    state.srFlowFromPackets = packets;
    state.srFlowFromOctets = octets;
  }
  state.srFlowAtMs = atMs;
  state.srFlowPackets = packets;
  state.srFlowOctets = octets;
}

/** A new session begins, for this `cause`. What flowed on hold does not count. */
export function beginFlow(state: FlowState, cause: SegmentCause): void {
  const isOfTalk = !state.isFlowHeld && cause !== 'retrieve';
  endReceiverFlow(state, isOfTalk);
  endSenderFlow(state, isOfTalk);
  if (cause === 'hold') state.isFlowHeld = true;
  else if (cause === 'retrieve' || cause === 'bridge') state.isFlowHeld = false;
}

function endReceiverFlow(state: FlowState, isKept: boolean): void {
  const received = isKept ? receiverFlow(state) : undefined;
  if (received !== undefined) state.pastFlow = { ...state.pastFlow, received };
  state.flowSinceMs = null;
}

function endSenderFlow(state: FlowState, isKept: boolean): void {
  const sent = isKept ? senderFlow(state) : undefined;
  if (sent !== undefined) state.pastFlow = { ...state.pastFlow, sent };
  state.srFlowSinceMs = null;
  state.srFlowPackets = null;
}

/** The receiver's flow of the present session; undefined: it is too short. */
function receiverFlow(state: FlowState): ReceiverFlow | undefined {
  const { flowSinceMs: fromMs, flowAtMs: toMs, flowFromExpected, flowFromLost, total } = state;
  if (fromMs === null || toMs === null || toMs - fromMs < LONG_ENOUGH_MS) return undefined;
  const expected = total.packetsExpected - (flowFromExpected ?? 0);
  const lost = total.packetsLostOfExpected - (flowFromLost ?? 0);
  const spanMs = toMs - fromMs;
  return { fromMs, toMs, expectedPerMs: expected / spanMs, receivedPerMs: (expected - lost) / spanMs };
}

/** The sender's flow of the present session; undefined: it is too short. */
function senderFlow(state: FlowState): SenderFlow | undefined {
  const { srFlowSinceMs: fromMs, srFlowAtMs: toMs, srFlowFromPackets, srFlowFromOctets } = state;
  if (fromMs === null || toMs === null || toMs - fromMs < LONG_ENOUGH_MS) return undefined;
  const packets = (state.srFlowPackets ?? 0) - (srFlowFromPackets ?? 0);
  const octets = (state.srFlowOctets ?? 0) - (srFlowFromOctets ?? 0);
  const octetsPerMs = octetRate(state);
  const spanMs = toMs - fromMs;
  const audioPerMs = octetsPerMs === undefined ? null : octets / octetsPerMs / spanMs;
  return { fromMs, toMs, packetsPerMs: packets / spanMs, audioPerMs };
}

/**
 * The receiver's flows of the present session, unless that is on hold, and of the session before it, as far as they are long
 * enough.
 */
function receiverFlows(state: FlowState, isOnHold = state.isFlowHeld): ReceiverFlow[] {
  return known(isOnHold ? undefined : receiverFlow(state), state.pastFlow.received);
}

function senderFlows(state: FlowState, isOnHold = state.isFlowHeld): SenderFlow[] {
  return known(isOnHold ? undefined : senderFlow(state), state.pastFlow.sent);
}

/** Plain pushes instead of nested lists, because every report comes through here. */
function known<Flow>(present: Flow | undefined, past: Flow | null): Flow[] {
  if (present === undefined) return past === null ? [] : [past];
  return past === null ? [present] : [present, past];
}

type Stretch = Pick<ReceiverFlow, 'fromMs' | 'toMs'>;

/** Whether the flows were mostly counted at the same time: sessions of different directions need not be the same. */
function areOfOneTime(one: Stretch, other: Stretch, third = other): boolean {
  const sharedMs = Math.min(one.toMs, other.toMs, third.toMs) - Math.max(one.fromMs, other.fromMs, third.fromMs);
  const isMostOf = ({ fromMs, toMs }: Stretch): boolean => sharedMs >= (toMs - fromMs) / 2;
  return isMostOf(one) && isMostOf(other) && isMostOf(third);
}

/**
 * Gaps in the numbering of what was sent, in percent of the numbers: packets that never came in and were left out, which the far
 * end counts as lost, too. They follow from the sender's count of packets and the receiver's sequence numbers; undefined: one of
 * these is not known.
 */
export function gapsSentPercent(state: FlowState): number | undefined {
  for (const sent of senderFlows(state)) {
    for (const received of receiverFlows(state)) {
      if (received.expectedPerMs <= 0 || !areOfOneTime(sent, received)) continue;
      return 100 * Math.max(0, 1 - sent.packetsPerMs / received.expectedPerMs);
    }
  }
  return undefined;
}

/**
 * The part of the audio from one party (`upstream`, rx) that went out to the other (`downstream`, tx); 1 is all of it. It is
 * measured in milliseconds of audio, so that packet lengths do not matter. Undefined: a codec or a count does not tell, or hardly
 * anything comes in. While a party `isOnHold`, it is the part before the hold.
 */
export function sentOnRatio(upstream: FlowState, downstream: FlowState, isOnHold: boolean): number | undefined {
  const tos = senderFlows(downstream, isOnHold || downstream.isFlowHeld);
  if (tos.length === 0) return undefined;
  const froms = senderFlows(upstream, isOnHold || upstream.isFlowHeld);
  if (froms.length === 0) return undefined;
  const receiveds = receiverFlows(upstream, isOnHold || upstream.isFlowHeld);
  for (const to of tos) {
    for (const from of froms) {
      for (const received of receiveds) {
        if (areOfOneTime(to, from, received)) return ratioOf(received, from, to);
      }
    }
  }
  return undefined;
}

function ratioOf(received: ReceiverFlow, from: SenderFlow, to: SenderFlow): number | undefined {
  if (from.audioPerMs === null || to.audioPerMs === null) return undefined;
  const audioIn = (received.receivedPerMs * from.audioPerMs) / from.packetsPerMs;
  return audioIn > LEAST_AUDIO_RATIO ? to.audioPerMs / audioIn : undefined;
}

/** The part of the time in which audio must come in: less may be noise, or a silent party. */
const LEAST_AUDIO_RATIO = 0.3;

/** Octets in a millisecond of the direction's audio; undefined: it is not always the same. */
export function octetRate({ codec }: FlowState): number | undefined {
  return codec !== null && Object.hasOwn(OCTETS_PER_MS, codec) ? OCTETS_PER_MS[codec] : undefined;
}
