import { SEQUENCE_CYCLE_PACKETS } from '../../units/rtp.ts';
import { ARRIVAL_BINS } from './arrival-histogram.ts';
import { ArrivalMeter } from './arrival-meter.ts';
import { BurstGapMeter } from './burst-gap.ts';
import { BurstLog } from './burst-log.ts';
import { isNewSession, staysInRow } from './dropout.ts';
import { JitterBuffer, type JitterBufferKind } from './jitter-buffer.ts';
import { MediaClock } from './media-clock.ts';
import { type PayloadKind, PlayoutFrames } from './playout-frames.ts';
import { CaptureDuplicates } from './capture-duplicates.ts';

/**
 * How far behind the highest sequence number a packet may come and still be known as late or as a duplicate; after that
 * its fate is sealed. RFC 3550 A.1 has 100; this is the next power of two, 2.5 s of usual speech.
 */
const WINDOW_PACKETS = 128;
const WINDOW_MASK = WINDOW_PACKETS - 1;
const SEQUENCE_MASK = SEQUENCE_CYCLE_PACKETS - 1;
/** Media times wait for their turn in 32 bits: differences of up to nine hours, to 16 µs. */
const MEDIA_UNITS_PER_MS = 64;

const MISSING = 0;
const PLAYED = 1;
const DISCARDED = 2;
const PLAYED_COMFORT_NOISE = 3;
const PLAYED_EVENT = 4;
/** Received, but nobody knows when it is to be played. */
const UNTIMED = 5;

export interface PacketStreamOptions {
  /** Undefined while it is not known: packets are counted, and nothing is said of when they came. */
  readonly clockRateHz: number | undefined;
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
  readonly arrival: ArrivalMeter;
  readonly media: MediaClock;
  readonly burstGap: BurstGapMeter;
  readonly jitterBuffer: JitterBuffer;
  readonly frames: PlayoutFrames;
  received = 0;
  duplicates = 0;
  /** Arrived after a packet with a higher sequence number. */
  outOfOrder = 0;
  /** Strange sequence numbers that nothing followed: not of this stream's row, and not counted. */
  strays = 0;
  /** The sequence began anew, far from where it was. */
  restarts = 0;
  readonly #states: Uint8Array;
  readonly #mediaTimes: Int32Array;
  /** What transit times are counted from, ms. */
  #transitOriginMs = 0.5;
  /** Extended sequence numbers: those of this row, since the last restart. */
  #base = 0;
  #highest = 0;
  #expectedOfEarlierRows = 0;
  /** What would be the next after a strange one (RFC 3550 A.1's bad_seq); -1 for none. */
  #nextAfterStray = -1;
  #stray: { readonly timestamp: number; readonly atMs: number; readonly kind: PayloadKind } | undefined;
  /** Media time of what was sealed last, and the same as the window has it. */
  #sealedMs = 0.5;
  #sealedUnits = 0;
  readonly #captureDuplicates = new CaptureDuplicates();
  #isFinished = false;

  constructor(options: PacketStreamOptions) {
    this.media = new MediaClock(options.clockRateHz);
    this.burstGap = new BurstGapMeter(options.gmin, options.keepsBursts === true ? new BurstLog() : undefined);
    this.jitterBuffer = new JitterBuffer(options.jitterBuffer);
    this.frames = new PlayoutFrames();
    // One piece of memory for all three: half of what three would cost.
    const memory = new ArrayBuffer(ARRIVAL_BINS * 4 + WINDOW_PACKETS * 5);
    this.arrival = new ArrivalMeter(new Uint32Array(memory, 0, ARRIVAL_BINS));
    this.#mediaTimes = new Int32Array(memory, ARRIVAL_BINS * 4, WINDOW_PACKETS);
    this.#states = new Uint8Array(memory, ARRIVAL_BINS * 4 + WINDOW_PACKETS * 4);
    this.#sealedMs = 0;
  }

  /** Sequence numbers from the first to the highest, over all rows. */
  get expected(): number {
    return this.#expectedOfEarlierRows + (this.arrival.arrivals === 0 ? 0 : this.#highest - this.#base + 1);
  }

  get lost(): number {
    return this.expected - this.received;
  }

  /** What one packet usually holds, ms; an estimate where neighbours do not tell. */
  get packetMs(): number {
    return this.media.packetMs;
  }

