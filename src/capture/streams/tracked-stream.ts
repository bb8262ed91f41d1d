import type { PacketStream } from '../../stats/packets/packet-stream.ts';
import { formatAddress, formatAddressAndPort } from '../../wire/ip-address.ts';
import type { StreamAudio } from '../audio/stream-audio.ts';
import type { RtpPacket, StreamMeter } from './stream-meter.ts';
import type { StreamFormat } from './stream-format.ts';
import type { StreamRtcp } from './stream-rtcp.ts';

/** RTP packets with one SSRC, addresses and ports. Until it has a `meter`, it may not be RTP at all. */
export class TrackedStream {
  readonly #words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The SSRC as a signed 32-bit number. */
  readonly ssrcWord: number;
  /** The hash of its key, as its table computes it. */
  readonly hash: number;
  early: RtpPacket[] = [];
  /** How many of the early packets, up to the latest, follow each other, without copies. */
  rowPackets = 0;
  meter: StreamMeter | undefined;
  /** Arrival of its first and its latest packet, epoch milliseconds. */
  firstAtMs = 0.5;
  lastAtMs = 0.5;
  rtcp: StreamRtcp | undefined;
  /** Examines its audio; undefined: nobody does. */
  audio: StreamAudio | undefined;
  /** False: not examined yet, or enough was heard. */
  isListenedTo = false;
  /** Another stream whose key has the same hash. */
  nextOfHash: TrackedStream | undefined;
  /** It came when the table was full. */
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

  /** The address without its port. */
  get destinationAddress(): string {
    return formatAddress(this.#half(1));
  }

  get packets(): PacketStream | undefined {
    return this.meter?.packets;
  }

  /** The payload type of the latest audio; -1: there was none yet. */
  get payloadType(): number {
    return this.meter?.payloadType ?? -1;
  }

  /** The format of the latest audio. */
  get format(): StreamFormat | undefined {
    return this.meter?.segments.format;
  }

  /** A stream with the same SSRC, addresses and ports, for the next session between them. */
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

  /** Whether a datagram between these addresses goes in the stream's direction. */
  hasDirection(words: Int32Array, wordCount: number): boolean {
    return this.#words.length === wordCount && this.#words.every((word, index) => word === words[index]);
  }

  /** Whether it goes in the opposite direction. */
  hasOppositeDirection(words: Int32Array, wordCount: number): boolean {
    const half = wordCount / 2;
    return (
      this.#words.length === wordCount && this.#words.every((word, index) => word === words[(index + half) % wordCount])
    );
  }

  /** Somebody set the clock that times packets, by `byMs`. The intervals between packets stay. */
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
