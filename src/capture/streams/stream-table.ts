import type { JitterBufferKind } from '../../stats/packets/jitter-buffer.ts';
import type { DatagramReader } from '../../wire/packets/datagram.ts';
import type { UnreadLayer } from '../../wire/packets/inner-start.ts';
import { unreadAtPort } from '../../wire/packets/tunnels.ts';
import { type PayloadFormat, staticFormat } from '../../wire/payload-types.ts';
import { rtpMarker, rtpMediaBytes, rtpPayloadType, rtpSequence, rtpSsrc, rtpTimestamp } from '../../wire/rtp.ts';
import {
  PACKETS_TO_BELIEVE,
  goesOn,
  isBelievable,
  isSamePacket,
  mainPayloadType,
  mayBeAfterLoss,
} from './early-packets.ts';
import type { SdpAnnouncements } from '../sdp-announcements.ts';
import type { CallAudio } from '../audio/call-audio.ts';
import { SsrcIndex } from './ssrc-index.ts';
import { StreamHash } from './stream-hash.ts';
import { type RtpPacket, StreamMeter, type WaitingPackets } from './stream-meter.ts';
import type { StreamFormat } from './stream-format.ts';
import { type Standing, StreamQuota } from './stream-quota.ts';
import { TrackedStream } from './tracked-stream.ts';

/** An unexplained payload type needs more packets. */
const UNEXPLAINED_TO_BELIEVE = 16;
/** Bound on the early packets kept of one candidate, copies included. */
const MAX_EARLY_PACKETS = 64;
/** Bound on candidates: random UDP traffic can look like the first packet of a stream. The oldest go first. */
const MAX_CANDIDATES = 4096;
/** How many of the oldest candidates are searched for one without an owner. */
const LOOKED_AT_CANDIDATES = 8;
/** After a silence of this long, a stream's packets may belong to the next call. */
const SESSION_PAUSE_MS = 2000;

export interface StreamTableOptions {
  readonly gmin: number;
  readonly jitterBuffer: JitterBufferKind;
  /** Whether to remember when bursts were. */
  readonly keepsBursts?: boolean | undefined;
  /** Examines the audio itself, if it was captured and can be read. */
  readonly audio?: CallAudio | undefined;
  /** What payload types mean, whatever the capture says. */
  readonly codecs?: ReadonlyMap<number, PayloadFormat> | undefined;
  /** What is known from elsewhere about a stream with a dynamic payload type: a capture of RTP ports has no SIP. */
  readonly formatOf?: ((stream: TrackedStream) => PayloadFormat | undefined) | undefined;
  /** Whether a stream belongs to a channel, by what is known of channels; absent for a file, in which nobody is a stranger. */
  readonly standingOf?: ((stream: TrackedStream, isToBeHeld: boolean) => Standing) | undefined;
}

/**
 * Tells RTP streams from other UDP traffic without a list of ports: by SSRC, addresses, ports and sequence numbers that follow
 * each other. A packet of a known stream takes one lookup and no allocation.
 */
export class StreamTable {
  /** Packets that turned out to be no RTP, or of no stream. */
  rejectedPackets = 0;
  /** Those of them that are inside another layer, by their ports. */
  readonly rejectedUnread = new Map<UnreadLayer, number>();
  /** Streams that came when the table was full. */
  streamsLeftOut = 0;
  readonly #options: StreamTableOptions;
  readonly #sdp: SdpAnnouncements;
  readonly #byHash = new Map<number, TrackedStream>();
  /** Oldest first. */
  readonly #candidates = new Set<TrackedStream>();
  readonly #streams = new Set<TrackedStream>();
  readonly #hash = new StreamHash();
  readonly #ssrcs = new SsrcIndex(this.#hash);
  readonly #quota: StreamQuota;
  readonly #waiting: WaitingPackets = { count: 0 };

  constructor(options: StreamTableOptions, sdp: SdpAnnouncements) {
    this.#options = options;
    this.#quota = new StreamQuota(options.standingOf === undefined ? 'file' : 'live');
    this.#sdp = sdp;
  }

  /** The believed streams, in the order in which they became so. */
  get streams(): ReadonlySet<TrackedStream> {
    return this.#streams;
  }