  /**
   * Whether a packet after a silence belongs to another session of the same SSRC between the same ports: the next call,
   * and not this one after a hold.
   */
  beginsSession(sequence: number, timestamp: number, atMs: number): boolean {
    const { media } = this;
    const step = (sequence - this.#highest) & SEQUENCE_MASK;
    return isNewSession(
      media.stepsTo(step),
      media.packetTicks,
      media.ticksSince(timestamp),
      media.msPerTick,
      media.elapsedMs(atMs),
    );
  }

  /** From the next packet on, RTP time is that of another clock. */
  changeClock(clockRateHz: number | undefined): void {
    this.media.change(clockRateHz);
  }

  /** Takes one packet in, in the order of arrival. `timestamp` is the RTP time as a signed 32-bit number. */
  take(sequence: number, timestamp: number, atMs: number, marker: boolean, kind: PayloadKind): void {
    const { media } = this;
    if (this.arrival.arrivals === 0) {
      this.#base = sequence;
      this.#highest = sequence;
      this.#transitOriginMs = atMs;
      this.#takeAhead(0, timestamp, atMs, marker, kind);
      return;
    }
    const step = (sequence - this.#highest) & SEQUENCE_MASK;
    if (step === 0 || step > SEQUENCE_CYCLE_PACKETS - WINDOW_PACKETS) {
      this.#takeBehind(step === 0 ? 0 : SEQUENCE_CYCLE_PACKETS - step, timestamp, atMs, kind);
      return;
    }
    if (
      step === 1 ||
      staysInRow(step, media.packetTicks, media.ticksSince(timestamp), media.msPerTick, atMs - this.arrival.lastAtMs)
    ) {
      this.#advanceTo(this.#highest + step);
      this.#takeAhead(step, timestamp, atMs, marker, kind);
      return;
    }
    if (sequence !== this.#nextAfterStray) {
      this.#nextAfterStray = (sequence + 1) & SEQUENCE_MASK;
      this.#stray = { timestamp, atMs, kind };
      this.strays += 1;
      return;
    }
    this.#startNewRow((sequence - 1) & SEQUENCE_MASK);
    this.#advanceTo(this.#highest + 1);
    this.#takeAhead(1, timestamp, atMs, marker, kind);
  }

  /** Whether a packet comes after others that were sent later, or a second time. */
  isBehind(sequence: number): boolean {
    const step = (sequence - this.#highest) & SEQUENCE_MASK;
    return this.arrival.arrivals > 0 && (step === 0 || step > SEQUENCE_CYCLE_PACKETS - WINDOW_PACKETS);
  }

  /** Takes one that is behind and whose RTP time is by another clock than the latest ones'. */
  takeOvertaken(sequence: number, atMs: number): void {
    this.#takeBehind((this.#highest - sequence) & SEQUENCE_MASK, undefined, atMs, 'audio');
  }

  /** The clock that times arrivals was set by `byMs`. */
  clockStepped(byMs: number): void {
    this.arrival.clockStepped(byMs);
    this.media.clockStepped(byMs);
    this.burstGap.clockStepped(byMs);
    this.#transitOriginMs += byMs;
  }

  /** Seals every packet's fate; nothing may be taken in afterwards. */
  finish(): void {
    if (this.arrival.arrivals > 0 && !this.#isFinished) this.#sealRow(this.burstGap, this.frames);
    this.#isFinished = true;
  }

  /** Bursts and frames as if the stream ended here; it may go on. */
  ifEndedNow(): { readonly burstGap: BurstGapMeter; readonly frames: PlayoutFrames } {
    if (this.arrival.arrivals === 0 || this.#isFinished) return { burstGap: this.burstGap, frames: this.frames };
    const [burstGap, frames] = [this.burstGap.clone(), this.frames.clone()];
    const [sealedMs, sealedUnits] = [this.#sealedMs, this.#sealedUnits];
    this.#sealRow(burstGap, frames);
    this.#sealedMs = sealedMs;
    this.#sealedUnits = sealedUnits;
    return { burstGap, frames };
  }

  /** A packet with the highest sequence number so far, `step` after the one that was it. */
  #takeAhead(step: number, timestamp: number, atMs: number, marker: boolean, kind: PayloadKind): void {
    const { media } = this;
    this.#nextAfterStray = -1;
    const beforeMs = media.mediaMs;
    const mediaMs = media.ahead(step, timestamp, atMs, kind);
    this.arrival.addArrival(atMs);
    this.#keep(this.#highest, mediaMs, atMs, mediaMs - beforeMs, marker || media.isAfterPause, kind);
  }

  /** A packet that comes after others that were sent later, `behind` numbers below the highest, or a second time. */
  #takeBehind(behind: number, timestamp: number | undefined, atMs: number, kind: PayloadKind): void {
    const extended = this.#highest - behind;
    // Overtaken before the first one that we saw: its place is free, for nothing of this row has been sealed yet.
    if (extended < this.#base) this.#base = extended;
    const mediaMs = this.media.behind(behind, timestamp);
    if (this.#states[extended & WINDOW_MASK] !== MISSING) {
      this.duplicates += 1;
      if (this.#captureDuplicates.isFromCapture(this.received)) return;
      this.arrival.addArrival(atMs);
      this.#measure(mediaMs, atMs, kind);
      return;
    }
    this.arrival.addArrival(atMs);
    this.outOfOrder += 1;
    this.#keep(extended, mediaMs, atMs, 0, false, kind);
  }

  /** RFC 3550 A.8 over every packet in the order of arrival; gives its transit time, undefined where nothing tells. */
  #measure(mediaMs: number, atMs: number, kind: PayloadKind): number | undefined {
    if (!this.media.isKnown) {
      this.arrival.untimed += 1;
      return undefined;
    }
    if (kind === 'event') {
      this.arrival.repeatJitter();
      return undefined;
    }
    const transitMs = atMs - this.#transitOriginMs - mediaMs;
    this.arrival.addTransit(transitMs);
    return transitMs;
  }

  #keep(
    extended: number,
    mediaMs: number,
    atMs: number,
    elapsedMs: number,
    startsTalkspurt: boolean,
    kind: PayloadKind,
  ): void {
    this.received += 1;
    const slot = extended & WINDOW_MASK;
    this.#mediaTimes[slot] = Math.round(mediaMs * MEDIA_UNITS_PER_MS);
    const transitMs = this.#measure(mediaMs, atMs, kind);
    if (transitMs === undefined) {
      this.#states[slot] = this.media.isKnown ? PLAYED_EVENT : UNTIMED;
      return;
    }
    const outcome = this.jitterBuffer.arrive(transitMs, elapsedMs, startsTalkspurt);
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
    const { packetMs } = this.media;
    if (state === MISSING) {
      this.#sealedMs += packetMs;
      this.#sealedUnits = (this.#sealedUnits + Math.round(packetMs * MEDIA_UNITS_PER_MS)) | 0;
    } else {
      const units = this.#mediaTimes[slot] ?? 0;
      this.#sealedMs += ((units - this.#sealedUnits) | 0) / MEDIA_UNITS_PER_MS;
      this.#sealedUnits = units;
    }
    if (state === MISSING || state === DISCARDED) {
      burstGap.missing(this.#sealedMs, this.arrival.lastAtMs - (this.#highest - extended) * packetMs);
      frames.missing();
      return;
    }
    burstGap.received(this.#sealedMs);
    if (state === UNTIMED) return;
    const kind = state === PLAYED ? 'audio' : state === PLAYED_EVENT ? 'event' : 'comfort-noise';
    frames.played(this.#sealedMs, packetMs, kind);
  }

  #sealRow(burstGap: BurstGapMeter, frames: PlayoutFrames): void {
    const first = Math.max(this.#base, this.#highest - WINDOW_PACKETS + 1);
    for (let extended = first; extended <= this.#highest; extended += 1) this.#seal(extended, burstGap, frames);
  }

  /** Two in a row from somewhere else: the sender began anew. The first of them was taken for a stray. */
  #startNewRow(sequence: number): void {
    this.#sealRow(this.burstGap, this.frames);
    this.#expectedOfEarlierRows += this.#highest - this.#base + 1;
    this.restarts += 1;
    this.#states.fill(MISSING);
    this.#base = sequence;
    this.#highest = sequence;
    this.media.restart();
    if (this.#stray === undefined) return;
    const { timestamp, atMs, kind } = this.#stray;
    this.strays -= 1;
    this.#takeAhead(0, timestamp, atMs, true, kind);
  }
}
