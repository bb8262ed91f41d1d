import { DatagramReader } from '../wire/packets/datagram.ts';
import type { PacketCursor } from '../wire/packets/packet-cursor.ts';
import { type RtcpCompound, readRtcp } from '../wire/rtcp/rtcp.ts';
import type { XrBlock } from '../wire/rtcp/rtcp-xr-blocks.ts';
import { RTP_HEADER_BYTES, isWholeRtpHeader, mediaKind } from '../wire/rtp.ts';
import type { UnreadLayer } from '../wire/packets/inner-start.ts';
import { SipOverTcp, isTlsOfSip } from '../wire/packets/sip-over-tcp.ts';
import { unreadAtPort } from '../wire/packets/tunnels.ts';
import { readSipMedia } from '../wire/sip-sdp.ts';
import type { CallAudio } from './audio/call-audio.ts';
import { CapturedCopies } from './streams/captured-copies.ts';
import { SdpAnnouncements } from './sdp-announcements.ts';
import { StreamRtcp } from './streams/stream-rtcp.ts';
import { StreamTable, type StreamTableOptions } from './streams/stream-table.ts';
import { eachSummary, type StreamSummary } from './streams/stream-summary.ts';
import type { TrackedStream } from './streams/tracked-stream.ts';
import { type UnsureKind, UnsureRtcp } from './streams/unsure-rtcp.ts';

const MAX_OTHER_XR_BLOCKS = 256;
const MAX_UNKNOWN_LINKS = 8;

/** RTCP begins with one of these (RFC 3550 §12.1, RFC 4585, RFC 3611). */
const FIRST_RTCP_TYPE = 200;
const LAST_RTCP_TYPE = 207;

/**
 * Why packets went into no stream. `notUdp`: neither UDP nor SIP over TCP. `notMedia`: UDP that is no RTP, RTCP or SIP, or too
 * little of it to be sure. `fragments`: parts of incomplete datagrams. `unread`: inside a layer that is not read.
 */
export interface SkippedPackets {
  readonly notUdp: number;
  readonly notMedia: number;
  readonly fragments: number;
  readonly cutShort: number;
  readonly unknownLink: number;
  readonly rtcpEncrypted: number;
  readonly rtcpMalformed: number;
  readonly unread: number;
}

export interface RtcpSummary {
  /** Packets, each counted once even if it was captured several times. */
  readonly packets: number;
  /** Packets that were captured again. */
  readonly duplicates: number;
  /** Reports about streams whose packets are not in the capture. */
  readonly unmatchedReports: number;
  /** The first extended report blocks that are about no stream of the capture: clocks, unknown types. */
  readonly otherXrBlocks: readonly XrBlock[];
}

export interface AnalysisResult {
  /** Computed anew with each call. */
  readonly streams: readonly StreamSummary[];
  /** The same streams, one at a time. */
  readonly eachStream: () => Iterable<StreamSummary>;
  readonly packets: number;
  readonly skippedPackets: number;
  readonly skipped: SkippedPackets;
  /** Layers that are not read, and the packets inside each. */
  readonly unread: ReadonlyMap<UnreadLayer, number>;
  /** Unknown link layers by their number at tcpdump.org, and the packets of each. */
  readonly unknownLinks: ReadonlyMap<number, number>;
  /** Streams that did not fit into the table. */
  readonly streamsLeftOut: number;
  readonly rtcp: RtcpSummary;
  readonly sipMessages: number;
}

/**
 * Analyses the RTP streams of a capture, packet by packet. Memory grows with the number of simultaneous streams, never with the
 * number of packets.
 */
export class CaptureAnalysis {
  readonly #datagram = new DatagramReader();
  readonly #sipOverTcp = new SipOverTcp((view, start, end) => this.#takeSipMessage(view, start, end));
  readonly #sdp = new SdpAnnouncements();
  readonly #copies = new CapturedCopies();
  readonly #unsureRtcp = new UnsureRtcp();
  readonly #unread = new Map<UnreadLayer, number>();
  readonly #table: StreamTable;
  readonly #audio: CallAudio | undefined;
  readonly #otherXrBlocks: XrBlock[] = [];
  #packets = 0;
  #notUdp = 0;
  #notMedia = 0;
  #fragments = 0;
  #cutShort = 0;
  /** Number of packets by link layer. */
  readonly #unknownLinks = new Map<number, number>();
  #rtcpPackets = 0;
  #rtcpDuplicates = 0;
  #unmatchedReports = 0;
  #sipMessages = 0;

  constructor(options: StreamTableOptions) {
    this.#table = new StreamTable(options, this.#sdp);
    this.#audio = options.audio;
  }

