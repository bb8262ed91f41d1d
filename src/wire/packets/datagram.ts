import { CUT_SHORT, NOT_IP, NO_TUNNEL, UNKNOWN_LINK, type UnreadLayer, unread, unreadLayer } from './inner-start.ts';
import { IpFragments } from './ip-fragments.ts';
import { ethernetNetwork, mplsNetwork, networkStart } from './link-layer.ts';
import { type PacketCursor, NO_BYTES } from './packet-cursor.ts';
import { greNetwork, udpTunnelNetwork } from './tunnels.ts';
import { type InnerPayload, readTurnPayload } from './turn.ts';

const PROTOCOL_IPV4 = 4;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
const PROTOCOL_ESP = 50;
const PROTOCOL_AUTHENTICATION = 51;
const PROTOCOL_ETHERNET_IN_IP = 97;
const PROTOCOL_IP_COMPRESSION = 108;
const PROTOCOL_L2TP = 115;
const PROTOCOL_MPLS_IN_IP = 137;
const IPV6_HOP_BY_HOP = 0;
const IPV6_ROUTING = 43;
const IPV6_FRAGMENT = 44;
const IPV6_DESTINATION = 60;
const IPV6_HEADER_BYTES = 40;
const MAX_IPV6_EXTENSIONS = 8;
const UDP_HEADER_BYTES = 8;
const TCP_HEADER_BYTES = 20;
const RTP_VERSION = 0b10;
/** An RTP header. */
const LEAST_PAYLOAD_BYTES = 12;
/** IP headers in one packet. Two tunnels in each other are common where a cloud mirrors its traffic. */
const MAX_IP_HEADERS = 8;

/**
 * The kind of a captured packet. `udp` and `tcp` have been read. `fragment` is a part of an incomplete datagram. `cut-short` ends
 * before the header does. `unread` is inside `unreadLayer`.
 */
export type PacketKind = 'udp' | 'tcp' | 'not-udp' | 'fragment' | 'cut-short' | 'unknown-link' | 'unread';

/**
 * Finds the UDP datagram or the TCP segment in a captured packet: behind link layers and tunnels of every kind that
 * link-layer.ts and tunnels.ts know, nested up to a bound, in IPv4 and IPv6 with extension headers, put together from IP
 * fragments. The fields are those of the last packet whose kind was `udp` or `tcp`; the addresses are the innermost ones.
 *
 * Until a second fragment of any datagram is seen, a first one counts as its datagram: a capture filtered by port has no
 * others. When the rest comes after all, the whole is given once more, with `isShownBefore`.
 */
export class DatagramReader {
  /** The bytes in which `payloadStart` and `payloadEnd` count. They are not the packet's own when it came in fragments. */
  view: DataView = NO_BYTES;
  /** Source and destination address, 4 + 4 or 16 + 16 bytes, as 32-bit words. */
  readonly addressWords = new Int32Array(8);
  /** 2 for IPv4, 8 for IPv6. */
  addressWordCount = 0;
  sourcePort = 0;
  destinationPort = 0;
  payloadStart = 0;
  /** After the last captured byte of the payload. */
  payloadEnd = 0;
  /** Bytes of payload that were sent; more than captured when the packet was cut short. */
  payloadBytes = 0;
  /** Whether the datagram came in parts and this is the first of them, alone. */
  isFirstFragment = false;
  /** Whether the first part of this datagram was given as the datagram before. */
  isShownBefore = false;
  /** Of TCP. */
  tcpSequence = 0;
  tcpFlags = 0;
  /** Set when the kind was `unread`. */
  unreadLayer: UnreadLayer = 'IPsec (ESP)';
  readonly #fragments = new IpFragments();
  readonly #inner: InnerPayload = { start: 0, bytes: 0 };
  #ipHeaders = 0;
  #atMs = 0;
  /** While only the beginning of a datagram is looked at. */
  #isTrial = false;

  /** Packets that were called fragments and became part of a datagram afterwards. */
  get joinedFragments(): number {
    return this.#fragments.joined;
  }

  read(packet: PacketCursor): PacketKind {
    const { view, start, end } = packet;
    this.view = view;
    this.isFirstFragment = false;
    this.isShownBefore = false;
    this.#ipHeaders = 0;
    this.#atMs = packet.atMs;
    return this.#readNetwork(networkStart(view, start, end, packet.linkType), end);
  }

  /** `at`: where an IP header begins, or a number of inner-start.ts. */
  #readNetwork(at: number, end: number): PacketKind {
    if (at < 0) return this.#kindOfNone(at);
    if (at >= end) return 'cut-short';
    this.#ipHeaders += 1;
    if (this.#ipHeaders > MAX_IP_HEADERS) return this.#kindOfNone(unread('too many tunnels in each other'));
    const version = this.view.getUint8(at) >> 4;
    if (version === 4) return this.#readIpv4(at, end);
    if (version === 6) return this.#readIpv6(at, end);
    return 'not-udp';
  }

