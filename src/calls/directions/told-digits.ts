import { ticksToMs } from '../../units/rtp.ts';
import { noteSenderFlow, octetRate } from '../why/flow.ts';
import type { DirectionState } from './direction-state.ts';
import { addJitter, forgetJitter, hasJitter, jitterFigures, noteIntervalMes, onlyJitterTicks } from './tally.ts';

/** Payload of one packet of a digit, octets (RFC 4733 §2.3). */
const DIGIT_OCTETS = 4;
const USUAL_PACKET_MS = 20;
/** Jitter below this, or below so many times the mean, is no digit's, or does no harm. */
const NOTICEABLE_JITTER_MS = 20;
const NOTICEABLE_RATIO = 3;
/** After this long A.8 has forgotten a digit: of 75 packets it keeps 0.8 %. */
const FORGOTTEN_MS = 1500;
/** A sender that has told nothing for so long will not tell of digits. */
const SENDER_SILENT_MS = 15_000;

/** Jitter of reports since the sender's last count that may be that of digits. */
export interface DoubtedJitter {
  readonly ticks: readonly number[];
  /** The worst of their intervals, should the network have made it; null where loss is not known. */
  readonly mes: number | null;
  readonly segmentNumber: number;
}

/**
 * Takes the sender's count. In a native bridge Asterisk passes digits on unseen, and no event tells of them. But their packets hold
 * 4 octets and those of the audio all the same number, so that a count of packets and octets tells how many there were.
 */
export function noteSenderCounts(state: DirectionState, packets: number, octets: number, atMs: number): void {
  const hasDigits = tellsOfDigits(state, packets - (state.srPackets ?? 0), octets - (state.srOctets ?? 0));
  if (hasDigits) {
    state.digitsToldAtMs = atMs;
    forgetOnlyJitter(state);
  }
  settleDoubt(state, hasDigits);
  state.senderPackets = packets;
  state.senderAtMs = atMs;
  state.srPackets = packets;
  state.srOctets = octets;
  noteSenderFlow(state, packets, octets, atMs);
}

function tellsOfDigits(state: DirectionState, packets: number, octets: number): boolean {
  if (packets <= 0 || octets <= 0) return false;
  const audioOctets = state.srAudioOctets ?? (octetRate(state) ?? 0) * USUAL_PACKET_MS;
  if (audioOctets > DIGIT_OCTETS) {
    const digitPackets = (audioOctets * packets - octets) / (audioOctets - DIGIT_OCTETS);
    if (digitPackets > 0 && digitPackets <= packets && Number.isInteger(digitPackets)) return true;
  }
  if (octets % packets === 0) state.srAudioOctets = octets / packets;
  return false;
}

/** Whether a digit made a report's jitter. `perhaps`: the sender's next count will tell. */
export function digitDoubt(state: DirectionState, jitterTicks: number | null, atMs: number): 'no' | 'perhaps' | 'yes' {
  const { total, clockRateHz, digitsToldAtMs, senderAtMs } = state;
  if (jitterTicks === null) return 'no';
  const jitterMs = ticksToMs(jitterTicks, clockRateHz);
  if (jitterMs < NOTICEABLE_JITTER_MS || !hasJitter(total)) return 'no';
  if (jitterMs < NOTICEABLE_RATIO * jitterFigures(total, clockRateHz).meanMs) return 'no';
  if (digitsToldAtMs !== null && atMs - digitsToldAtMs < FORGOTTEN_MS) return 'yes';
  if (state.srAudioOctets === null || senderAtMs === null) return 'no';
  if (atMs - senderAtMs < SENDER_SILENT_MS) return 'perhaps';
  settleDoubt(state, false);
  return 'no';
}

/** Leaves the jitter out of the sums until the sender's next count. */
export function doubtJitter(state: DirectionState, jitterTicks: number, mes: number | null): void {
  const { doubted, segment } = state;
  state.doubted = {
    ticks: [...(doubted?.ticks ?? []), jitterTicks],
    mes: worseOf(mes, doubted?.mes ?? null),
    segmentNumber: doubted?.segmentNumber ?? segment.number,
  };
}

function worseOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function settleDoubt(state: DirectionState, hasDigits: boolean): void {
  const { doubted, segment, total } = state;
  if (doubted === null) return;
  state.doubted = null;
  for (const tally of segment.number === doubted.segmentNumber ? [total, segment.tally] : [total]) {
    if (tally === null) continue;
    if (hasDigits) tally.jitterResets += doubted.ticks.length;
    else {
      for (const ticks of doubted.ticks) addJitter(tally, ticks);
      noteIntervalMes(tally, doubted.mes);
    }
  }
}

/** The first report's jitter had nothing to be compared with. */
function forgetOnlyJitter({ total, segment, clockRateHz }: DirectionState): void {
  const ticks = onlyJitterTicks(total);
  if (ticks === null || ticksToMs(ticks, clockRateHz) < NOTICEABLE_JITTER_MS) return;
  forgetJitter(total);
  if (segment.tally !== null && onlyJitterTicks(segment.tally) !== null) forgetJitter(segment.tally);
}
