/** Builds tunnels around packets byte by byte, for tests: independent of what reads them. */
import { ethernet, ipv4, ipv6, type Route, u16, u32, u8, udp } from './packets.ts';

/** What a tunnel carries: an IP packet, and what its EtherType would be. */
export interface IpPacket {
  readonly bytes: Buffer;
  readonly isIpv6: boolean;
}

export const four = (bytes: Buffer): IpPacket => ({ bytes, isIpv6: false });
export const six = (bytes: Buffer): IpPacket => ({ bytes, isIpv6: true });

const ethertypeOf = ({ isIpv6 }: IpPacket): number => (isIpv6 ? 0x86dd : 0x0800);
const frameOf = (inner: IpPacket): Buffer => ethernet(inner.bytes, ethertypeOf(inner));
/** The ends of the tunnels: other ones than those of the calls in them. */
const ENDS: Route = { source: '172.16.0.1', destination: '172.16.0.2', sourcePort: 49_152 };
const inUdp = (payload: Buffer, destinationPort: number): IpPacket =>
  four(ipv4(udp(payload, { ...ENDS, destinationPort }), ENDS));
const inIpv4 = (payload: Buffer, protocol: number): IpPacket => four(ipv4(payload, ENDS, protocol));

export const gre = (payload: Buffer, protocol: number, flags = 0): Buffer =>
  Buffer.concat([
    u16(flags),
    u16(protocol),
    ...[0x8000, 0x2000, 0x1000].filter((flag) => (flags & flag) !== 0).map(() => u32(7)),
    payload,
  ]);

/** One label, the last of its stack. */
export const mpls = (payload: Buffer): Buffer => Buffer.concat([u32(0x0001_0000), u32(0x0002_0140), payload]);
const ppp = (inner: IpPacket): Buffer => Buffer.concat([u16(inner.isIpv6 ? 0x57 : 0x21), inner.bytes]);

/** Tunnels that go over IP, by name. */
export const TUNNELS: Readonly<Record<string, (inner: IpPacket) => IpPacket>> = {
  VXLAN: (inner) => inUdp(Buffer.concat([u32(0x0800_0000), u32(0x0000_2a00), frameOf(inner)]), 4789),
  'VXLAN on the port that Linux had first': (inner) =>
    inUdp(Buffer.concat([u32(0x0800_0000), u32(0x0000_2a00), frameOf(inner)]), 8472),
  'VXLAN-GPE': (inner) => inUdp(Buffer.concat([u32(0x0c00_0003), u32(0x0000_2a00), frameOf(inner)]), 4790),
  GENEVE: (inner) => inUdp(Buffer.concat([u32(0x0000_6558), u32(0x0000_2a00), frameOf(inner)]), 6081),
  'GENEVE with options, IP inside': (inner) =>
    inUdp(Buffer.concat([u8(2, 0), u16(ethertypeOf(inner)), u32(0x2a00), Buffer.alloc(8, 1), inner.bytes]), 6081),
  'IP in IP': (inner) => inIpv4(inner.bytes, inner.isIpv6 ? 41 : 4),
  'IP in IPv6': (inner) => six(ipv6(inner.bytes, inner.isIpv6 ? 41 : 4)),
  GRE: (inner) => inIpv4(gre(inner.bytes, ethertypeOf(inner)), 47),
  'GRE with checksum, key and sequence': (inner) => inIpv4(gre(inner.bytes, ethertypeOf(inner), 0xb000), 47),
  'GRE with Ethernet': (inner) => inIpv4(gre(frameOf(inner), 0x6558, 0x2000), 47),
  'GRE over IPv6': (inner) => six(ipv6(gre(inner.bytes, ethertypeOf(inner)), 47)),
  'PPTP (GRE version 1)': (inner) =>
    inIpv4(Buffer.concat([u16(0x3081), u16(0x880b), u32(9), u32(1), u32(1), ppp(inner)]), 47),
  'ERSPAN type I': (inner) => inIpv4(gre(frameOf(inner), 0x88be), 47),
  'ERSPAN type II': (inner) =>
    inIpv4(gre(Buffer.concat([u32(0x1000_0001), u32(5), frameOf(inner)]), 0x88be, 0x1000), 47),
  'ERSPAN type III': (inner) =>
    inIpv4(gre(Buffer.concat([u32(0x2000_0001), u32(5), u32(0), frameOf(inner)]), 0x22eb, 0x1000), 47),
  'ERSPAN type III with its platform header': (inner) =>
    inIpv4(gre(Buffer.concat([u32(0x2000_0001), u32(5), u32(1), Buffer.alloc(8), frameOf(inner)]), 0x22eb, 0x1000), 47),
  'GTP-U': (inner) => inUdp(Buffer.concat([u8(0x30, 0xff), u16(inner.bytes.length), u32(77), inner.bytes]), 2152),
  'GTP-U with a sequence number and an extension header': (inner) =>
    inUdp(
      Buffer.concat([
        u8(0x36, 0xff),
        u16(inner.bytes.length + 8),
        u32(77),
        u16(1),
        u8(0, 0x85),
        u8(1, 0, 9, 0),
        inner.bytes,
      ]),
      2152,
    ),
  EtherIP: (inner) => inIpv4(Buffer.concat([u16(0x3000), frameOf(inner)]), 97),
  'MPLS in IP': (inner) => inIpv4(mpls(inner.bytes), 137),
  'MPLS in UDP': (inner) => inUdp(mpls(inner.bytes), 6635),
  'L2TP with PPP': (inner) => inUdp(Buffer.concat([u16(0x0002), u16(1), u16(1), u16(0xff03), ppp(inner)]), 1701),
  'L2TP with lengths': (inner) =>
    inUdp(
      Buffer.concat([u16(0x4a02), u16(18 + inner.bytes.length), u16(1), u16(1), u32(0), u16(2), u16(0), ppp(inner)]),
      1701,
    ),
  TZSP: (inner) => inUdp(Buffer.concat([u8(1, 0, 0, 1), u8(10, 1, 5), u8(0, 1), frameOf(inner)]), 37_008),
  LISP: (inner) => inUdp(Buffer.concat([u32(0xc000_0001), u32(0), inner.bytes]), 4341),
  'an authentication header (IPsec AH)': (inner) =>
    inIpv4(Buffer.concat([u8(inner.isIpv6 ? 41 : 4, 4), u16(0), u32(1), u32(1), Buffer.alloc(12, 3), inner.bytes]), 51),
};