  #kindOfNone(code: number): PacketKind {
    if (code === UNKNOWN_LINK) return 'unknown-link';
    if (code === CUT_SHORT) return 'cut-short';
    const layer = unreadLayer(code);
    if (layer === undefined) return 'not-udp';
    this.unreadLayer = layer;
    return 'unread';
  }

  #readIpv4(at: number, end: number): PacketKind {
    const { view } = this;
    if (end - at < 20) return 'cut-short';
    const headerBytes = (view.getUint8(at) & 0x0f) * 4;
    if (headerBytes < 20) return 'not-udp';
    const protocol = view.getUint8(at + 9);
    const totalBytes = view.getUint16(at + 2);
    // 0 is what segmentation offload leaves behind. Ethernet pads short packets: what follows is not theirs.
    const wireEnd = totalBytes < headerBytes ? end : at + totalBytes;
    const packetEnd = Math.min(end, wireEnd);
    this.addressWordCount = 2;
    this.addressWords[0] = view.getInt32(at + 12);
    this.addressWords[1] = view.getInt32(at + 16);
    const fragment = view.getUint16(at + 6) & 0x3fff;
    if (fragment === 0) return this.#readTransport(protocol, at + headerBytes, packetEnd, wireEnd);
    return this.#readFragment(
      protocol,
      view.getUint16(at + 4),
      (fragment & 0x1fff) * 8,
      fragment < 0x2000,
      at + headerBytes,
      packetEnd,
      wireEnd,
    );
  }

  #readIpv6(at: number, end: number): PacketKind {
    const { view } = this;
    if (end - at < IPV6_HEADER_BYTES) return 'cut-short';
    const payloadBytes = view.getUint16(at + 4);
    const wireEnd = payloadBytes === 0 ? end : at + IPV6_HEADER_BYTES + payloadBytes;
    const packetEnd = Math.min(end, wireEnd);
    this.addressWordCount = 8;
    for (let word = 0; word < 8; word += 1) this.addressWords[word] = view.getInt32(at + 8 + word * 4);
    return this.#readIpv6Payload(view.getUint8(at + 6), at + IPV6_HEADER_BYTES, packetEnd, wireEnd);
  }

  /** From the first extension header on. */
  #readIpv6Payload(firstHeader: number, first: number, packetEnd: number, wireEnd: number): PacketKind {
    const { view } = this;
    let header = firstHeader;
    let next = first;
    for (let extensions = 0; isIpv6Extension(header); extensions += 1) {
      if (extensions >= MAX_IPV6_EXTENSIONS) return 'not-udp';
      if (packetEnd - next < 8) return 'cut-short';
      const inner = view.getUint8(next);
      if (header === IPV6_FRAGMENT) {
        const fragment = view.getUint16(next + 2);
        const isWhole = (fragment & 0xfff9) === 0;
        if (!isWhole) {
          const id = view.getUint32(next + 4);
          const isLast = (fragment & 1) === 0;
          return this.#readFragment(inner, id, fragment & 0xfff8, isLast, next + 8, packetEnd, wireEnd);
        }
        next += 8;
      } else {
        next += (view.getUint8(next + 1) + 1) * 8;
      }
      header = inner;
    }
    return this.#readTransport(header, next, packetEnd, wireEnd);
  }

  #readFragment(
    protocol: number,
    id: number,
    offset: number,
    isLast: boolean,
    at: number,
    end: number,
    wireEnd: number,
  ): PacketKind {
    if (this.#isTrial) return 'fragment';
    const { view } = this;
    const words = this.addressWords.slice(0, this.addressWordCount);
    const isFirst = offset === 0 && !this.#fragments.hasLaterOnes;
    const ipHeaders = this.#ipHeaders;
    const kind = isFirst ? this.#tryFirst(protocol, at, end, wireEnd) : 'fragment';
    const whole = this.#fragments.take({
      key: `${words.join()},${protocol},${id}`,
      offset,
      isLast,
      wireBytes: wireEnd - at,
      bytes: new Uint8Array(view.buffer, view.byteOffset + Math.min(at, end), Math.max(0, end - at)),
      atMs: this.#atMs,
      isShown: kind !== 'fragment',
    });
    if (whole === undefined) {
      this.isFirstFragment = kind !== 'fragment';
      return kind;
    }
    const { bytes, wireBytes } = whole;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.isShownBefore = whole.isShown;
    this.#ipHeaders = ipHeaders;
    // An extension header may follow the fragment header (RFC 8200 §4.5).
    return words.length === 8
      ? this.#readIpv6Payload(protocol, 0, bytes.length, wireBytes)
      : this.#readTransport(protocol, 0, bytes.length, wireBytes);
  }

  /** Reads a first fragment without the others: it may hold enough to count as the datagram. */
  #tryFirst(protocol: number, at: number, end: number, wireEnd: number): PacketKind {
    this.#isTrial = true;
    const kind = this.#readTransport(protocol, at, end, wireEnd);
    this.#isTrial = false;
    const isEnough = kind === 'udp' && this.payloadEnd - this.payloadStart >= LEAST_PAYLOAD_BYTES;
    return isEnough || kind === 'tcp' ? kind : 'fragment';
  }

  #readTransport(protocol: number, at: number, end: number, wireEnd: number): PacketKind {
    switch (protocol) {
      case PROTOCOL_UDP:
        return this.#readUdp(at, end);
      case PROTOCOL_TCP:
        return this.#readTcp(at, end, wireEnd);
      case PROTOCOL_IPV4:
      case PROTOCOL_IPV6:
        return this.#readNetwork(at, end);
      case PROTOCOL_GRE:
        return this.#readNetwork(greNetwork(this.view, at, end), end);
      case PROTOCOL_MPLS_IN_IP:
        return this.#readNetwork(mplsNetwork(this.view, at, end), end);
      case PROTOCOL_ETHERNET_IN_IP:
        return this.#readNetwork(ethernetNetwork(this.view, at + 2, end), end);
      case PROTOCOL_AUTHENTICATION:
        return this.#readAuthenticated(at, end, wireEnd);
      case PROTOCOL_ESP:
        return this.#kindOfNone(unread('IPsec (ESP)'));
      case PROTOCOL_L2TP:
        return this.#kindOfNone(unread('L2TP version 3'));
      case PROTOCOL_IP_COMPRESSION:
        return this.#kindOfNone(unread('IP compression'));
      default:
        return this.#kindOfNone(NOT_IP);
    }
  }

  /** IPsec's authentication header (RFC 4302 §2) hides nothing: `next header 1 | 32-bit words less 2 1 | …` */
  #readAuthenticated(at: number, end: number, wireEnd: number): PacketKind {
    if (end - at < 12) return 'cut-short';
    const inner = this.view.getUint8(at);
    if (inner === PROTOCOL_AUTHENTICATION) return 'not-udp';
    return this.#readTransport(inner, at + (this.view.getUint8(at + 1) + 2) * 4, end, wireEnd);
  }

  #readUdp(at: number, end: number): PacketKind {
    const { view } = this;
    if (end - at < UDP_HEADER_BYTES) return 'cut-short';
    this.sourcePort = view.getUint16(at);
    this.destinationPort = view.getUint16(at + 2);
    const udpBytes = view.getUint16(at + 4);
    const start = at + UDP_HEADER_BYTES;
    this.payloadStart = start;
    this.payloadBytes = udpBytes < UDP_HEADER_BYTES ? end - start : udpBytes - UDP_HEADER_BYTES;
    this.payloadEnd = Math.min(end, start + this.payloadBytes);
    // No known tunnel begins like RTP or RTCP.
    if (start >= end || view.getUint8(start) >> 6 === RTP_VERSION) return 'udp';
    const network = udpTunnelNetwork(view, start, this.payloadEnd, this.sourcePort, this.destinationPort);
    if (network !== NO_TUNNEL) return this.#readNetwork(network, this.payloadEnd);
    if (readTurnPayload(view, start, this.payloadEnd, this.payloadBytes, this.#inner)) {
      this.payloadStart = this.#inner.start;
      this.payloadBytes = this.#inner.bytes;
      this.payloadEnd = Math.min(this.payloadEnd, this.#inner.start + this.#inner.bytes);
    }
    return 'udp';
  }

  #readTcp(at: number, end: number, wireEnd: number): PacketKind {
    const { view } = this;
    if (end - at < TCP_HEADER_BYTES) return 'cut-short';
    const headerBytes = (view.getUint8(at + 12) >> 4) * 4;
    if (headerBytes < TCP_HEADER_BYTES) return 'not-udp';
    this.sourcePort = view.getUint16(at);
    this.destinationPort = view.getUint16(at + 2);
    this.tcpSequence = view.getUint32(at + 4);
    this.tcpFlags = view.getUint8(at + 13);
    this.payloadStart = Math.min(end, at + headerBytes);
    this.payloadEnd = end;
    this.payloadBytes = Math.max(0, wireEnd - at - headerBytes);
    return 'tcp';
  }
}

function isIpv6Extension(header: number): boolean {
  return (
    header === IPV6_HOP_BY_HOP || header === IPV6_ROUTING || header === IPV6_FRAGMENT || header === IPV6_DESTINATION
  );
}
