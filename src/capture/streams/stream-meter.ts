import { PacketStream, type PacketStreamOptions } from '../../stats/packets/packet-stream.ts';
import type { PayloadKind } from '../../stats/packets/playout-frames.ts';
import { looksLikeClock, measuredClockRateHz } from '../../stats/packets/rtp-clock.ts';
import { ASSUMED_CLOCK_RATE_HZ } from '../../units/rtp.ts';
import { COMFORT_NOISE, TELEPHONE_EVENT } from '../../wire/payload-types.ts';
import { StreamSegments, type StreamSegment } from './stream-segments.ts';
import type { StreamFormat } from './stream-format.ts';

/** How many first packets of a payload type tell its clock rate, and how many of them overrule what signalling says. */
const PACKETS_TO_TELL = 16;
const PACKETS_TO_OUTVOTE = 24;
/**
 * Bound on the packets that wait until the clock rate that signalling names shows. After that it is believed, unless the packets
 * are sure of another. If signalling names none they wait longer, so that two sender reports may come.
 */
const MOST_WAITING = 48;
const MOST_WAITING_UNKNOWN = 640;
/** A payload type with a smaller share of the waiting packets is not the audio. */
const LEAST_SHARE = 1 / 3;
/** How far the clock rate of the packets may be from the one that signalling names, if nothing else is sure. */
const SIGNALLED_WITHIN_RATIO = 0.25;

const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;
/** The payload of a telephone event (RFC 4733 §2.3), bare or with the usual SRTP tags. */
const TELEPHONE_EVENT_BYTES: readonly number[] = [4, 8, 14, 20];
/** A description of noise has a byte for the level, and some for its colour (RFC 3389 §3). */
const MOST_NOISE_BYTES = 13;
/** An event of any other size shows by its RTP time, which stands still. */
const MOST_EVENT_BYTES = 40;

export interface RtpPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly atMs: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly mediaBytes: number;
}

/** Packets that wait in all streams together, which is bounded because of hostile input. */
export interface WaitingPackets {
  count: number;
}
const MOST_WAITING_TOGETHER = 65_536;

export interface StreamMeterOptions extends Omit<PacketStreamOptions, 'clockRateHz'> {
  /** The payload type of the audio, as far as the first packets tell. */
  readonly payloadType: number;
  /** What is known from elsewhere about a payload type of this stream. */
  readonly formatOf: (payloadType: number) => StreamFormat | undefined;
  readonly waiting: WaitingPackets;
}

/**
 * One stream's packets, and what each payload type means: which packets are audio, and by which clock rate. Packets wait until
 * the clock rate of their payload type is known: from signalling, if they agree with it, or from themselves.
 */
export class StreamMeter {
  readonly packets: PacketStream;
  readonly segments: StreamSegments;
  /** The payload type of the latest audio; -1: there was none yet. */
  payloadType = -1;
  readonly #options: StreamMeterOptions;
  /** Payload types that are audio, with their clock rates. */
  readonly #formats = new Map<number, StreamFormat>();
  /** Payload types whose RTP times tell nothing. */
  readonly #untimed = new Set<number>();
  /** RTP time of the latest packet of a payload type that may be telephone events. */
  #lastOther = { payloadType: -1, timestamp: 0 };
  #waiting: RtpPacket[] | undefined;
  #waitsFor = -1;

  constructor(options: StreamMeterOptions) {
    this.#options = options;
    this.packets = new PacketStream({ ...options, clockRateHz: undefined });
    this.segments = new StreamSegments(this.packets);
  }