  /** The streams of an SSRC between two addresses, in either direction; several where a bridge sends packets on unchanged. */
  withSsrc(ssrc: number, words: Int32Array, wordCount: number): readonly TrackedStream[] {
    return this.#ssrcs.find(ssrc, words, wordCount);
  }

  /** A stream has turned out to belong to a channel. */
  adopt(stream: TrackedStream): void {
    this.#quota.adopt(stream);
  }

  /** Takes the RTP packet that `datagram` holds. */
  take(view: DataView, datagram: DatagramReader, atMs: number): void {
    const at = datagram.payloadStart;
    const payloadType = rtpPayloadType(view, at);
    const sequence = rtpSequence(view, at);
    const timestamp = rtpTimestamp(view, at);
    let stream = this.#find(datagram, rtpSsrc(view, at), atMs);
    if (
      atMs - stream.lastAtMs > SESSION_PAUSE_MS &&
      stream.packets?.beginsSession(sequence, timestamp, atMs) === true
    ) {
      stream = this.#beginSession(stream, atMs);
    }
    stream.lastAtMs = atMs;
    const { meter } = stream;
    if (stream.isListenedTo) this.#options.audio?.take(stream, payloadType, view, datagram, atMs);
    if (meter?.isAudio(payloadType) === true) {
      meter.takeAudio(sequence, timestamp, atMs, rtpMarker(view, at));
      return;
    }
    const packet: RtpPacket = {
      sequence,
      timestamp,
      atMs,
      marker: rtpMarker(view, at),
      payloadType,
      mediaBytes: rtpMediaBytes(view, at, datagram.payloadEnd, datagram.payloadBytes),
    };
    if (meter === undefined) this.#takeEarly(stream, packet);
    else meter.take(packet);
  }

  /** Somebody set the clock that times packets, by `byMs`. */
  clockStepped(byMs: number): void {
    for (const stream of [...this.#streams, ...this.#candidates]) stream.clockStepped(byMs);
  }

  /** Decides about everything that is open, and ends every stream. */
  finish(): void {
    for (const candidate of this.#candidates) {
      if (isBelievable(candidate.early, candidate.rowPackets)) this.#believe(candidate);
      else this.#rejectEarly(candidate);
    }
    this.#candidates.clear();
    for (const { meter } of this.#streams) meter?.finish();
  }

  /** Forgets a stream. Its next packet begins another. */
  remove(stream: TrackedStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#unlink(stream);
    this.#ssrcs.remove(stream);
    this.#quota.remove(stream);
    this.#options.audio?.remove(stream);
  }

  #find(datagram: DatagramReader, ssrcWord: number, atMs: number): TrackedStream {
    const { addressWords, addressWordCount, sourcePort, destinationPort } = datagram;
    const hash = this.#hash.ofStream(addressWords, addressWordCount, sourcePort, destinationPort, ssrcWord);
    const first = this.#byHash.get(hash);
    for (let stream = first; stream !== undefined; stream = stream.nextOfHash) {
      if (stream.is(addressWords, addressWordCount, sourcePort, destinationPort, ssrcWord)) return stream;
    }
    const stream = new TrackedStream(addressWords, addressWordCount, sourcePort, destinationPort, ssrcWord, hash);
    return this.#beginCandidate(stream, atMs);
  }

  /** The sender has begun anew after a silence: its packets are now another session, of whatever call. */
  #beginSession(ended: TrackedStream, atMs: number): TrackedStream {
    this.#unlink(ended);
    return this.#beginCandidate(ended.successor(), atMs);
  }

  #beginCandidate(stream: TrackedStream, atMs: number): TrackedStream {
    stream.firstAtMs = atMs;
    stream.lastAtMs = atMs;
    stream.nextOfHash = this.#byHash.get(stream.hash);
    this.#byHash.set(stream.hash, stream);
    this.#candidates.add(stream);
    if (this.#candidates.size > MAX_CANDIDATES) this.#dropOldestCandidate();
    return stream;
  }

  /** Drops the oldest candidate without an owner, so that forged streams do not push out those of a call that begins. */
  #dropOldestCandidate(): void {
    let dropped: TrackedStream | undefined;
    let looked = 0;
    for (const candidate of this.#candidates) {
      dropped ??= candidate;
      const isKnown = this.#options.standingOf?.(candidate, false) === 'known';
      if (!isKnown) dropped = candidate;
      if (!isKnown || ++looked >= LOOKED_AT_CANDIDATES) break;
    }
    if (dropped === undefined) return;
    this.#candidates.delete(dropped);
    this.#unlink(dropped);
    this.#rejectEarly(dropped);
  }

