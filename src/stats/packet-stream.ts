import { SEQUENCE_CYCLE_PACKETS } from '../units/rtp.ts';
import { ARRIVAL_BINS, arrivalBin } from './arrival-histogram.ts';
import { BurstGapMeter } from './burst-gap.ts';
import { BurstLog } from './burst-log.ts';
import { staysInRow } from './dropout.ts';
import { JitterBuffer, type JitterBufferKind } from './jitter-buffer.ts';
import { type PayloadKind, PlayoutFrames } from './playout-frames.ts';

/**
 * How far behind the highest sequence number a packet may come and still be known as late or as a duplicate; after that
 * its fate is sealed. RFC 3550 A.1 has 100; this is the next power of two, 2.5 s of usual speech.
 */
const WINDOW_PACKETS = 128;
const WINDOW_MASK = WINDOW_PACKETS - 1;
const SEQUENCE_MASK = SEQUENCE_CYCLE_PACKETS - 1;
/** Votes that a new packet time needs against a well established one. */
const MAX_PACKET_TICKS_VOTES = 3;

/** So many duplicates in a row, each so few packets after the one before, are the capture's doing. */
const CAPTURED_TWICE_AFTER_DUPLICATES = 3;
const CAPTURED_TWICE_WITHIN_PACKETS = 3;

const MISSING = 0;
const PLAYED = 1;
const DISCARDED = 2;
const PLAYED_COMFORT_NOISE = 3;
const PLAYED_EVENT = 4;

export interface PacketStreamOptions {
  readonly clockRateHz: number;
  readonly gmin: number;
  readonly jitterBuffer: JitterBufferKind;
  /** Whether to remember when bursts were. */
  readonly keepsBursts?: boolean | undefined;
}

/**
 * Everything that the packets of one RTP stream tell, one packet after another in constant memory (about 3 kB):
 * counts by RFC 3550 A.1 and A.3, interarrival jitter by A.8, arrival intervals, bursts and gaps, and a simulated jitter
 * buffer. Mutable and free of allocations, because it runs for every packet of a server.
 *
 * `received` counts each sequence number once, so that expected = received + lost and what arrived is
 * received + duplicates; RFC 3550 A.3 and tshark count duplicates as received, which lets them hide losses.
 */
export class PacketStream {
  readonly clockRateHz: number;
  readonly burstGap: BurstGapMeter;
  readonly jitterBuffer: JitterBuffer;
  readonly frames: PlayoutFrames;
  readonly arrivalCounts: Uint32Array;
  received = 0;
  duplicates = 0;
  /** Arrived after a packet with a higher sequence number. */
  outOfOrder = 0;
  /** Strange sequence numbers that nothing followed: not of this stream's row, and not counted. */
  strays = 0;
  /** The sequence began anew, far from where it was. */
  restarts = 0;
  firstAtMs = 0.5;
  lastAtMs = 0.5;
  /** RFC 3550 A.8 after the latest packet, ms; its mean over all packets but the first, and its maximum. */
  jitterMs = 0.5;
  jitterMaxMs = 0.5;
  /** Longest interval between two arrivals, ms. */
  maxGapMs = 0.5;
  readonly #msPerTick: number;
  readonly #states: Uint8Array;
  readonly #timestamps: Int32Array;
  #arrivals = 0;
  #jitterSumMs = 0.5;
  #transitMs = 0.5;
  #lastAudioAtMs = 0.5;
  #lastTimestamp = 0;
  /** Extended sequence numbers: those of this row, since the last restart. */
  #base = 0;
  #highest = 0;
  #highestTimestamp = 0;
  #expectedOfEarlierRows = 0;
  /** What would be the next after a strange one (RFC 3550 A.1's bad_seq); -1 for none. */
  #nextAfterStray = -1;
  /** RTP ticks between two packets, learnt by majority; 0 until known. */
  #packetTicks = 0;
  #packetTicksVotes = 0;
  #receivedAtDuplicate = 0;
  /** Duplicates that came close upon each other; at first as many as it takes, for a mirror doubles from the first packet. */
  #duplicatesInRow = CAPTURED_TWICE_AFTER_DUPLICATES;
  #isFinished = false;

  constructor(options: PacketStreamOptions) {
    this.clockRateHz = options.clockRateHz;
    this.burstGap = new BurstGapMeter(options.gmin, options.keepsBursts === true ? new BurstLog() : undefined);
    this.jitterBuffer = new JitterBuffer(options.jitterBuffer);
    this.frames = new PlayoutFrames(options.clockRateHz);
    this.#msPerTick = 1000 / options.clockRateHz;
    // One piece of memory for all three: half of what three would cost.
    const memory = new ArrayBuffer(ARRIVAL_BINS * 4 + WINDOW_PACKETS * 5);
    this.arrivalCounts = new Uint32Array(memory, 0, ARRIVAL_BINS);
    this.#timestamps = new Int32Array(memory, ARRIVAL_BINS * 4, WINDOW_PACKETS);
    this.#states = new Uint8Array(memory, ARRIVAL_BINS * 4 + WINDOW_PACKETS * 4);
    this.jitterMs = 0;
    this.jitterMaxMs = 0;
    this.maxGapMs = 0;
    this.#jitterSumMs = 0;
    this.#transitMs = 0;
  }

