import { CUT_SHORT, NOT_IP, NO_TUNNEL, type UnreadLayer, unread } from './inner-start.ts';
import { afterEthertype, ethernetNetwork, mplsNetwork, pppNetwork } from './link-layer.ts';

const GRE_CHECKSUM = 0x8000;
const GRE_ROUTING = 0x4000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;
const GRE_ACKNOWLEDGE = 0x0080;
const GRE_VERSION_MASK = 0x0007;
const PROTOCOL_ETHERNET = 0x6558;
const PROTOCOL_ERSPAN = 0x88be;
const PROTOCOL_ERSPAN_3 = 0x22eb;
const PROTOCOL_PPP = 0x880b;

/**
 * Where the IP header begins that a GRE packet (RFC 2784, RFC 2890; PPTP's version 1, RFC 2637) carries.
 * ```
 * C R K S … version 2 bytes | protocol 2 | checksum 4 (C or R) | key 4 (K) | sequence 4 (S) | acknowledgment 4 (version 1, A)
 * ```
 * ERSPAN (draft-foschiano-erspan) is an Ethernet frame: in type I at once, in type II (with a GRE sequence number) behind 8
 * bytes, in type III behind 12, and behind 8 more when its last bit is set.
 */
export function greNetwork(view: DataView, at: number, end: number): number {
  if (end - at < 4) return CUT_SHORT;
  const flags = view.getUint16(at);
  const protocol = view.getUint16(at + 2);
  if ((flags & GRE_ROUTING) !== 0) return unread('GRE of an unknown kind');
  let inner = at + 4;
  if ((flags & GRE_CHECKSUM) !== 0) inner += 4;
  if ((flags & GRE_KEY) !== 0) inner += 4;
  if ((flags & GRE_SEQUENCE) !== 0) inner += 4;
  if ((flags & GRE_VERSION_MASK) === 1 && (flags & GRE_ACKNOWLEDGE) !== 0) inner += 4;
  switch (protocol) {
    case PROTOCOL_ETHERNET:
      return ethernetNetwork(view, inner, end);
    case PROTOCOL_ERSPAN:
      return ethernetNetwork(view, inner + ((flags & GRE_SEQUENCE) === 0 ? 0 : 8), end);
    case PROTOCOL_ERSPAN_3:
      if (inner + 12 > end) return CUT_SHORT;
      return ethernetNetwork(view, inner + 12 + (view.getUint8(inner + 11) & 1) * 8, end);
    case PROTOCOL_PPP:
      // An acknowledgment alone has no payload.
      return inner >= end && (flags & GRE_SEQUENCE) === 0 ? NOT_IP : pppNetwork(view, inner, end);
    default: {
      const network = afterEthertype(view, at + 2, inner, end);
      return network === NOT_IP ? unread('GRE of an unknown kind') : network;
    }
  }
}

const PORT_L2TP = 1701;
const PORT_TEREDO = 3544;
const PORT_LISP = 4341;
const PORT_IPSEC = 4500;
const PORT_GRE = 4754;
const PORT_VXLAN_GPE = 4790;
const PORT_CAPWAP = 5247;
const PORT_MPLS = 6635;
const PORT_OPENVPN = 1194;
const PORT_TZSP = 37_008;

/** The layer of a flow at these ports whose packets look like RTP and are none: the numbers of ESP may begin like RTP. */
export function unreadAtPort(port: number): UnreadLayer | undefined {
  return port === PORT_IPSEC ? 'IPsec (ESP in UDP)' : undefined;
}

/**
 * Where the IP header begins that a UDP payload carries, or NO_TUNNEL. VXLAN, GENEVE and GTP-U are known by their shape at
 * any port; the others have too little of one, and are looked for at their own.
 */
export function udpTunnelNetwork(view: DataView, start: number, end: number, portA: number, portB: number): number {
  if (end - start < 8) return NO_TUNNEL;
  const inner = shapedNetwork(view, start, end);
  if (inner !== NO_TUNNEL) return inner;
  const found = networkAtPort(portA, view, start, end);
  return found === NO_TUNNEL ? networkAtPort(portB, view, start, end) : found;
}

function shapedNetwork(view: DataView, start: number, end: number): number {
  const word = view.getUint32(start);
  const first = word >>> 24;
  // VXLAN (RFC 7348 §5): only the I flag, a network identifier, and zeros.
  if (word === 0x0800_0000 && view.getUint8(start + 7) === 0) return ethernetNetwork(view, start + 8, end);
  // GTP-U (3GPP TS 29.281 §5.1): version 1, a G-PDU.
  if ((first & 0xf0) === 0x30 && ((word >>> 16) & 0xff) === 0xff) return gtpNetwork(view, start, end);
  // GENEVE (RFC 8926 §3.4): version 0, reserved bits 0.
  if (first < 0x40 && ((word >>> 16) & 0x3f) === 0 && view.getUint8(start + 7) === 0) {
    const protocol = word & 0xffff;
    const inner = start + 8 + (first & 0x3f) * 4;
    if (protocol === PROTOCOL_ETHERNET) return ethernetNetwork(view, inner, end);
    if (protocol === 0x0800 || protocol === 0x86dd) return inner;
  }
  // WireGuard's data: type 4, zeros, a receiver, a counter, and 16-byte blocks.
  if (word === 0x0400_0000 && end - start >= 32) return unread('WireGuard');
  if (word === 0x4845_5033) return unread('HEP');
  // DTLS application data (RFC 6347 §4.1); its handshake is how SRTP gets its keys.
  if (word >>> 8 === 0x17_fefd || word >>> 8 === 0x17_feff) return unread('DTLS');
  return NO_TUNNEL;
}

