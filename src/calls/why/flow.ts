import type { DirectionState } from '../directions/direction-state.ts';
import type { ReportSample } from '../directions/tally.ts';

/** Over less than this the two ends of a stretch of time weigh too much. */
const LONG_ENOUGH_MS = 10_000;

/** Octets of payload in 1 ms of audio, of codecs that have the same number all the time, by Asterisk's name. */
const OCTETS_PER_MS: Readonly<Record<string, number>> = {
  ulaw: 8,
  alaw: 8,
  g722: 8,
  g726: 4,
  g726aal2: 4,
  adpcm: 4,
  gsm: 33 / 20,
  g729: 1,
  // With frames of 20 ms it is 38 / 20.
  ilbc: 50 / 30,
  slin: 16,
  slin16: 32,
};

/** A receiver has reported: what it expects and gets is followed from the first report of a session on. */
export function noteReceiverFlow(state: DirectionState, sample: ReportSample, atMs: number): void {
  const { total } = state;
  const isUncounted = sample.kind === 'unused' || (sample.kind === 'media' && sample.packetsExpected === null);
  // Packets that nobody counted passed in this interval: begin afresh.
  if (isUncounted) state.flowSinceMs = null;
  else if (total.mediaReports === 0) return;
  else if (state.flowSinceMs === null) {
    state.flowSinceMs = atMs;
    state.flowFromExpected = total.packetsExpected;
    state.flowFromLost = total.packetsLostOfExpected;
  }
  state.flowAtMs = atMs;
}

/** A sender has told how much it has sent (SR), when media flowed already. */
export function noteSenderFlow(state: DirectionState, packets: number, octets: number, atMs: number): void {
  const { srFlowSinceMs, srFlowPackets } = state;
  // A smaller count was begun afresh.
  const isNew = srFlowSinceMs === null || (srFlowPackets !== null && packets < srFlowPackets);
  if (isNew && state.total.mediaReports === 0) return;
  if (isNew) {
    state.srFlowSinceMs = atMs;
    state.srFlowFromPackets = packets;
    state.srFlowFromOctets = octets;
  }
  state.srFlowAtMs = atMs;
  state.srFlowPackets = packets;
  state.srFlowOctets = octets;
}

/** A new session begins: what flowed before is of no account. */
export function beginFlow(state: DirectionState): void {
  state.flowSinceMs = null;
  state.srFlowSinceMs = null;
}

interface ReceiverFlow {
  readonly expectedPerMs: number;
  readonly receivedPerMs: number;
}

function receiverFlow({
  total,
  flowSinceMs,
  flowAtMs,
  flowFromExpected,
  flowFromLost,
}: DirectionState): ReceiverFlow | undefined {
  if (flowSinceMs === null || flowAtMs === null || flowFromExpected === null || flowFromLost === null) return undefined;
  const spanMs = flowAtMs - flowSinceMs;
  if (spanMs < LONG_ENOUGH_MS) return undefined;
  const expected = total.packetsExpected - flowFromExpected;
  const lost = total.packetsLostOfExpected - flowFromLost;
  return { expectedPerMs: expected / spanMs, receivedPerMs: (expected - lost) / spanMs };
}

interface SenderFlow {
  readonly packetsPerMs: number;
  readonly octetsPerMs: number;
  readonly octetsPerPacket: number;
}

function senderFlow(state: DirectionState): SenderFlow | undefined {
  const { srFlowSinceMs, srFlowAtMs, srFlowFromPackets, srFlowFromOctets, srFlowPackets, srFlowOctets } = state;
  if (srFlowSinceMs === null || srFlowAtMs === null) return undefined;
  const spanMs = srFlowAtMs - srFlowSinceMs;
  if (spanMs < LONG_ENOUGH_MS) return undefined;
  const packets = (srFlowPackets ?? 0) - (srFlowFromPackets ?? 0);
  const octets = (srFlowOctets ?? 0) - (srFlowFromOctets ?? 0);
  return { packetsPerMs: packets / spanMs, octetsPerMs: octets / spanMs, octetsPerPacket: octets / packets };
}

/**
 * Gaps in the numbering of what was sent, percent of the numbers: those of packets that never came in and were left out
 * (the far end counts them, too). From the sender's count of packets beside the receiver's of sequence numbers; undefined where one is not known.
 */
export function gapsSentPercent(state: DirectionState): number | undefined {
  const sent = senderFlow(state);
  const received = receiverFlow(state);
  if (sent === undefined || received === undefined || received.expectedPerMs <= 0) return undefined;
  return 100 * Math.max(0, 1 - sent.packetsPerMs / received.expectedPerMs);
}

/**
 * What part of the audio that came in from one party (`upstream`, rx) went out to the other (`downstream`, tx): 1 is
 * all. In milliseconds of audio, so that it does not depend on how much a packet holds; undefined where a codec or a
 * count does not tell, and while hardly anything comes in.
 */
export function sentOnRatio(upstream: DirectionState, downstream: DirectionState): number | undefined {
  const received = receiverFlow(upstream);
  const from = senderFlow(upstream);
  const to = senderFlow(downstream);
  const octetsInPerMs = octetRate(upstream);
  const octetsOutPerMs = octetRate(downstream);
  if (received === undefined || from === undefined || to === undefined) return undefined;
  if (octetsInPerMs === undefined || octetsOutPerMs === undefined) return undefined;
  const audioIn = (received.receivedPerMs * from.octetsPerPacket) / octetsInPerMs;
  if (!(audioIn > LEAST_AUDIO_RATIO)) return undefined;
  return to.octetsPerMs / octetsOutPerMs / audioIn;
}

/** Of the time; less may be noise, or a party that is silent. */
const LEAST_AUDIO_RATIO = 0.3;

function octetRate({ codec }: DirectionState): number | undefined {
  return codec !== null && Object.hasOwn(OCTETS_PER_MS, codec) ? OCTETS_PER_MS[codec] : undefined;
}