  /** The streams so far, for a capture that goes on. */
  get streams(): ReadonlySet<TrackedStream> {
    return this.#table.streams;
  }

  get packets(): number {
    return this.#packets;
  }

  /** Somebody set the clock that times packets, by `byMs`. Streams go on as if nobody had. */
  clockStepped(byMs: number): void {
    this.#table.clockStepped(byMs);
  }

  /**
   * Takes the reader's present packet. `lateByMs`: the clock was set by this much after the packet was stamped, so its time is
   * moved.
   */
  take(packet: PacketCursor, lateByMs = 0): void {
    this.#packets += 1;
    const datagram = this.#datagram;
    switch (datagram.read(packet)) {
      case 'udp':
        this.#takeDatagram(packet.atMs + lateByMs);
        return;
      case 'tcp':
        this.#takeSegment();
        return;
      case 'unread':
        this.#countUnread(datagram.unreadLayer, 1);
        return;
      case 'not-udp':
        this.#notUdp += 1;
        return;
      case 'fragment':
        this.#fragments += 1;
        return;
      case 'cut-short':
        this.#cutShort += 1;
        return;
      default:
        this.#countUnknownLink(packet.linkType);
    }
  }

  /** Streams that did not fit into the table. */
  get streamsLeftOut(): number {
    return this.#table.streamsLeftOut;
  }

  /** Seals a stream of a capture that goes on, and forgets it. */
  drop(stream: TrackedStream): void {
    stream.meter?.finish();
    this.#table.remove(stream);
  }

  /** A stream has turned out to belong to a channel. */
  adopt(stream: TrackedStream): void {
    this.#table.adopt(stream);
  }