  /** Sequence numbers from the first to the highest, over all rows. */
  get expected(): number {
    return this.#expectedOfEarlierRows + (this.#arrivals === 0 ? 0 : this.#highest - this.#base + 1);
  }

  get lost(): number {
    return this.expected - this.received;
  }

  get jitterMeanMs(): number {
    return this.#arrivals < 2 ? 0 : this.#jitterSumMs / this.jitterSamples;
  }

  get jitterSumMs(): number {
    return this.#jitterSumMs;
  }

  /** Every packet but the first gives one. */
  get jitterSamples(): number {
    return Math.max(0, this.#arrivals - 1);
  }

  /** What one packet usually holds, ms; undefined while unknown. */
  get packetMs(): number | undefined {
    return this.#packetTicks === 0 ? undefined : this.#packetTicks * this.#msPerTick;
  }

  /** Takes one packet in, in the order of arrival. `timestamp` is the RTP time as a signed 32-bit number. */
  take(sequence: number, timestamp: number, atMs: number, marker: boolean, kind: PayloadKind): void {
    if (this.#arrivals === 0) {
      this.#begin(sequence, timestamp, atMs);
      this.#takeAhead(0, timestamp, atMs, marker, kind);
      return;
    }
    const step = (sequence - this.#highest) & SEQUENCE_MASK;
    if (step === 0 || step > SEQUENCE_CYCLE_PACKETS - WINDOW_PACKETS) {
      this.#takeBehind(step === 0 ? 0 : SEQUENCE_CYCLE_PACKETS - step, timestamp, atMs, kind);
      return;
    }
    const elapsedTicks = (timestamp - this.#highestTimestamp) | 0;
    if (staysInRow(step, this.#packetTicks, elapsedTicks, this.#msPerTick, atMs - this.lastAtMs)) {
      if (step === 1 && kind === 'audio') this.#learnPacketTicks(elapsedTicks);
      this.#advanceTo(this.#highest + step);
      this.#takeAhead(step, timestamp, atMs, marker, kind);
      return;
    }
    if (sequence !== this.#nextAfterStray) {
      this.#nextAfterStray = (sequence + 1) & SEQUENCE_MASK;
      this.strays += 1;
      return;
    }
    this.#startNewRow(sequence);
    this.#takeAhead(0, timestamp, atMs, true, kind);
  }

  /** The clock that arrivals are timed by was set, by so many milliseconds. */
  clockStepped(byMs: number): void {
    this.firstAtMs += byMs;
    this.lastAtMs += byMs;
    this.#lastAudioAtMs += byMs;
    this.burstGap.clockStepped(byMs);
  }

  /** Seals every packet's fate; nothing may be taken in afterwards. */
  finish(): void {
    if (this.#arrivals > 0 && !this.#isFinished) this.#sealRow(this.burstGap, this.frames);
    this.#isFinished = true;
  }

  /** Bursts and frames as if the stream ended here; it may go on. */
  settled(): { readonly burstGap: BurstGapMeter; readonly frames: PlayoutFrames } {
    if (this.#arrivals === 0 || this.#isFinished) return { burstGap: this.burstGap, frames: this.frames };
    const [burstGap, frames] = [this.burstGap.clone(), this.frames.clone()];
    this.#sealRow(burstGap, frames);
    return { burstGap, frames };
  }

  #begin(sequence: number, timestamp: number, atMs: number): void {
    this.#base = sequence;
    this.#highest = sequence;
    this.#highestTimestamp = timestamp;
    this.#lastTimestamp = timestamp;
    this.#lastAudioAtMs = atMs;
    this.firstAtMs = atMs;
    this.lastAtMs = atMs;
  }

  /**
   * RFC 3550 A.8 over every packet in the order of arrival. A telephone event keeps one RTP time for all its packets
   * (RFC 4733 §2.1): their arrivals say nothing of jitter.
   */
  #measureArrival(timestamp: number, atMs: number, kind: PayloadKind): void {
    if (this.#arrivals > 0) {
      const intervalMs = atMs - this.lastAtMs;
      if (intervalMs > this.maxGapMs) this.maxGapMs = intervalMs;
      const bin = arrivalBin(intervalMs);
      this.arrivalCounts[bin] = (this.arrivalCounts[bin] ?? 0) + 1;
      if (kind !== 'event') {
        const transitChangeMs = atMs - this.#lastAudioAtMs - ((timestamp - this.#lastTimestamp) | 0) * this.#msPerTick;
        this.#transitMs += transitChangeMs;
        this.jitterMs += (Math.abs(transitChangeMs) - this.jitterMs) / 16;
        if (this.jitterMs > this.jitterMaxMs) this.jitterMaxMs = this.jitterMs;
      }
      this.#jitterSumMs += this.jitterMs;
    }
    this.#arrivals += 1;
    this.lastAtMs = atMs;
    if (kind === 'event') return;
    this.#lastAudioAtMs = atMs;
    this.#lastTimestamp = timestamp;
  }

  /** A packet with the highest sequence number so far, `step` after the one that was it. */
  #takeAhead(step: number, timestamp: number, atMs: number, marker: boolean, kind: PayloadKind): void {
    this.#nextAfterStray = -1;
    const elapsedTicks = (timestamp - this.#highestTimestamp) | 0;
    // The RTP clock went on for longer than the packets, lost ones included, account for: the sender paused.
    const isAfterPause = this.#packetTicks > 0 && elapsedTicks > step * this.#packetTicks;
    this.#measureArrival(timestamp, atMs, kind);
    this.#highestTimestamp = timestamp;
    this.#keep(this.#highest, timestamp, elapsedTicks * this.#msPerTick, marker || isAfterPause, kind);
  }

  /** A packet that comes after others that were sent later, `behind` numbers below the highest, or a second time. */
  #takeBehind(behind: number, timestamp: number, atMs: number, kind: PayloadKind): void {
    const extended = this.#highest - behind;
    // Overtaken before the first one that we saw: its place is free, for nothing of this row has been sealed yet.
    if (extended < this.#base) this.#base = extended;
    if (this.#states[extended & WINDOW_MASK] !== MISSING) {
      this.duplicates += 1;
      if (!this.#isCapturedTwice()) this.#measureArrival(timestamp, atMs, kind);
      return;
    }
    this.#measureArrival(timestamp, atMs, kind);
    this.outOfOrder += 1;
    this.#keep(extended, timestamp, 0, false, kind);
  }

  /**
   * Whether a duplicate is a second sight of the same packet (a mirror port, a router, another interface) rather than one
   * that the network doubled. The former come with every packet, the latter now and then; only those tell of the network
   * and count for jitter (RFC 3550 A.8: each packet received).
   */
  #isCapturedTwice(): boolean {
    const isNear = this.received - this.#receivedAtDuplicate <= CAPTURED_TWICE_WITHIN_PACKETS;
    this.#receivedAtDuplicate = this.received;
    this.#duplicatesInRow = isNear ? this.#duplicatesInRow + 1 : 0;
    return this.#duplicatesInRow >= CAPTURED_TWICE_AFTER_DUPLICATES;
  }

  #keep(extended: number, timestamp: number, elapsedMs: number, startsTalkspurt: boolean, kind: PayloadKind): void {
    this.received += 1;
    const slot = extended & WINDOW_MASK;
    this.#timestamps[slot] = timestamp;
    if (kind === 'event') {
      this.#states[slot] = PLAYED_EVENT;
      return;
    }
    const outcome = this.jitterBuffer.arrive(this.#transitMs, elapsedMs, startsTalkspurt);
    if (outcome !== 'played') this.#states[slot] = DISCARDED;
    else this.#states[slot] = kind === 'comfort-noise' ? PLAYED_COMFORT_NOISE : PLAYED;
  }

  /** Makes room up to a new highest sequence number, and seals what leaves the window. */
  #advanceTo(extended: number): void {
    for (let next = this.#highest + 1; next <= extended; next += 1) {
      if (next - WINDOW_PACKETS >= this.#base) this.#seal(next - WINDOW_PACKETS, this.burstGap, this.frames);
      this.#states[next & WINDOW_MASK] = MISSING;
    }
    this.#highest = extended;
  }

  #seal(extended: number, burstGap: BurstGapMeter, frames: PlayoutFrames): void {
    const slot = extended & WINDOW_MASK;
    const state = this.#states[slot];
    if (state === MISSING || state === DISCARDED) {
      burstGap.missing(this.lastAtMs - (this.#highest - extended) * this.#packetTicks * this.#msPerTick);
      frames.missing();
      return;
    }
    burstGap.received();
    const kind = state === PLAYED ? 'audio' : state === PLAYED_EVENT ? 'event' : 'comfort-noise';
    frames.played(this.#timestamps[slot] ?? 0, this.#packetTicks, kind);
  }

  #sealRow(burstGap: BurstGapMeter, frames: PlayoutFrames): void {
    const first = Math.max(this.#base, this.#highest - WINDOW_PACKETS + 1);
    for (let extended = first; extended <= this.#highest; extended += 1) this.#seal(extended, burstGap, frames);
  }

  /** Two in a row from somewhere else: the sender began anew. The first of them has been counted as a stray. */
  #startNewRow(sequence: number): void {
    this.#sealRow(this.burstGap, this.frames);
    this.#expectedOfEarlierRows += this.#highest - this.#base + 1;
    this.restarts += 1;
    this.#states.fill(MISSING);
    this.#base = sequence;
    this.#highest = sequence;
  }

  /** Majority vote (Boyer and Moore) over the steps of the RTP clock between neighbours. */
  #learnPacketTicks(stepTicks: number): void {
    if (stepTicks === this.#packetTicks) {
      if (this.#packetTicksVotes < MAX_PACKET_TICKS_VOTES) this.#packetTicksVotes += 1;
    } else if (stepTicks > 0) {
      this.#packetTicksVotes -= 1;
      if (this.#packetTicksVotes < 0) {
        this.#packetTicks = stepTicks;
        this.#packetTicksVotes = 0;
      }
    }
  }
}