  #unlink(stream: TrackedStream): void {
    let earlier = this.#byHash.get(stream.hash);
    if (earlier === stream) {
      if (stream.nextOfHash === undefined) this.#byHash.delete(stream.hash);
      else this.#byHash.set(stream.hash, stream.nextOfHash);
      return;
    }
    while (earlier !== undefined && earlier.nextOfHash !== stream) earlier = earlier.nextOfHash;
    if (earlier !== undefined) earlier.nextOfHash = stream.nextOfHash;
  }

  /** Keeps the first packets until they are believed. A copy or a gap among them does not spoil the others. */
  #takeEarly(stream: TrackedStream, packet: RtpPacket): void {
    const { early } = stream;
    if (!early.some((other) => isSamePacket(other, packet))) {
      const last = early.at(-1);
      if (last === undefined) stream.rowPackets = 1;
      else if (goesOn(last, packet)) stream.rowPackets += 1;
      else if (stream.rowPackets < PACKETS_TO_BELIEVE) {
        stream.rowPackets = 1;
        if (!mayBeAfterLoss(last, packet)) this.#rejectEarly(stream);
      }
    }
    if (stream.early.length >= MAX_EARLY_PACKETS) this.#rejectEarly(stream);
    stream.early.push(packet);
    if (this.#isReady(stream)) this.#believe(stream);
  }

  #rejectEarly(stream: TrackedStream): void {
    const packets = stream.early.length;
    const layer = unreadAtPort(stream.sourcePort) ?? unreadAtPort(stream.destinationPort);
    if (layer === undefined) this.rejectedPackets += packets;
    else this.rejectedUnread.set(layer, (this.rejectedUnread.get(layer) ?? 0) + packets);
    stream.early = [];
  }

  #isReady(stream: TrackedStream): boolean {
    if (!this.#sdp.isEmpty && (this.#sdp.announces(stream.destination) || this.#sdp.announces(stream.source)))
      return true;
    if (!isBelievable(stream.early, stream.rowPackets)) return false;
    const known = stream.early.length;
    return known >= UNEXPLAINED_TO_BELIEVE || this.#explainsAudio(stream);
  }

  #explainsAudio(stream: TrackedStream): boolean {
    const payloadType = mainPayloadType(stream.early);
    return this.#explained(stream, payloadType, payloadType) !== undefined;
  }

  #believe(stream: TrackedStream): void {
    if (!this.#quota.admit(stream, this.#options.standingOf?.(stream, true) ?? 'known')) {
      this.streamsLeftOut += Number(!stream.isLeftOut);
      stream.isLeftOut = true;
      this.#rejectEarly(stream);
      return;
    }
    const payloadType = mainPayloadType(stream.early);
    stream.meter = new StreamMeter({
      ...this.#options,
      payloadType,
      formatOf: (type) => this.#explained(stream, type, payloadType),
      waiting: this.#waiting,
    });
    this.#candidates.delete(stream);
    this.#streams.add(stream);
    this.#ssrcs.add(stream);
    this.#options.audio?.add(stream);
    for (const packet of stream.early) stream.meter.take(packet);
    stream.early = [];
  }

  #explained(stream: TrackedStream, payloadType: number, audioType: number): StreamFormat | undefined {
    const given = this.#options.codecs?.get(payloadType);
    if (given !== undefined) return { ...given, clockRateSource: 'option' };
    const fromSdp = this.#sdp.isEmpty ? undefined : this.#sdp.format(payloadType, stream.source, stream.destination);
    if (fromSdp !== undefined) return { ...fromSdp, clockRateSource: 'sdp' };
    const fixed = staticFormat(payloadType);
    if (fixed !== undefined) return { ...fixed, clockRateSource: 'static' };
    const told = payloadType === audioType ? this.#options.formatOf?.(stream) : undefined;
    return told === undefined ? undefined : { ...told, clockRateSource: 'channel' };
  }
}