  /** Seals all streams and returns the result. No packet may be taken afterwards. */
  finish(): AnalysisResult {
    this.#sipOverTcp.finish();
    this.#table.finish();
    const { streams } = this.#table;
    const audio = this.#audio;
    const unsure = this.#unsureRtcp.counts(streams);
    for (const [layer, packets] of this.#table.rejectedUnread) this.#countUnread(layer, packets);
    const skipped: SkippedPackets = {
      notUdp: this.#notUdp,
      notMedia: this.#notMedia + this.#table.rejectedPackets + unsure.others,
      fragments: this.#fragments - this.#datagram.joinedFragments,
      cutShort: this.#cutShort,
      unknownLink: [...this.#unknownLinks.values()].reduce((sum, count) => sum + count, 0),
      rtcpEncrypted: unsure.encrypted,
      rtcpMalformed: unsure.malformed,
      unread: [...this.#unread.values()].reduce((sum, count) => sum + count, 0),
    };
    return {
      get streams() {
        return [...eachSummary(streams, audio)];
      },
      eachStream: () => eachSummary(streams, audio),
      packets: this.#packets,
      skippedPackets: Object.values(skipped).reduce((sum, count) => sum + count, 0),
      skipped,
      unread: this.#unread,
      unknownLinks: this.#unknownLinks,
      streamsLeftOut: this.#table.streamsLeftOut,
      rtcp: {
        packets: this.#rtcpPackets,
        duplicates: this.#rtcpDuplicates,
        unmatchedReports: this.#unmatchedReports,
        otherXrBlocks: this.#otherXrBlocks,
      },
      sipMessages: this.#sipMessages,
    };
  }

  #countUnknownLink(linkType: number): void {
    // A pcapng file can name 65,536; nobody needs more than a few.
    const known = this.#unknownLinks.has(linkType) || this.#unknownLinks.size < MAX_UNKNOWN_LINKS ? linkType : -1;
    this.#unknownLinks.set(known, (this.#unknownLinks.get(known) ?? 0) + 1);
  }

  #takeDatagram(atMs: number): void {
    const { view, payloadStart, payloadEnd, payloadBytes, isShownBefore } = this.#datagram;
    const kind = mediaKind(view, payloadStart, payloadEnd);
    if (isShownBefore) {
      // Media was counted with its first fragment. Of SIP there is more to read now.
      if (kind === 'other') this.#readSip(view, payloadStart, payloadEnd);
    } else if (kind === 'rtp' && isWholeRtpHeader(view, payloadStart, payloadBytes)) {
      this.#table.take(view, this.#datagram, atMs);
    } else if (kind === 'rtcp') {
      this.#takeRtcp(atMs);
    } else if (payloadEnd - payloadStart < Math.min(RTP_HEADER_BYTES, payloadBytes)) {
      this.#cutShort += 1;
    } else {
      this.#takeSip(atMs);
    }
  }

  #takeSegment(): void {
    if (this.#sipOverTcp.take(this.#datagram)) return;
    if (isTlsOfSip(this.#datagram)) this.#countUnread('TLS on the port of SIP', 1);
    else this.#notUdp += 1;
  }

  #takeSip(atMs: number): void {
    const { view, payloadStart, payloadEnd } = this.#datagram;
    if (!this.#readSip(view, payloadStart, payloadEnd)) this.#notMedia += 1;
    else if (!this.#copies.isCopy(this.#datagram, atMs)) this.#sipMessages += 1;
  }

  #takeSipMessage(view: DataView, start: number, end: number): void {
    if (this.#readSip(view, start, end)) this.#sipMessages += 1;
  }

  /** False when it is no SIP message. */
  #readSip(view: DataView, start: number, end: number): boolean {
    const media = readSipMedia(view, start, end);
    if (media === undefined) return false;
    for (const part of media) this.#sdp.add(part);
    return true;
  }

  #countUnread(layer: UnreadLayer, packets: number): void {
    this.#unread.set(layer, (this.#unread.get(layer) ?? 0) + packets);
  }

  #takeRtcp(atMs: number): void {
    const { view, payloadStart, payloadEnd, payloadBytes } = this.#datagram;
    const cutShort = payloadEnd - payloadStart < payloadBytes;
    const type = view.getUint8(payloadStart + 1);
    const isKnown = type >= FIRST_RTCP_TYPE && type <= LAST_RTCP_TYPE;
    const compound = isKnown ? readRtcp(view, payloadStart, payloadEnd, cutShort) : 'malformed';
    if (compound === 'encrypted' || compound === 'malformed') this.#takeUnsureRtcp(compound);
    else if (this.#copies.isCopy(this.#datagram, atMs)) this.#rtcpDuplicates += 1;
    else if (cutShort && compound.senders.length + compound.reports.length === 0) this.#cutShort += 1;
    else this.#match(compound, atMs);
  }

  #takeUnsureRtcp(kind: UnsureKind): void {
    const { sourcePort, destinationPort } = this.#datagram;
    const layer = unreadAtPort(sourcePort) ?? unreadAtPort(destinationPort);
    if (layer === undefined) this.#unsureRtcp.take(kind, this.#datagram);
    else this.#countUnread(layer, 1);
  }

  #match(compound: RtcpCompound, atMs: number): void {
    this.#rtcpPackets += 1;
    for (const part of compound.senders) {
      const stream = this.#streamOf(part.ssrc, 'same');
      if (stream === undefined) continue;
      const rtcp = rtcpOf(stream);
      rtcp.sender(part, atMs);
      if (rtcp.clock !== undefined) stream.meter?.noteSenderClock(rtcp.clock.rateHz, rtcp.clock.sinceMs);
    }
    for (const { block } of compound.reports) {
      const stream = this.#streamOf(block.sourceSsrc, 'opposite');
      if (stream !== undefined) rtcpOf(stream).report(block, atMs);
    }
    for (const { blocks } of compound.extended) {
      for (const block of blocks) {
        const stream = 'ssrc' in block ? this.#streamOf(block.ssrc, 'opposite') : undefined;
        if (stream !== undefined) rtcpOf(stream).extended(block, atMs);
        else if (this.#otherXrBlocks.length < MAX_OTHER_XR_BLOCKS) this.#otherXrBlocks.push(block);
      }
    }
  }

  /**
   * The stream that an RTCP packet is about. The SSRC is not enough: a native bridge passes a stream on with its SSRC. So the
   * addresses must fit, and the ports when several streams remain. Of consecutive sessions it is the latest.
   */
  #streamOf(ssrc: number, way: 'same' | 'opposite'): TrackedStream | undefined {
    const { addressWords, addressWordCount, sourcePort, destinationPort } = this.#datagram;
    let best: TrackedStream | undefined;
    for (const stream of this.#table.withSsrc(ssrc, addressWords, addressWordCount).toReversed()) {
      const fits =
        way === 'same'
          ? stream.hasDirection(addressWords, addressWordCount)
          : stream.hasOppositeDirection(addressWords, addressWordCount);
      if (!fits) continue;
      const [from, to] = way === 'same' ? [sourcePort, destinationPort] : [destinationPort, sourcePort];
      best ??= stream;
      if (isRtcpPortOf(stream.sourcePort, from) && isRtcpPortOf(stream.destinationPort, to)) {
        best = stream;
        break;
      }
    }
    if (best === undefined) this.#unmatchedReports += 1;
    return best;
  }
}

function rtcpOf(stream: TrackedStream): StreamRtcp {
  stream.rtcp ??= new StreamRtcp();
  return stream.rtcp;
}

/** RTCP travels on the next port, or on the same one (RFC 5761). */
function isRtcpPortOf(rtpPort: number, rtcpPort: number): boolean {
  return rtcpPort === rtpPort + 1 || rtcpPort === rtpPort;
}
