import type { Direction } from '../../src/model/report.ts';
import type { Lab } from '../lab/lab.ts';
import type { RelayedPacket } from '../lab/relay-protocol.ts';

/** What the relay really did to one direction of one call. Nothing here comes from Asterisk or from the product. */
export interface Truth {
  readonly packets: number;
  /** Of the whole call. */
  readonly lossPercent: number;
  /** Up to the receiver's last report. */
  readonly reportedLossPercent: number;
  /** Mean time in the relay of an audio packet that passed. */
  readonly delayMs: number;
  /** Mean of both ways of the RTCP packets from which Asterisk takes its round trips; null without any. */
  readonly roundTripMs: number | null;
  /** RFC 3550 jitter by the relay's send times, as it stood at each report: mean and population standard deviation. */
  readonly jitterMeanMs: number;
  readonly jitterStdevMs: number;
  readonly reports: number;
}

interface CallPackets {
  readonly rtp: readonly RelayedPacket[];
  readonly rtcp: readonly RelayedPacket[];
}

/** RTCP packet type of a sender report. */
const SENDER_REPORT = 200;
const ULAW_TICKS_PER_MS = 8;

/** What became of a phone's packets between two moments (epoch ms), in which it had one call. */
export async function truthOfCall(
  lab: Lab,
  phone: string,
  fromMs: number,
  toMs: number,
): Promise<Record<Direction, Truth>> {
  const packetsOf = async (direction: Direction, kind: 'rtp' | 'rtcp'): Promise<RelayedPacket[]> => {
    const { packets } = await lab.relay.truth(phone, direction, kind);
    return packets.filter(({ arrivalMs }) => arrivalMs >= fromMs && arrivalMs <= toMs);
  };
  const rx = { rtp: await packetsOf('rx', 'rtp'), rtcp: await packetsOf('rx', 'rtcp') };
  const tx = { rtp: await packetsOf('tx', 'rtp'), rtcp: await packetsOf('tx', 'rtcp') };
  const roundTripMs = meanRoundTripMs(rx, tx, toMs);
  // Asterisk publishes its own reports as it sends them; those of the phone only if they come in.
  const ownReportsMs = tx.rtcp.map(({ arrivalMs }) => arrivalMs);
  const theirReportsMs = rx.rtcp.filter(({ sentMs }) => hasGone(sentMs, toMs)).map(({ arrivalMs }) => arrivalMs);
  return {
    rx: truthOf(rx.rtp, ownReportsMs, toMs, roundTripMs),
    tx: truthOf(tx.rtp, theirReportsMs, toMs, roundTripMs),
  };
}

function truthOf(
  packets: readonly RelayedPacket[],
  reportsMs: readonly number[],
  toMs: number,
  roundTripMs: number | null,
): Truth {
  const receiver = new Receiver(packets);
  const jittersMs: number[] = [];
  let reports = 0;
  for (const atMs of reportsMs) {
    receiver.advance(atMs);
    if (receiver.received === 0) continue;
    jittersMs.push(receiver.jitterMs);
    reports++;
  }
  const reportedLossPercent = receiver.lossPercent;
  receiver.advance(toMs);
  const delaysMs = packets.flatMap(({ sentMs, arrivalMs }) => (sentMs === null ? [] : [sentMs - arrivalMs]));
  const jitterMeanMs = meanOf(jittersMs);
  return {
    packets: packets.length,
    lossPercent: receiver.lossPercent,
    reportedLossPercent,
    delayMs: meanOf(delaysMs),
    roundTripMs,
    jitterMeanMs,
    jitterStdevMs: Math.sqrt(meanOf(jittersMs.map((jitterMs) => (jitterMs - jitterMeanMs) ** 2))),
    reports,
  };
}

/** What an ideal receiver behind the relay knows at a moment: a packet is lost for it once a later one has come. */
class Receiver {
  received = 0;
  lost = 0;
  jitterMs = 0;
  readonly #packets: readonly RelayedPacket[];
  #next = 0;
  #last: { readonly ssrc: number; readonly transitMs: number } | undefined;

  constructor(packets: readonly RelayedPacket[]) {
    this.#packets = packets;
  }

  get lossPercent(): number {
    return (100 * this.lost) / Math.max(1, this.received + this.lost);
  }

  /** The relay keeps the order of packets, so what is lost lies between two that passed. */
  advance(toMs: number): void {
    let lost = 0;
    for (let at = this.#next; at < this.#packets.length; at += 1) {
      const packet = this.#packets[at];
      if (packet === undefined) break;
      if (packet.outcome !== 'passed') {
        lost += 1;
        continue;
      }
      if (!hasGone(packet.sentMs, toMs)) break;
      this.#take(packet.sentMs, packet);
      this.lost += lost;
      lost = 0;
      this.#next = at + 1;
    }
  }

  #take(sentMs: number, { ssrc, rtpTimestamp }: RelayedPacket): void {
    this.received += 1;
    const transitMs = sentMs - (rtpTimestamp ?? 0) / ULAW_TICKS_PER_MS;
    if (this.#last?.ssrc === ssrc) {
      this.jitterMs += (Math.abs(transitMs - this.#last.transitMs) - this.jitterMs) / 16;
    } else this.jitterMs = 0;
    this.#last = { ssrc, transitMs };
  }
}

/** A phone's report answers the last sender report that it had got: the round trip is the time of both in the relay. */
function meanRoundTripMs(rx: CallPackets, tx: CallPackets, toMs: number): number | null {
  const senderReports = tx.rtcp.filter(({ payloadType }) => payloadType === SENDER_REPORT);
  const samplesMs = rx.rtcp.flatMap((answer) => {
    if (!hasGone(answer.sentMs, toMs)) return [];
    const asked = senderReports.findLast(({ sentMs }) => hasGone(sentMs, answer.arrivalMs));
    if (asked === undefined || asked.sentMs === null) return [];
    return [asked.sentMs - asked.arrivalMs + answer.sentMs - answer.arrivalMs];
  });
  return samplesMs.length === 0 ? null : meanOf(samplesMs);
}

function hasGone(sentMs: number | null, byMs: number): sentMs is number {
  return sentMs !== null && sentMs <= byMs;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
