import { CUT_SHORT, NOT_IP, UNKNOWN_LINK, unread } from './inner-start.ts';

/** As registered at tcpdump.org/linktypes.html. */
const LINK_NULL = 0;
export const LINK_ETHERNET = 1;
const LINK_PPP = 9;
const LINK_RAW_OPENBSD = 12;
const LINK_RAW_BSD = 14;
const LINK_PPP_HDLC = 50;
const LINK_PPPOE = 51;
const LINK_RAW = 101;
const LINK_CISCO_HDLC = 104;
const LINK_LOOP = 108;
const LINK_LINUX_COOKED = 113;
const LINK_IPV4 = 228;
const LINK_IPV6 = 229;
const LINK_LINUX_COOKED_2 = 276;
const LINUX_COOKED_BYTES = 16;
const LINUX_COOKED_2_BYTES = 20;
const ETHERNET_BYTES = 14;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPES_OF_VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100];
const ETHERTYPES_OF_MPLS: readonly number[] = [0x8847, 0x8848];
const ETHERTYPE_PPPOE_SESSION = 0x8864;
const ETHERTYPE_BACKBONE_BRIDGE = 0x88e7;
const ETHERTYPE_MACSEC = 0x88e5;
const ETHERTYPE_NSH = 0x894f;
/** Up to here it is a length, and LLC follows (IEEE 802.3). */
const MAX_LLC_BYTES = 1500;
const SNAP_WORD = 0xaaaa_0300;
/** Tags, stacks and frames in frames that are stepped over at most, all together. */
const MAX_STEPS = 16;

const PPP_IPV4 = 0x21;
const PPP_IPV6 = 0x57;
const PPP_MPLS: readonly number[] = [0x0281, 0x0283];
const PPP_COMPRESSED_OR_ENCRYPTED: readonly number[] = [0x53, 0x55, 0xfb, 0xfd];
/** Address and control in front of the protocol (RFC 1662 §3.1). */
const PPP_ALL_STATIONS = 0xff03;

const MPLS_BOTTOM_OF_STACK = 0x100;
const MAX_MPLS_LABELS = 8;

/** Where the IP header begins in a captured frame, or a number of inner-start.ts. */
export function networkStart(view: DataView, start: number, end: number, linkType: number): number {
  switch (linkType) {
    case LINK_ETHERNET:
      return ethernetNetwork(view, start, end);
    case LINK_LINUX_COOKED:
      return afterEthertype(view, start + LINUX_COOKED_BYTES - 2, start + LINUX_COOKED_BYTES, end);
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
    case LINK_PPP:
    case LINK_PPP_HDLC:
      return pppNetwork(view, start, end);
    case LINK_PPPOE:
      return pppNetwork(view, start + 6, end);
    case LINK_CISCO_HDLC:
      return afterEthertype(view, start + 2, start + 4, end);
    default:
      return UNKNOWN_LINK;
  }
}

/** The same in an Ethernet frame, also one that a tunnel carries. */
export function ethernetNetwork(view: DataView, start: number, end: number): number {
  return afterEthertype(view, start + 12, start + ETHERNET_BYTES, end);
}

/**
 * The same behind an EtherType at `ethertypeAt`, whose payload begins at `payloadAt`. Steps over VLAN tags (802.1Q and
 * 802.1ad), backbone frames (802.1ah), SNAP, PPPoE and MPLS.
 */
export function afterEthertype(view: DataView, ethertypeAt: number, payloadAt: number, end: number): number {
  let at = payloadAt;
  if (at > end) return CUT_SHORT;
  let ethertype = view.getUint16(ethertypeAt);
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (ethertype === ETHERTYPE_IPV4 || ethertype === ETHERTYPE_IPV6) return at;
    let headerBytes = 0;
    if (ETHERTYPES_OF_VLAN.includes(ethertype)) headerBytes = 4;
    else if (ethertype === ETHERTYPE_BACKBONE_BRIDGE) headerBytes = 4 + ETHERNET_BYTES;
    else if (ethertype <= MAX_LLC_BYTES && at + 8 <= end && (view.getUint32(at) | 0) === (SNAP_WORD | 0))
      headerBytes = 8;
    else return otherNetwork(view, ethertype, at, end);
    at += headerBytes;
    if (at > end) return CUT_SHORT;
    ethertype = view.getUint16(at - 2);
  }
  return NOT_IP;
}

function otherNetwork(view: DataView, ethertype: number, at: number, end: number): number {
  if (ethertype === ETHERTYPE_PPPOE_SESSION) return pppNetwork(view, at + 6, end);
  if (ETHERTYPES_OF_MPLS.includes(ethertype)) return mplsNetwork(view, at, end);
  if (ethertype === ETHERTYPE_MACSEC) return unread('MACsec');
  if (ethertype === ETHERTYPE_NSH) return unread('a network service header (NSH)');
  return NOT_IP;
}

/** The same behind PPP's protocol field, which may be one byte long (RFC 1661 §2, §6.5). */
export function pppNetwork(view: DataView, start: number, end: number): number {
  let at = start;
  if (at + 2 > end) return CUT_SHORT;
  if (view.getUint16(at) === PPP_ALL_STATIONS) at += 2;
  if (at + 2 > end) return CUT_SHORT;
  const isShort = (view.getUint8(at) & 1) === 1;
  const protocol = isShort ? view.getUint8(at) : view.getUint16(at);
  at += isShort ? 1 : 2;
  if (protocol === PPP_IPV4 || protocol === PPP_IPV6) return at;
  if (PPP_MPLS.includes(protocol)) return mplsNetwork(view, at, end);
  return PPP_COMPRESSED_OR_ENCRYPTED.includes(protocol) ? unread('compressed or encrypted PPP') : NOT_IP;
}

/**
 * The same behind a stack of MPLS labels (RFC 3032 §2.1). Nothing says what follows: IP by its version (RFC 4928 §3), else
 * an Ethernet frame, with a control word before it (RFC 4448 §4.6) or without.
 */
export function mplsNetwork(view: DataView, start: number, end: number): number {
  let at = start;
  for (let labels = 0; labels < MAX_MPLS_LABELS; labels += 1) {
    if (at + 5 > end) return CUT_SHORT;
    const isBottom = (view.getUint32(at) & MPLS_BOTTOM_OF_STACK) !== 0;
    at += 4;
    if (!isBottom) continue;
    const version = view.getUint8(at) >> 4;
    if (version === 4 || version === 6) return at;
    return afterPseudowire(view, version === 0 ? at + 4 : at, end);
  }
  return NOT_IP;
}

/** An Ethernet frame and nothing in frames of its own: MPLS in MPLS without IP is not followed. */
function afterPseudowire(view: DataView, at: number, end: number): number {
  if (at + ETHERNET_BYTES > end) return CUT_SHORT;
  const ethertype = view.getUint16(at + 12);
  return ETHERTYPES_OF_MPLS.includes(ethertype) ? NOT_IP : ethernetNetwork(view, at, end);
}
