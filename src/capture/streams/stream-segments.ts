import type { PacketStream } from '../../stats/packets/packet-stream.ts';
import type { StreamFormat } from './stream-format.ts';

/** A sender with more changes its codec all the time, or means harm. */
const MOST_SEGMENTS = 32;

/** A shorter stretch is part of its neighbour: a stray packet, or two payload types in turn. */
const LEAST_PACKETS = 5;

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

/** Cuts a stream where its payload type changes. A late packet counts where it arrives. */
export class StreamSegments {
  readonly #packets: PacketStream;
  #ended: (StreamSegment & { readonly from: Counters })[] = [];
  #open: Pick<StreamSegment, 'payloadType' | 'format'> | undefined;
  #from: Counters;
  /** What the open stretch took over from the one before. */
  #takenPeakMs = 0;

  constructor(packets: PacketStream) {
    this.#packets = packets;
    this.#from = countersOf(packets, 0);
  }

  /** The format of the segment that goes on. */
  get format(): StreamFormat | undefined {
    return this.#open?.format;
  }

  /** All stretches, the open one as if it ended here. A short one is part of the one before. */
  all(): readonly StreamSegment[] {
    const last = this.#ended.at(-1);
    if (last !== undefined && this.#isShort()) {
      const whole = this.#until(last, last.from);
      if (whole === undefined) return this.#ended;
      return [...this.#ended.slice(0, -1), { ...whole, jitterMaxMs: Math.max(last.jitterMaxMs, whole.jitterMaxMs) }];
    }
    const open = this.#open === undefined ? undefined : this.#until(this.#open, this.#from);
    return open === undefined ? this.#ended : [...this.#ended, open];
  }

  /** The next packet has another payload type or clock rate. */
  begin(payloadType: number, format: StreamFormat, atMs: number): void {
    const next = { payloadType, format };
    const isShort = this.#isShort();
    const last = this.#ended.at(-1);
    if (isShort && last?.payloadType === payloadType) {
      this.#ended.pop();
      this.#from = last.from;
      this.#takenPeakMs = last.jitterMaxMs;
    } else if (!isShort && this.#ended.length < MOST_SEGMENTS) {
      const open = this.#open === undefined ? undefined : this.#until(this.#open, this.#from);
      if (open !== undefined) this.#ended.push({ ...open, from: this.#from });
      this.#from = countersOf(this.#packets, atMs);
      this.#packets.arrival.takePeakMs();
      this.#takenPeakMs = 0;
    } else if (this.#packets.received === 0) {
      this.#from = countersOf(this.#packets, atMs);
    }
    this.#open = next;
  }

  clockStepped(byMs: number): void {
    this.#ended = this.#ended.map((segment) => ({
      ...segment,
      firstAtMs: segment.firstAtMs + byMs,
      lastAtMs: segment.lastAtMs + byMs,
      from: { ...segment.from, atMs: segment.from.atMs + byMs },
    }));
    this.#from = { ...this.#from, atMs: this.#from.atMs + byMs };
  }

  #isShort(): boolean {
    return this.#packets.received - this.#from.received < LEAST_PACKETS;
  }

  #until(segment: Pick<StreamSegment, 'payloadType' | 'format'>, from: Counters): StreamSegment | undefined {
    const now = countersOf(this.#packets, this.#packets.arrival.lastAtMs);
    if (now.received === from.received) return undefined;
    return {
      payloadType: segment.payloadType,
      format: segment.format,
      firstAtMs: from.atMs,
      lastAtMs: now.atMs,
      packetsReceived: now.received - from.received,
      packetsExpected: Math.max(now.received - from.received, now.expected - from.expected),
      discarded: now.discarded - from.discarded,
      jitterSumMs: now.jitterSumMs - from.jitterSumMs,
      jitterSamples: now.jitterSamples - from.jitterSamples,
      jitterMaxMs: Math.max(this.#takenPeakMs, this.#packets.arrival.peakMs),
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