  take(packet: RtpPacket): void {
    if (this.payloadType < 0 && this.#waiting === undefined) this.#waitsFor = this.#options.payloadType;
    if (this.payloadType < 0 || this.#waiting !== undefined) {
      this.#wait(packet);
      return;
    }
    const { payloadType } = packet;
    const kind = payloadType === this.payloadType ? 'audio' : this.#kindOf(packet);
    if (kind !== 'audio') this.#pass(packet, kind);
    else if (payloadType === this.payloadType) this.#pass(packet, 'audio');
    else {
      const format = this.#formats.get(payloadType);
      if (format === undefined) {
        this.#waitsFor = payloadType;
        this.#wait(packet);
        return;
      }
      // A packet that was overtaken does not change the codec back.
      if (this.packets.isBehind(packet.sequence)) {
        this.packets.takeOvertaken(packet.sequence, packet.atMs);
        return;
      }
      this.#change(payloadType, format, packet.atMs);
      this.#pass(packet, 'audio');
    }
  }

  /** The same for a packet of `payloadType` itself while nothing waits, without an object. */
  takeAudio(sequence: number, timestamp: number, atMs: number, marker: boolean): void {
    this.packets.take(sequence, timestamp, atMs, marker, 'audio');
  }

  /** Whether `takeAudio` may be called for a packet of this payload type. */
  isAudio(payloadType: number): boolean {
    return payloadType === this.payloadType && this.#waiting === undefined;
  }

  /** Takes the clock rate of two sender reports, the first of `sinceMs`. It serves where nothing better is known. */
  noteSenderClock(clockRateHz: number, sinceMs: number): void {
    if (this.#waiting !== undefined) {
      // The payload type before it may have another clock rate.
      if (this.payloadType >= 0 && sinceMs < (this.#waiting[0]?.atMs ?? 0)) return;
      if (this.#knownFormat(this.#waitsFor) === undefined)
        this.#decide({ codec: null, clockRateHz, clockRateSource: 'sr' });
      return;
    }
    const format = this.#formats.get(this.payloadType);
    if (format?.clockRateSource !== 'assumed') return;
    const told: StreamFormat = { ...format, clockRateHz, clockRateSource: 'sr' };
    this.#formats.set(this.payloadType, told);
    this.#change(this.payloadType, told, this.packets.arrival.lastAtMs);
  }

  /** All stretches so far. A codec that signalling named later counts, too. */
  allSegments(): StreamSegment[] {
    return this.segments.all().map((segment) => {
      const { payloadType, format } = segment;
      const known = format.codec === null ? this.#knownFormat(payloadType) : undefined;
      return known?.clockRateHz === format.clockRateHz
        ? { ...segment, format: { ...format, codec: known.codec } }
        : segment;
    });
  }

  clockStepped(byMs: number): void {
    this.packets.clockStepped(byMs);
    this.segments.clockStepped(byMs);
    this.#waiting = this.#waiting?.map((packet) => ({ ...packet, atMs: packet.atMs + byMs }));
  }

  /** Decides about waiting packets, and about every packet in the window. */
  finish(): void {
    while (this.#waiting !== undefined) this.#decide(this.#toldFormat(true) ?? this.#lastResort());
    this.packets.finish();
  }

  #pass({ sequence, timestamp, atMs, marker }: RtpPacket, kind: PayloadKind): void {
    this.packets.take(sequence, timestamp, atMs, marker, kind);
  }

  #wait(packet: RtpPacket): void {
    const waiting = (this.#waiting ??= []);
    waiting.push(packet);
    this.#options.waiting.count += 1;
    const own = packet.payloadType === this.#waitsFor;
    const most = this.#knownFormat(this.#waitsFor) === undefined ? MOST_WAITING_UNKNOWN : MOST_WAITING;
    const isFull = waiting.length >= most || this.#options.waiting.count > MOST_WAITING_TOGETHER;
    if (!isFull && waiting.length !== MOST_WAITING && (!own || waiting.length % PACKETS_TO_TELL !== 0)) return;
    const format = this.#toldFormat(isFull);
    if (format !== undefined) this.#decide(format);
    else if (isFull || (waiting.length >= MOST_WAITING && this.#share() < LEAST_SHARE))
      this.#decide(this.#lastResort());
  }

  /** The format of the waiting packets' payload type; undefined: not known yet. `isLast`: nothing more will become known. */
  #toldFormat(isLast: boolean): StreamFormat | undefined {
    const own = (this.#waiting ?? []).filter(({ payloadType }) => payloadType === this.#waitsFor);
    const known = this.#knownFormat(this.#waitsFor);
    const isTelling = own.length >= PACKETS_TO_TELL;
    if (known === undefined) {
      const clockRateHz = isTelling ? measuredClockRateHz(own) : undefined;
      return clockRateHz === undefined ? undefined : { codec: null, clockRateHz, clockRateSource: 'measured' };
    }
    if (isTelling && looksLikeClock(own, known.clockRateHz, SIGNALLED_WITHIN_RATIO)) return known;
    if (!isLast) return undefined;
    const clockRateHz = own.length >= PACKETS_TO_OUTVOTE ? measuredClockRateHz(own) : undefined;
    return clockRateHz === undefined || clockRateHz === known.clockRateHz
      ? known
      : { ...known, clockRateHz, clockRateSource: 'measured', signalledClockRateHz: known.clockRateHz };
  }

  /**
   * The format where none is known: audio of that payload type is not measured. Undefined: it is another payload type, which
   * passes.
   */
  #lastResort(): StreamFormat | undefined {
    const isAll = this.payloadType < 0;
    const isMuch = (this.#waiting?.length ?? 0) >= MOST_WAITING && this.#share() >= LEAST_SHARE;
    if (!isAll && !isMuch) return undefined;
    return { codec: null, clockRateHz: ASSUMED_CLOCK_RATE_HZ, clockRateSource: 'assumed' };
  }

  /** Takes the waiting packets. Without a format, the RTP times of their payload type tell nothing. */
  #decide(format: StreamFormat | undefined): void {
    const waiting = this.#waiting ?? [];
    if (format === undefined) this.#untimed.add(this.#waitsFor);
    else this.#formats.set(this.#waitsFor, format);
    // Packets before the first audio go by its clock.
    if (format !== undefined && this.payloadType < 0) this.#change(this.#waitsFor, format, waiting[0]?.atMs ?? 0);
    this.#options.waiting.count -= waiting.length;
    this.#waiting = undefined;
    this.#lastOther = { payloadType: -1, timestamp: 0 };
    for (const packet of waiting) this.take(packet);
  }

  #change(payloadType: number, format: StreamFormat, atMs: number): void {
    const hz = format.clockRateSource === 'assumed' ? undefined : format.clockRateHz;
    this.segments.begin(payloadType, format, atMs);
    this.payloadType = payloadType;
    const isSame =
      hz !== undefined && this.packets.media.isKnown && Math.abs(1000 / hz - this.packets.media.msPerTick) < 1e-9;
    if (!isSame) this.packets.changeClock(hz);
  }

  #share(): number {
    const waiting = this.#waiting ?? [];
    return waiting.filter(({ payloadType }) => payloadType === this.#waitsFor).length / Math.max(1, waiting.length);
  }

  #knownFormat(payloadType: number): StreamFormat | undefined {
    return this.#options.formatOf(payloadType);
  }

  /** What a packet of another payload type than the audio's holds. */
  #kindOf({ payloadType, mediaBytes, timestamp }: RtpPacket): PayloadKind {
    if (this.#untimed.has(payloadType)) return 'event';
    if (this.#formats.has(payloadType) || payloadType === this.#options.payloadType) return 'audio';
    const codec = this.#knownFormat(payloadType)?.codec ?? null;
    if (codec === COMFORT_NOISE) return 'comfort-noise';
    if (codec === TELEPHONE_EVENT) return 'event';
    if (payloadType < FIRST_DYNAMIC_PAYLOAD_TYPE) return 'audio';
    const last = this.#lastOther;
    const standsStill = last.payloadType === payloadType && last.timestamp === timestamp;
    this.#lastOther = { payloadType, timestamp };
    if (TELEPHONE_EVENT_BYTES.includes(mediaBytes) || (standsStill && mediaBytes <= MOST_EVENT_BYTES)) return 'event';
    if (codec !== null) return 'audio';
    return mediaBytes <= MOST_NOISE_BYTES ? 'comfort-noise' : 'audio';
  }
}
