import type { PacketCursor } from './packet-cursor.ts';

const LINK_NULL = 0;
const LINK_ETHERNET = 1;
const LINK_RAW_OPENBSD = 12;
const LINK_RAW_BSD = 14;
const LINK_RAW = 101;
const LINK_LOOP = 108;
const LINK_LINUX_COOKED = 113;
const LINK_IPV4 = 228;
const LINK_IPV6 = 229;
const LINK_LINUX_COOKED_2 = 276;
const LINUX_COOKED_2_BYTES = 20;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPES_OF_VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLAN_TAGS = 4;

const PROTOCOL_UDP = 17;
const IPV6_HOP_BY_HOP = 0;
const IPV6_ROUTING = 43;
const IPV6_FRAGMENT = 44;
const IPV6_DESTINATION = 60;
const IPV6_AUTHENTICATION = 51;
const IPV6_HEADER_BYTES = 40;
const MAX_IPV6_EXTENSIONS = 8;
const UDP_HEADER_BYTES = 8;

/**
 * What a captured packet turned out to be. `udp` has been read; `fragment` is the second or a later part of a datagram;
 * `cut-short` ends before the UDP header does.
 */
export type PacketKind = 'udp' | 'not-udp' | 'fragment' | 'cut-short' | 'unknown-link';

/**
 * Finds the UDP datagram in a captured packet: Ethernet with VLAN tags, Linux cooked v1 and v2, raw IP, BSD loopback;
 * IPv4 and IPv6 with extension headers. The fields are those of the last packet whose kind was `udp`.
 *
 * The first fragment of a datagram counts as the datagram: it has the headers, and the payload's true length is known.
 */
export class DatagramReader {
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
  /** Whether the datagram came in parts and this is the first. */
  isFirstFragment = false;

  read(packet: PacketCursor): PacketKind {
    const { view, start, end } = packet;
    const network = networkStart(view, start, end, packet.linkType);
    if (network < 0) return network === UNKNOWN_LINK ? 'unknown-link' : network === CUT_SHORT ? 'cut-short' : 'not-udp';
    if (network >= end) return 'cut-short';
    const version = view.getUint8(network) >> 4;
    if (version === 4) return this.#readIpv4(view, network, end);
    if (version === 6) return this.#readIpv6(view, network, end);
    return 'not-udp';
  }

  #readIpv4(view: DataView, at: number, end: number): PacketKind {
    if (end - at < 20) return 'cut-short';
    const headerBytes = (view.getUint8(at) & 0x0f) * 4;
    if (headerBytes < 20) return 'not-udp';
    if (view.getUint8(at + 9) !== PROTOCOL_UDP) return 'not-udp';
    const fragment = view.getUint16(at + 6);
    if ((fragment & 0x1fff) !== 0) return 'fragment';
    this.isFirstFragment = (fragment & 0x2000) !== 0;
    this.addressWordCount = 2;
    this.addressWords[0] = view.getInt32(at + 12);
    this.addressWords[1] = view.getInt32(at + 16);
    const totalBytes = view.getUint16(at + 2);
    // 0 is what segmentation offload leaves behind. Ethernet pads short packets: what follows is not theirs.
    const packetEnd = totalBytes < headerBytes ? end : Math.min(end, at + totalBytes);
    return this.#readUdp(view, at + headerBytes, packetEnd);
  }

  #readIpv6(view: DataView, at: number, end: number): PacketKind {
    if (end - at < IPV6_HEADER_BYTES) return 'cut-short';
    const payloadBytes = view.getUint16(at + 4);
    const packetEnd = payloadBytes === 0 ? end : Math.min(end, at + IPV6_HEADER_BYTES + payloadBytes);
    this.isFirstFragment = false;
    let header = view.getUint8(at + 6);
    let next = at + IPV6_HEADER_BYTES;
    for (let extensions = 0; header !== PROTOCOL_UDP; extensions += 1) {
      if (!isIpv6Extension(header) || extensions >= MAX_IPV6_EXTENSIONS) return 'not-udp';
      if (packetEnd - next < 8) return 'cut-short';
      if (header === IPV6_FRAGMENT) {
        const fragment = view.getUint16(next + 2);
        if ((fragment & 0xfff8) !== 0) return 'fragment';
        this.isFirstFragment = (fragment & 1) !== 0;
      }
      const words = view.getUint8(next + 1);
      const bytes = header === IPV6_FRAGMENT ? 8 : header === IPV6_AUTHENTICATION ? (words + 2) * 4 : (words + 1) * 8;
      header = view.getUint8(next);
      next += bytes;
    }
    this.addressWordCount = 8;
    for (let word = 0; word < 8; word += 1) this.addressWords[word] = view.getInt32(at + 8 + word * 4);
    return this.#readUdp(view, next, packetEnd);
  }

  #readUdp(view: DataView, at: number, end: number): PacketKind {
    if (end - at < UDP_HEADER_BYTES) return 'cut-short';
    this.sourcePort = view.getUint16(at);
    this.destinationPort = view.getUint16(at + 2);
    const udpBytes = view.getUint16(at + 4);
    this.payloadStart = at + UDP_HEADER_BYTES;
    this.payloadBytes = udpBytes < UDP_HEADER_BYTES ? end - this.payloadStart : udpBytes - UDP_HEADER_BYTES;
    this.payloadEnd = Math.min(end, this.payloadStart + this.payloadBytes);
    return 'udp';
  }
}

const UNKNOWN_LINK = -1;
const CUT_SHORT = -2;
const NOT_IP = -3;

/** Where the IP header begins, or one of the three constants above. */
function networkStart(view: DataView, start: number, end: number, linkType: number): number {
  switch (linkType) {
    case LINK_ETHERNET:
      return afterEthertype(view, start + 12, start + 14, end);
    case LINK_LINUX_COOKED:
      return afterEthertype(view, start + 14, start + 16, end);
    case LINK_LINUX_COOKED_2:
      return afterEthertype(view, start, start + LINUX_COOKED_2_BYTES, end);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
      return start;
    case LINK_NULL:
    case LINK_LOOP:
      // The address family before it is in the byte order of another machine; the IP version says the same.
      return start + 4;
    default:
      return UNKNOWN_LINK;
  }
}

function afterEthertype(view: DataView, ethertypeAt: number, headerEnd: number, end: number): number {
  if (headerEnd > end) return CUT_SHORT;
  let ethertype = view.getUint16(ethertypeAt);
  let network = headerEnd;
  for (let tags = 0; ETHERTYPES_OF_VLAN.includes(ethertype) && tags < MAX_VLAN_TAGS; tags += 1) {
    if (network + 4 > end) return CUT_SHORT;
    ethertype = view.getUint16(network + 2);
    network += 4;
  }
  return ethertype === ETHERTYPE_IPV4 || ethertype === ETHERTYPE_IPV6 ? network : NOT_IP;
}

function isIpv6Extension(header: number): boolean {
  return (
    header === IPV6_HOP_BY_HOP ||
    header === IPV6_ROUTING ||
    header === IPV6_FRAGMENT ||
    header === IPV6_DESTINATION ||
    header === IPV6_AUTHENTICATION
  );
}
