import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramReader, type PacketKind } from '../../../src/wire/packets/datagram.ts';
import { formatAddress } from '../../../src/wire/ip-address.ts';
import { ethernet, ipv4, ipv6, u16, u32, u8, udp } from './packets.ts';
import { type IpPacket, LINKS, TUNNELS, four, gre, six } from './tunnel-packets.ts';

const PAYLOAD = Buffer.from('hello, world');
const ROUTE = { source: '192.0.2.7', destination: '198.51.100.250', sourcePort: 40_000, destinationPort: 50_000 };
const IN_IPV4 = four(ipv4(udp(PAYLOAD, ROUTE), ROUTE));
const IN_IPV6 = six(ipv6(udp(PAYLOAD, ROUTE)));

function read(bytes: Buffer, linkType = 1): { kind: PacketKind; reader: DatagramReader; payload: string } {
  const reader = new DatagramReader();
  const around = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(5, 0xee)]);
  const view = new DataView(around.buffer, around.byteOffset, around.byteLength);
  const kind = reader.read({ view, start: 3, end: 3 + bytes.length, wireBytes: bytes.length, atMs: 0, linkType });
  return { kind, reader, payload: around.subarray(reader.payloadStart, reader.payloadEnd).toString() };
}

/** What is found in a frame, to be compared with `found(inner)`. */
function inside(bytes: Buffer, linkType = 1): unknown {
  const { kind, reader, payload } = read(bytes, linkType);
  const { addressWords, addressWordCount, sourcePort, destinationPort, payloadBytes } = reader;
  const source = formatAddress(addressWords.subarray(0, addressWordCount / 2));
  return { kind, payload, payloadBytes, source, sourcePort, destinationPort };
}

function found({ isIpv6 }: IpPacket): unknown {
  const source = isIpv6 ? '2001:db8::1' : '192.0.2.7';
  return {
    kind: 'udp',
    payload: 'hello, world',
    payloadBytes: 12,
    source,
    sourcePort: 40_000,
    destinationPort: 50_000,
  };
}

const tunnels = Object.entries(TUNNELS);
const links = Object.entries(LINKS);

describe('what is inside is read', () => {
  test.each(tunnels)('%s', (_, wrap) => {
    for (const inner of [IN_IPV4, IN_IPV6]) {
      const outer = wrap(inner);
      expect(inside(ethernet(outer.bytes, outer.isIpv6 ? 0x86dd : 0x0800))).toEqual(found(inner));
    }
  });

  test.each(links)('%s', (_, wrap) => {
    for (const inner of [IN_IPV4, IN_IPV6]) expect(inside(wrap(inner))).toEqual(found(inner));
  });

  test.each([
    ['PPP', 9, [u16(0x0021), IN_IPV4.bytes]],
    ['PPP with address and control', 9, [u16(0xff03), u16(0x0021), IN_IPV4.bytes]],
    ['PPP whose protocol is one byte long', 9, [u16(0xff03), u8(0x21), IN_IPV4.bytes]],
    ['PPP in HDLC', 50, [u16(0xff03), u16(0x0021), IN_IPV4.bytes]],
    ['PPPoE without Ethernet', 51, [u8(0x11, 0), u16(3), u16(99), u16(0x0021), IN_IPV4.bytes]],
    ["Cisco's HDLC", 104, [u16(0x0f00), u16(0x0800), IN_IPV4.bytes]],
  ])('%s', (_, linkType, parts) => {
    expect(inside(Buffer.concat(parts), linkType)).toEqual(found(IN_IPV4));
  });

  test.each([
    ['bare', []],
    ['with an origin', [u16(0), u16(0x1234), u32(0x0102_0304)]],
    ['with an authentication', [u16(1), u8(0, 0), Buffer.alloc(9, 7)]],
    ['with both', [u16(1), u8(2, 3), Buffer.alloc(14, 7), u16(0), u16(0x1234), u32(0x0102_0304)]],
  ])('Teredo, %s', (_, before) => {
    const route = { destinationPort: 3544, source: '172.16.0.1', destination: '172.16.0.2' };
    const packet = ipv4(udp(Buffer.concat([...before, IN_IPV6.bytes]), route), route);
    expect(inside(ethernet(packet))).toEqual(found(IN_IPV6));
  });

  test('any tunnel in any other, over any link layer', () => {
    const kinds = fc.tuple(fc.constantFrom(...tunnels), fc.constantFrom(...tunnels), fc.constantFrom(...links));
    fc.assert(
      fc.property(kinds, fc.constantFrom(IN_IPV4, IN_IPV6), ([[, one], [, other], [, link]], inner) => {
        expect(inside(link(other(one(inner))))).toEqual(found(inner));
      }),
      { numRuns: 500 },
    );
  });

  test('every shorter piece of any of them is read without harm, and never as more than it holds', () => {
    for (const [, wrap] of tunnels) {
      const outer = wrap(IN_IPV4);
      const whole = ethernet(outer.bytes, outer.isIpv6 ? 0x86dd : 0x0800);
      for (let length = 0; length < whole.length; length += 1) {
        const { kind, reader, payload } = read(whole.subarray(0, length));
        const isInner = kind === 'udp' && reader.sourcePort === 40_000;
        expect(isInner ? 'hello, world'.slice(0, payload.length) : payload).toBe(payload);
        expect(['udp', 'cut-short', 'not-udp', 'unread']).toContain(kind);
      }
      expect(read(whole.subarray(0, whole.length - 2))).toMatchObject({ kind: 'udp', payload: 'hello, wor' });
    }
  });

  test('to a bound: what is deeper is named', () => {
    let packet = IN_IPV4;
    const wrap = TUNNELS['IP in IP'] as (inner: IpPacket) => IpPacket;
    for (let depth = 0; depth < 7; depth += 1) packet = wrap(packet);
    expect(inside(ethernet(packet.bytes))).toEqual(found(IN_IPV4));
    const { kind, reader } = read(ethernet(wrap(packet).bytes));
    expect([kind, reader.unreadLayer]).toEqual(['unread', 'too many tunnels in each other']);
  });
});

