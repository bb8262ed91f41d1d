import type { ReportBlock, RtcpReport, SenderInfo } from '../../../src/model/report.ts';
import { signed24 } from '../../../src/units/rtp.ts';
import { Script } from './script.ts';

/** One packet every 20 ms. */
const PACKET_MS = 20;
const TICKS_PER_PACKET = 160;

/** What becomes of a packet: it arrives so many milliseconds after it was sent, or never. */
export type Fate = number | 'lost';

/** One direction of a call: what is sent, and what the receiver makes of it. */
export interface Way {
  readonly ssrc: number;
  /** Of packet 0, 1, 2 …; 50 a second. */
  readonly fate: (packet: number) => Fate;
  readonly firstSequence?: number;
  /** From this packet on, sequence numbers are so much higher than they would have been. */
  readonly jumps?: readonly { readonly atPacket: number; readonly by: number }[];
  /** False: the receiver knows a jump for what it is, and goes on counting. */
  readonly countsJumpsAsLoss?: boolean;
  readonly jitterTicks?: (atMs: number) => number;
}

export interface SimulatedCall {
  readonly seconds: number;
  /** What they send to us. */
  readonly rx: Way;
  /** What we send to them. */
  readonly tx: Way;
  /** When our reports come, and theirs: milliseconds from the answer on. */
  readonly localAtMs: readonly number[];
  readonly remoteAtMs: readonly number[];
  /** The far end's SRs are RRs. */
  readonly remoteSendsNoSr?: boolean;
}

export function every(paceMs: number, seconds: number, offsetMs = 0): number[] {
  const count = Math.floor((seconds * 1000 - offsetMs) / paceMs);
  return Array.from({ length: count }, (_, index) => (index + 1) * paceMs + offsetMs);
}

/** Counts as a plain receiver does (RFC 3550 A.3, without the care of A.1): expected less received. */
class Receiver {
  readonly #way: Way;
  #received = 0;
  #base: number | null = null;
  #highest = 0;
  #jumped = 0;

  constructor(way: Way) {
    this.#way = way;
  }

  take(sequence: number, jumped: number): void {
    this.#received++;
    if (this.#way.countsJumpsAsLoss === false) this.#jumped = jumped;
    this.#base ??= sequence;
    this.#highest = Math.max(this.#highest, sequence);
  }

  block(atMs: number): ReportBlock | undefined {
    if (this.#base === null) return undefined;
    return {
      sourceSsrc: this.#way.ssrc,
      fractionLostQ8: 0,
      cumulativeLostPackets: signed24(this.#highest - this.#jumped - this.#base + 1 - this.#received),
      extendedHighestSequence: this.#highest % 2 ** 32,
      jitterTicks: this.#way.jitterTicks?.(atMs) ?? 16,
      lsrNtp32: 1,
      dlsrS: 0,
    };
  }
}

interface Happening {
  readonly atMs: number;
  /** At one moment packets come before reports. */
  readonly rank: number;
  readonly happen: () => void;
}

/** Plays the call of two parties who follow RTP and RTCP to the letter, and returns what came of it. */
export function playCall(call: SimulatedCall, script = new Script()): Script {
  script.up('1').codecs('1', 'ulaw');
  const startedAtMs = script.atMs;
  const receivers = { rx: new Receiver(call.rx), tx: new Receiver(call.tx) };
  const happenings: Happening[] = [...arrivals(call, 'rx', receivers.rx), ...arrivals(call, 'tx', receivers.tx)];
  const report = (atMs: number, of: RtcpReport): void => {
    script.wait((startedAtMs + atMs - script.atMs) / 1000).rtcp('1', of);
  };
  for (const atMs of call.localAtMs) {
    const happen = (): void =>
      report(atMs, {
        reporter: 'local',
        block: receivers.rx.block(atMs),
        sender: senderAt(atMs),
        senderSsrc: call.tx.ssrc,
      });
    happenings.push({ atMs, rank: 1, happen });
  }
  for (const atMs of call.remoteAtMs) {
    const sender = call.remoteSendsNoSr === true ? undefined : senderAt(atMs);
    const happen = (): void => report(atMs, { reporter: 'remote', block: receivers.tx.block(atMs), sender, rttMs: 40 });
    happenings.push({ atMs, rank: 2, happen });
  }
  for (const { happen } of happenings.toSorted((a, b) => a.atMs - b.atMs || a.rank - b.rank)) happen();
  return script;
}

function arrivals(call: SimulatedCall, direction: 'rx' | 'tx', receiver: Receiver): Happening[] {
  const { fate, firstSequence = 1000, jumps = [] } = call[direction];
  return Array.from({ length: (call.seconds * 1000) / PACKET_MS }, (_, packet) => packet).flatMap((packet) => {
    const delayMs = fate(packet);
    if (delayMs === 'lost') return [];
    const jumped = jumps.reduce((sum, { atPacket, by }) => (packet >= atPacket ? sum + by : sum), 0);
    const happen = (): void => receiver.take(firstSequence + packet + jumped, jumped);
    return [{ atMs: (packet + 1) * PACKET_MS - PACKET_MS / 2 + delayMs, rank: 0, happen }];
  });
}

function senderAt(atMs: number): SenderInfo {
  const sentPackets = Math.floor((atMs + PACKET_MS / 2) / PACKET_MS);
  return { ntpS: atMs / 1000, rtpTicks: sentPackets * TICKS_PER_PACKET, sentPackets, sentOctets: sentPackets * 160 };
}