/** Link layers around an IP packet, by name; all in Ethernet. */
export const LINKS: Readonly<Record<string, (inner: IpPacket) => Buffer>> = {
  Ethernet: frameOf,
  'two VLAN tags, 88a8 and 8100': (inner) =>
    ethernet(Buffer.concat([u16(5), u16(0x8100), u16(6), u16(ethertypeOf(inner)), inner.bytes]), 0x88a8),
  'two VLAN tags, 8100 both': (inner) =>
    ethernet(Buffer.concat([u16(5), u16(0x8100), u16(6), u16(ethertypeOf(inner)), inner.bytes]), 0x8100),
  PPPoE: (inner) => ethernet(Buffer.concat([u8(0x11, 0), u16(3), u16(inner.bytes.length + 2), ppp(inner)]), 0x8864),
  'PPPoE in a VLAN': (inner) =>
    ethernet(
      Buffer.concat([u16(7), u16(0x8864), u8(0x11, 0), u16(3), u16(inner.bytes.length + 2), ppp(inner)]),
      0x8100,
    ),
  MPLS: (inner) => ethernet(mpls(inner.bytes), 0x8847),
  'Ethernet over MPLS with a control word': (inner) => ethernet(mpls(Buffer.concat([u32(0), frameOf(inner)])), 0x8847),
  'Ethernet over MPLS without one': (inner) => {
    const frame = frameOf(inner);
    // A MAC address that begins as neither IP version does; nothing else tells them apart.
    frame.writeUInt8(0xa2, 0);
    return ethernet(mpls(frame), 0x8848);
  },
  'a backbone bridge (802.1ah)': (inner) => ethernet(Buffer.concat([u32(0x1234), frameOf(inner)]), 0x88e7),
  SNAP: (inner) =>
    ethernet(Buffer.concat([u8(0xaa, 0xaa, 3, 0, 0, 0), u16(ethertypeOf(inner)), inner.bytes]), inner.bytes.length + 8),
};