describe('TURN', () => {
  const turn = (payload: Buffer): Buffer => ethernet(ipv4(udp(payload, ROUTE), ROUTE));

  test.each([
    ['ChannelData', Buffer.concat([u16(0x4001), u16(12), PAYLOAD])],
    ['padded ChannelData', Buffer.concat([u16(0x4fff), u16(12), PAYLOAD, Buffer.alloc(2)])],
    [
      'a Data indication',
      Buffer.concat([
        Buffer.concat([u16(0x0017), u16(28), u32(0x2112_a442), Buffer.alloc(12, 1)]),
        Buffer.concat([u16(0x0012), u16(8), Buffer.alloc(8, 2), u16(0x0013), u16(12), PAYLOAD]),
      ]),
    ],
    [
      'a Send indication',
      Buffer.concat([u16(0x0016), u16(16), u32(0x2112_a442), Buffer.alloc(12, 1), u16(0x0013), u16(12), PAYLOAD]),
    ],
  ])('%s: what it carries is the payload', (_, payload) => {
    const result = read(turn(payload));
    expect(result).toMatchObject({ kind: 'udp', payload: 'hello, world' });
    expect(result.reader).toMatchObject({ payloadBytes: 12, sourcePort: 40_000 });
  });

  test('what only begins as ChannelData is a payload as it is', () => {
    for (const bytes of [11, 8, 400, 13]) {
      const { reader } = read(turn(Buffer.concat([u16(0x4001), u16(bytes), PAYLOAD])));
      expect(reader.payloadBytes, `${bytes}`).toBe(bytes === 11 ? 11 : 16);
    }
  });
});

describe('what is not read is named', () => {
  const inUdp = (payload: Buffer, port: number): Buffer =>
    ethernet(ipv4(udp(payload, { ...ROUTE, destinationPort: port }), ROUTE));
  test.each([
    ['IPsec (ESP)', ethernet(ipv4(Buffer.alloc(60, 9), ROUTE, 50))],
    ['IPsec (ESP)', ethernet(ipv6(Buffer.alloc(60, 9), 50), 0x86dd)],
    ['IPsec (ESP in UDP)', inUdp(Buffer.concat([u32(0x1234_5678), u32(1), Buffer.alloc(60, 9)]), 4500)],
    ['WireGuard', inUdp(Buffer.concat([u32(0x0400_0000), u32(5), Buffer.alloc(56, 9)]), 51_820)],
    ['OpenVPN', inUdp(Buffer.concat([u8(0x48, 0, 0, 1), Buffer.alloc(60, 9)]), 1194)],
    ['L2TP version 3', ethernet(ipv4(Buffer.alloc(60, 9), ROUTE, 115))],
    ['IP compression', ethernet(ipv4(Buffer.alloc(60, 9), ROUTE, 108))],
    ['MACsec', ethernet(Buffer.alloc(60, 9), 0x88e5)],
    ['CAPWAP', inUdp(Buffer.alloc(60), 5247)],
    ['HEP', inUdp(Buffer.concat([Buffer.from('HEP3'), Buffer.alloc(60, 9)]), 9060)],
    ['DTLS', inUdp(Buffer.concat([u8(0x17, 0xfe, 0xfd), Buffer.alloc(60, 9)]), 443)],
    ['compressed or encrypted PPP', ethernet(Buffer.concat([u8(0x11, 0), u16(3), u16(9), u16(0xfd), PAYLOAD]), 0x8864)],
    ['GRE of an unknown kind', ethernet(ipv4(gre(Buffer.alloc(40, 9), 0x7777), ROUTE, 47))],
    ['a network service header (NSH)', ethernet(Buffer.alloc(60, 9), 0x894f)],
  ])('%s', (layer, bytes) => {
    const { kind, reader } = read(bytes);
    expect([kind, reader.unreadLayer]).toEqual(['unread', layer]);
  });

  test('SIP on the port of a tunnel is SIP', () => {
    for (const port of [4500, 1194, 5247, 6081, 4789, 2152, 1701, 37_008]) {
      const { kind, payload } = read(inUdp(Buffer.from('INVITE sip:a@b SIP/2.0\r\n\r\n'), port));
      expect([kind, payload]).toEqual(['udp', 'INVITE sip:a@b SIP/2.0\r\n\r\n']);
    }
  });

  test('IKE and keep-alives beside IPsec are packets of their own', () => {
    expect(read(inUdp(Buffer.concat([u32(0), Buffer.alloc(60, 9)]), 4500)).kind).toBe('udp');
    expect(read(inUdp(u8(0xff), 4500)).kind).toBe('udp');
  });
});