/** `flags 1 | type 1 | length 2 | tunnel 4`, then 4 bytes with any of the flags E, S and PN, then extension headers. */
function gtpNetwork(view: DataView, start: number, end: number): number {
  const flags = view.getUint8(start);
  let inner = start + 8;
  if ((flags & 0x07) !== 0) {
    inner += 4;
    if (inner > end) return CUT_SHORT;
    let extension = (flags & 0x04) === 0 ? 0 : view.getUint8(inner - 1);
    for (let count = 0; extension !== 0 && count < 8; count += 1) {
      if (inner >= end) return CUT_SHORT;
      const bytes = view.getUint8(inner) * 4;
      if (bytes === 0) return NO_TUNNEL;
      inner += bytes;
      if (inner > end) return CUT_SHORT;
      extension = view.getUint8(inner - 1);
    }
  }
  return ipAt(view, inner, end);
}

function networkAtPort(port: number, view: DataView, start: number, end: number): number {
  switch (port) {
    case PORT_IPSEC:
      // Four zeros begin IKE (RFC 3948 §2.2).
      return view.getUint32(start) === 0 || isText(view, start) ? NO_TUNNEL : unread('IPsec (ESP in UDP)');
    case PORT_OPENVPN:
      return isOpenVpn(view.getUint8(start)) && !isText(view, start) ? unread('OpenVPN') : NO_TUNNEL;
    case PORT_L2TP:
      return l2tpNetwork(view, start, end);
    case PORT_TEREDO:
      return teredoNetwork(view, start, end);
    case PORT_LISP:
      return ipAt(view, start + 8, end);
    case PORT_GRE:
      return greNetwork(view, start, end);
    case PORT_MPLS:
      return mplsNetwork(view, start, end);
    case PORT_VXLAN_GPE:
      return vxlanGpeNetwork(view, start, end);
    case PORT_TZSP:
      return tzspNetwork(view, start, end);
    case PORT_CAPWAP:
      return view.getUint8(start) === 0 ? unread('CAPWAP') : NO_TUNNEL;
    default:
      return NO_TUNNEL;
  }
}

/** SIP may use any port: capital letters, or `SIP/`. */
function isText(view: DataView, start: number): boolean {
  if (view.getUint32(start) === 0x5349_502f) return true;
  for (let at = start; at < start + 4; at += 1) {
    const byte = view.getUint8(at);
    if (byte < 0x41 || byte > 0x5a) return false;
  }
  return true;
}

/** The opcode is in the upper five bits; 1 to 11 are known. */
function isOpenVpn(first: number): boolean {
  return first >> 3 >= 1 && first >> 3 <= 11;
}

/** L2TP version 2 (RFC 2661 §3.1): a data message holds PPP. */
function l2tpNetwork(view: DataView, start: number, end: number): number {
  const flags = view.getUint16(start);
  if ((flags & 0x000f) === 3) return unread('L2TP version 3');
  if ((flags & 0x000f) !== 2 || (flags & 0x8000) !== 0) return NO_TUNNEL;
  let inner = start + 6;
  if ((flags & 0x4000) !== 0) inner += 2;
  if ((flags & 0x0800) !== 0) inner += 4;
  if ((flags & 0x0200) !== 0) {
    if (inner + 2 > end) return CUT_SHORT;
    inner += 2 + view.getUint16(inner);
  }
  return pppNetwork(view, inner, end);
}

/** Teredo (RFC 4380 §5.1.1): IPv6, with an authentication or an origin before it. */
function teredoNetwork(view: DataView, start: number, end: number): number {
  let inner = start;
  if (view.getUint16(inner) === 1) inner += 13 + view.getUint8(start + 2) + view.getUint8(start + 3);
  if (inner + 2 <= end && view.getUint16(inner) === 0) inner += 8;
  return ipAt(view, inner, end);
}

/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3.1): the last byte before the identifier says what is inside. */
function vxlanGpeNetwork(view: DataView, start: number, end: number): number {
  const protocol = view.getUint8(start + 3);
  if (protocol === 3) return ethernetNetwork(view, start + 8, end);
  if (protocol === 4) return unread('a network service header (NSH)');
  return protocol === 1 || protocol === 2 ? ipAt(view, start + 8, end) : NO_TUNNEL;
}

/** TZSP, the mirror of MikroTik's routers: `version 1 | type 1 | protocol 2 | tags up to one of type 1 | frame`. */
function tzspNetwork(view: DataView, start: number, end: number): number {
  if (view.getUint8(start) !== 1 || view.getUint16(start + 2) !== 1) return NO_TUNNEL;
  let at = start + 4;
  while (at < end) {
    const tag = view.getUint8(at);
    if (tag === 1) return ethernetNetwork(view, at + 1, end);
    if (tag !== 0 && at + 1 >= end) return CUT_SHORT;
    at += tag === 0 ? 1 : 2 + view.getUint8(at + 1);
  }
  return CUT_SHORT;
}

function ipAt(view: DataView, at: number, end: number): number {
  if (at >= end) return CUT_SHORT;
  const version = view.getUint8(at) >> 4;
  return version === 4 || version === 6 ? at : NO_TUNNEL;
}
