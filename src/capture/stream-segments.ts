import type { PacketStream } from '../stats/packet-stream.ts';
import type { StreamFormat } from './stream-meter.ts';

/** More are those of a sender that changes its codec all the time, or of somebody who means harm. */
const MOST_SEGMENTS = 32;

/** A stretch of a stream with one payload type. */
export interface StreamSegment {
  readonly payloadType: number;
  readonly format: StreamFormat;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly discarded: number;
  readonly jitterSumMs: number;
  readonly jitterSamples: number;
  readonly jitterMaxMs: number;
}

interface Counters {
  readonly atMs: number;
  readonly received: number;
  readonly expected: number;
  readonly discarded: number;
  readonly jitterSumMs: number;
  readonly jitterSamples: number;
}

/** Cuts a stream where its payload type changes. Late packets count where they come in. */
export class StreamSegments {
  readonly #packets: PacketStream;
  #ended: StreamSegment[] = [];
  #open: { readonly payloadType: number; readonly format: StreamFormat } | undefined;
  #from: Counters;

  constructor(packets: PacketStream) {
    this.#packets = packets;
    this.#from = countersOf(packets, 0);
  }

  /** The format of the segment that goes on. */
  get format(): StreamFormat | undefined {
    return this.#open?.format;
  }

  /** All of them, the open one as if it ended here. */
  all(): readonly StreamSegment[] {
    const open = this.#current();
    return open === undefined ? this.#ended : [...this.#ended, open];
  }

  /** The next packet is one of another payload type, or has another clock. */
  begin(payloadType: number, format: StreamFormat, atMs: number): void {
    if (this.#ended.length < MOST_SEGMENTS) {
      const open = this.#current();
      if (open !== undefined) this.#ended.push(open);
      this.#from = countersOf(this.#packets, atMs);
      this.#packets.arrival.takePeakMs();
    }
    this.#open = { payloadType, format };
  }

  clockStepped(byMs: number): void {
    const moved = { firstAtMs: byMs, lastAtMs: byMs };
    this.#ended = this.#ended.map((segment) => ({
      ...segment,
      firstAtMs: segment.firstAtMs + moved.firstAtMs,
      lastAtMs: segment.lastAtMs + moved.lastAtMs,
    }));
    this.#from = { ...this.#from, atMs: this.#from.atMs + byMs };
  }

  #current(): StreamSegment | undefined {
    if (this.#open === undefined) return undefined;
    const now = countersOf(this.#packets, this.#packets.arrival.lastAtMs);
    const from = this.#from;
    if (now.received === from.received) return undefined;
    return {
      ...this.#open,
      firstAtMs: from.atMs,
      lastAtMs: now.atMs,
      packetsReceived: now.received - from.received,
      packetsExpected: Math.max(now.received - from.received, now.expected - from.expected),
      discarded: now.discarded - from.discarded,
      jitterSumMs: now.jitterSumMs - from.jitterSumMs,
      jitterSamples: now.jitterSamples - from.jitterSamples,
      jitterMaxMs: this.#packets.arrival.peakMs,
    };
  }
}

function countersOf({ arrival, received, expected, jitterBuffer }: PacketStream, atMs: number): Counters {
  return {
    atMs,
    received,
    expected,
    discarded: jitterBuffer.discarded,
    jitterSumMs: arrival.jitterSumMs,
    jitterSamples: arrival.jitterSamples,
  };
}
