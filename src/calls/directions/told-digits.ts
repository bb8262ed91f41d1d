import { ticksToMs } from '../../units/rtp.ts';
import { type FlowState, noteSenderFlow, octetRate } from '../why/flow.ts';
import {
  addJitter,
  forgetJitter,
  hasJitter,
  jitterFigures,
  noteIntervalMes,
  onlyJitterTicks,
  type Tally,
} from './tally.ts';

/** Payload of one packet of a digit, octets (RFC 4733 §2.3). */
const DIGIT_OCTETS = 4;
const USUAL_PACKET_MS = 20;
/** Jitter below this, or below so many times the mean, comes from no digit, or does no harm. */
const NOTICEABLE_JITTER_MS = 20;
const NOTICEABLE_RATIO = 3;
/** After this long the jitter estimate has forgotten a digit: after 75 packets 0.8 % of it is left (RFC 3550 A.8). */
const FORGOTTEN_MS = 1500;
/** A sender without a report for so long will not tell of digits. */
const SENDER_SILENT_MS = 15_000;

/** Jitter of reports since the sender's last count that digits may have made. */
export interface DoubtedJitter {
  readonly ticks: readonly number[];
  /** The worst score of their intervals if the network made it; null: loss is not known. */
  readonly mes: number | null;
  readonly segmentNumber: number;
}

/** What this file knows and changes of a direction. */
interface DigitState extends FlowState {
  readonly clockRateHz: number;
  readonly segment: { readonly number: number; readonly tally: Tally | null };
  doubted: DoubtedJitter | null;
}

/**
 * Takes the sender's counts. In a native bridge Asterisk passes digits on unseen, and no event tells of them. But a digit's packet
 * holds 4 octets and the audio's packets all have one size, so the counts of packets and octets tell how many digits there were.
 */
export function noteSenderCounts(state: DigitState, packets: number, octets: number, atMs: number): void {
  const hasDigits = tellsOfDigits(state, packets - (state.srPackets ?? 0), octets - (state.srOctets ?? 0));
  if (hasDigits) {
    state.digitsToldAtMs = atMs;
    forgetOnlyJitter(state);
  }
  decideDoubt(state, hasDigits);
  state.senderPackets = packets;
  state.senderAtMs = atMs;
  state.srPackets = packets;
  state.srOctets = octets;
  noteSenderFlow(state, packets, octets, atMs);
}

function tellsOfDigits(state: DigitState, packets: number, octets: number): boolean {
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
export function digitDoubt(state: DigitState, jitterTicks: number | null, atMs: number): 'no' | 'perhaps' | 'yes' {
  const { total, clockRateHz, digitsToldAtMs, senderAtMs } = state;
  if (jitterTicks === null) return 'no';
  const jitterMs = ticksToMs(jitterTicks, clockRateHz);
  if (jitterMs < NOTICEABLE_JITTER_MS || !hasJitter(total)) return 'no';
  if (jitterMs < NOTICEABLE_RATIO * jitterFigures(total, clockRateHz).meanMs) return 'no';
  if (digitsToldAtMs !== null && atMs - digitsToldAtMs < FORGOTTEN_MS) return 'yes';
  if (state.srAudioOctets === null || senderAtMs === null) return 'no';
  if (atMs - senderAtMs < SENDER_SILENT_MS) return 'perhaps';
  decideDoubt(state, false);
  return 'no';
}

/** Leaves the jitter out of the sums until the sender's next count. */
export function doubtJitter(state: DigitState, jitterTicks: number, mes: number | null): void {
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

function decideDoubt(state: DigitState, hasDigits: boolean): void {
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

/** Removes the first report's jitter, which had nothing to be compared with. */
function forgetOnlyJitter({ total, segment, clockRateHz }: DigitState): void {
  const ticks = onlyJitterTicks(total);
  if (ticks === null || ticksToMs(ticks, clockRateHz) < NOTICEABLE_JITTER_MS) return;
  forgetJitter(total);
  if (segment.tally !== null && onlyJitterTicks(segment.tally) !== null) forgetJitter(segment.tally);
}
