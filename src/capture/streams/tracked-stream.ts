import type { PacketStream } from '../../stats/packets/packet-stream.ts';
import { formatAddress, formatAddressAndPort } from '../../wire/ip-address.ts';
import type { StreamAudio } from '../audio/stream-audio.ts';
import type { RtpPacket, StreamFormat, StreamMeter } from './stream-meter.ts';
import type { StreamRtcp } from './stream-rtcp.ts';

/** One row of RTP packets with the same SSRC, addresses and ports. Until `meter` is there, perhaps not RTP at all. */
export class TrackedStream {
  readonly #words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As a signed 32-bit number. */
  readonly ssrcWord: number;
  /** Of the key, as its table computes it. */
  readonly hash: number;
  early: RtpPacket[] = [];
  /** How many of the early packets, up to the latest, go on from each other; copies not counted. */
  rowPackets = 0;
  meter: StreamMeter | undefined;
  /** Epoch milliseconds of its first packet and its latest. */
  firstAtMs = 0.5;
  lastAtMs = 0.5;
  rtcp: StreamRtcp | undefined;
  /** Where the audio itself is looked at. */
  audio: StreamAudio | undefined;
  /** False before that, and when enough was heard. */
  isListenedTo = false;
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

  /** The sender's address and the receiver's. */
  get addressWords(): Int32Array {
    return this.#words;
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

  /** Without its port. */
  get destinationAddress(): string {
    return formatAddress(this.#half(1));
  }

  get packets(): PacketStream | undefined {
    return this.meter?.packets;
  }

  /** Of the latest audio; -1 before it. */
  get payloadType(): number {
    return this.meter?.payloadType ?? -1;
  }

  /** Of the latest audio. */
  get format(): StreamFormat | undefined {
    return this.meter?.segments.format;
  }

  /** Another one with the same SSRC, addresses and ports, for the next session between them. */
  successor(): TrackedStream {
    const { sourcePort, destinationPort, ssrcWord, hash } = this;
    return new TrackedStream(this.#words, this.#words.length, sourcePort, destinationPort, ssrcWord, hash);
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

  /** The clock that times packets was set by `byMs`: intervals between packets stay as they were. */
  clockStepped(byMs: number): void {
    this.firstAtMs += byMs;
    this.lastAtMs += byMs;
    this.meter?.clockStepped(byMs);
    this.rtcp?.clockStepped(byMs);
    this.early = this.early.map((packet) => ({ ...packet, atMs: packet.atMs + byMs }));
  }

  #half(index: 0 | 1): Int32Array {
    const half = this.#words.length / 2;
    return this.#words.subarray(index * half, (index + 1) * half);
  }
}
