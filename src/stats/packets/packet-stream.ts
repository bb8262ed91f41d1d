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
 * How far behind the highest sequence number a packet may come and still count as late or as a duplicate. RFC 3550 A.1 has 100;
 * this is the next power of two, 2.5 s of usual speech.
 */
const WINDOW_PACKETS = 128;
const WINDOW_MASK = WINDOW_PACKETS - 1;
const SEQUENCE_MASK = SEQUENCE_CYCLE_PACKETS - 1;
/** Media times wait in the window as 32-bit numbers of this unit: differences of up to nine hours, to 16 µs. */
const MEDIA_UNITS_PER_MS = 64;

const MISSING = 0;
const PLAYED = 1;
const DISCARDED = 2;
const PLAYED_COMFORT_NOISE = 3;
const PLAYED_EVENT = 4;
/** Received, but its playout time is not known. */
const UNTIMED = 5;

export interface PacketStreamOptions {
  /** Undefined: not known. Packets are then counted, but have no jitter. */
  readonly clockRateHz: number | undefined;
  readonly gmin: number;
  readonly jitterBuffer: JitterBufferKind;
  /** Whether to remember when bursts were. */
  readonly keepsBursts?: boolean | undefined;
}

/**
 * Everything that the packets of one RTP stream tell, one packet after another in constant memory (about 3 kB): counts by RFC
 * 3550 A.1 and A.3, interarrival jitter by A.8, arrival intervals, bursts and gaps, and a simulated jitter buffer. It is mutable
 * and allocates nothing, because it runs for every packet of a server.
 * `received` counts each sequence number once, so that expected = received + lost, and received + duplicates is what arrived. RFC
 * 3550 A.3 and tshark count duplicates as received, so there duplicates hide losses.
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
  /** Strange sequence numbers that no packet followed. They belong to no numbering and are not counted. */
  strays = 0;
  /** How often the sequence began anew, far from where it was. */
  restarts = 0;
  readonly #states: Uint8Array;
  readonly #mediaTimes: Int32Array;
  /** Where transit times are counted from, ms. */
  #transitOriginMs = 0.5;
  /** Extended sequence numbers of the present numbering, which began with the last restart. */
  #base = 0;
  #highest = 0;
  #expectedOfEarlierRows = 0;
  /** The number that would follow a strange one (bad_seq in RFC 3550 A.1); -1: the last number was not strange. */
  #nextAfterStray = -1;
  #stray: { readonly timestamp: number; readonly atMs: number; readonly kind: PayloadKind } | undefined;
  /** The media time of the packet that left the window last, and the same in the window's unit. */
  #sealedMs = 0.5;
  #sealedUnits = 0;
  readonly #captureDuplicates = new CaptureDuplicates();
  #isFinished = false;

  constructor(options: PacketStreamOptions) {
    this.media = new MediaClock(options.clockRateHz);
    this.burstGap = new BurstGapMeter(options.gmin, options.keepsBursts === true ? new BurstLog() : undefined);
    this.jitterBuffer = new JitterBuffer(options.jitterBuffer);
    this.frames = new PlayoutFrames();
    // One allocation for all three takes half the memory of three.
    const memory = new ArrayBuffer(ARRIVAL_BINS * 4 + WINDOW_PACKETS * 5);
    this.arrival = new ArrivalMeter(new Uint32Array(memory, 0, ARRIVAL_BINS));
    this.#mediaTimes = new Int32Array(memory, ARRIVAL_BINS * 4, WINDOW_PACKETS);
    this.#states = new Uint8Array(memory, ARRIVAL_BINS * 4 + WINDOW_PACKETS * 4);
    this.#sealedMs = 0;
  }

  /** Sequence numbers from the first to the highest, over all numberings. */
  get expected(): number {
    return this.#expectedOfEarlierRows + (this.arrival.arrivals === 0 ? 0 : this.#highest - this.#base + 1);
  }

  get lost(): number {
    return this.expected - this.received;
  }

  /** A packet's usual length, ms; an estimate where neighbouring packets do not tell. */
  get packetMs(): number {
    return this.media.packetMs;
  }

  /**
   * Whether a packet after a silence belongs to another session with the same SSRC and ports: the next call, and not this one
   * after a hold.
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

  /** The next packet's RTP time is by another clock. */
  changeClock(clockRateHz: number | undefined): void {
    this.media.change(clockRateHz);
  }

  /** Takes a packet, in the order of arrival. `timestamp` is the RTP time as a signed 32-bit number. */
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

  /** Whether a packet comes after later-sent ones, or a second time. */
  isBehind(sequence: number): boolean {
    const step = (sequence - this.#highest) & SEQUENCE_MASK;
    return this.arrival.arrivals > 0 && (step === 0 || step > SEQUENCE_CYCLE_PACKETS - WINDOW_PACKETS);
  }

  /** Takes a packet that is behind and whose RTP time is by another clock than the latest ones'. */
  takeOvertaken(sequence: number, atMs: number): void {
    this.#takeBehind((this.#highest - sequence) & SEQUENCE_MASK, undefined, atMs, 'audio');
  }

  /** Somebody set the clock that times arrivals, by `byMs`. */
  clockStepped(byMs: number): void {
    this.arrival.clockStepped(byMs);
    this.media.clockStepped(byMs);
    this.burstGap.clockStepped(byMs);
    this.#transitOriginMs += byMs;
  }

  /** Decides every packet in the window. The stream takes no more packets afterwards. */
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

  /** Takes a packet `step` numbers above the highest so far. */
  #takeAhead(step: number, timestamp: number, atMs: number, marker: boolean, kind: PayloadKind): void {
    const { media } = this;
    this.#nextAfterStray = -1;
    const beforeMs = media.mediaMs;
    const mediaMs = media.ahead(step, timestamp, atMs, kind);
    this.arrival.addArrival(atMs);
    this.#keep(this.#highest, mediaMs, atMs, mediaMs - beforeMs, marker || media.isAfterPause, kind);
  }

  /** Takes a packet `behind` numbers below the highest: it comes late, or a second time. */
  #takeBehind(behind: number, timestamp: number | undefined, atMs: number, kind: PayloadKind): void {
    const extended = this.#highest - behind;
    // Others overtook it before the first one that we saw. Its place is free, because nothing has left the window yet.
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

  /**
   * Jitter by RFC 3550 A.8, over all packets in the order of arrival. Returns the packet's transit time, ms; undefined: it cannot
   * be told.
   */
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

  /** Moves the window up to a new highest sequence number, and decides what leaves it. */
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

  /**
   * Two packets in a row came from elsewhere in the sequence, so the sender began anew. The first of them was taken for a stray.
   */
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
