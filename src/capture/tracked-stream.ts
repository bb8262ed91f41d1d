import type { PacketStream } from '../stats/packet-stream.ts';
import type { PayloadKind } from '../stats/playout-frames.ts';
import { formatAddressAndPort } from '../wire/ip-address.ts';
import { PAYLOAD_TYPE_COMFORT_NOISE } from '../wire/rtp.ts';
import type { StreamRtcp } from './stream-rtcp.ts';

/** A telephone event's payload (RFC 4733 §2.3), bare, or with the usual SRTP tags. */
const TELEPHONE_EVENT_BYTES: readonly number[] = [4, 8, 14, 20];
const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;

/** A packet from before its stream's RTP clock was known. */
export interface EarlyPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly atMs: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly mediaBytes: number;
}

/** `channel`: of the codec that the PBX names. */
export type ClockSource = 'static' | 'sdp' | 'channel' | 'measured' | 'assumed';

/** What is known of the codec of a stream. */
export interface StreamFormat {
  /** By its Asterisk name; null for a dynamic payload type that no SDP explains. */
  readonly codec: string | null;
  readonly clockRateHz: number;
  readonly clockRateSource: ClockSource;
}

/** One row of RTP packets with the same SSRC, addresses and ports. Until `packets` is there, perhaps not RTP at all. */
export class TrackedStream {
  readonly #words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As a signed 32-bit number. */
  readonly ssrcWord: number;
  /** Of the key, as its table computes it. */
  readonly hash: number;
  /** Of the audio; -1 until the first packet. */
  payloadType = -1;
  /** Says which other payload types are telephone events; -1 when none is known. */
  eventPayloadType = -1;
  early: EarlyPacket[] = [];
  /** How many of the early packets, up to the latest, go on from each other; copies not counted. */
  rowPackets = 0;
  packets: PacketStream | undefined;
  format: StreamFormat | undefined;
  rtcp: StreamRtcp | undefined;
  /** Another stream whose key has the same hash. */
  nextOfHash: TrackedStream | undefined;
  /** It came when as many as can be held were there. */
  isLeftOut = false;

  constructor(
    words: Int32Array,
    wordCount: number,
    sourcePort: number,
    destinationPort: number,
    ssrcWord: number,
    hash: number,
  ) {
    this.#words = words.slice(0, wordCount);
    this.sourcePort = sourcePort;
    this.destinationPort = destinationPort;
    this.ssrcWord = ssrcWord;
    this.hash = hash;
  }

  get ssrc(): number {
    return this.ssrcWord >>> 0;
  }

  get source(): string {
    return formatAddressAndPort(this.#half(0), this.sourcePort);
  }

  get destination(): string {
    return formatAddressAndPort(this.#half(1), this.destinationPort);
  }

  /** Epoch milliseconds of its first packet; 0 without any. */
  get firstAtMs(): number {
    return this.packets?.firstAtMs ?? this.early[0]?.atMs ?? 0;
  }

  get lastAtMs(): number {
    return this.packets?.lastAtMs ?? this.early.at(-1)?.atMs ?? 0;
  }

  is(words: Int32Array, wordCount: number, sourcePort: number, destinationPort: number, ssrcWord: number): boolean {
    const own = this.#words;
    if (
      this.ssrcWord !== ssrcWord ||
      this.sourcePort !== sourcePort ||
      this.destinationPort !== destinationPort ||
      own.length !== wordCount
    ) {
      return false;
    }
    for (let index = 0; index < wordCount; index += 1) if (own[index] !== words[index]) return false;
    return true;
  }

  /** Whether a datagram between these addresses goes the stream's way. */
  hasDirection(words: Int32Array, wordCount: number): boolean {
    return this.#words.length === wordCount && this.#words.every((word, index) => word === words[index]);
  }

  /** Whether it goes the opposite way. */
  hasOppositeDirection(words: Int32Array, wordCount: number): boolean {
    const half = wordCount / 2;
    return (
      this.#words.length === wordCount && this.#words.every((word, index) => word === words[(index + half) % wordCount])
    );
  }

  /** The clock that packets are timed by was set, by so many milliseconds: what lies between them stays as it was. */
  clockStepped(byMs: number): void {
    this.packets?.clockStepped(byMs);
    this.rtcp?.clockStepped(byMs);
    this.early = this.early.map((packet) => ({ ...packet, atMs: packet.atMs + byMs }));
  }

  /** What a packet holds; `mediaBytes` is the size of its payload. */
  kindOf(payloadType: number, mediaBytes: number): PayloadKind {
    if (payloadType === this.payloadType) return 'audio';
    if (payloadType === PAYLOAD_TYPE_COMFORT_NOISE) return 'comfort-noise';
    if (payloadType === this.eventPayloadType) return 'event';
    const mayBeEvent = payloadType >= FIRST_DYNAMIC_PAYLOAD_TYPE && TELEPHONE_EVENT_BYTES.includes(mediaBytes);
    return mayBeEvent && this.eventPayloadType < 0 ? 'event' : 'audio';
  }

  #half(index: 0 | 1): Int32Array {
    const half = this.#words.length / 2;
    return this.#words.subarray(index * half, (index + 1) * half);
  }
}
