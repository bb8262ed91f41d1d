import { describe, expect, test } from 'vitest';
import { DatagramReader, type PacketKind } from '../../../src/wire/packets/datagram.ts';
import { formatAddress, formatAddressAndPort, parseAddressAndPort } from '../../../src/wire/ip-address.ts';
import { ethernet, ipv4, ipv6, u16, u32, u8, udp } from './packets.ts';

const PAYLOAD = Buffer.from('hello');
const ROUTE = { source: '192.0.2.7', destination: '198.51.100.250', sourcePort: 40_000, destinationPort: 65_535 };

function read(bytes: Buffer, linkType = 1): { kind: PacketKind; reader: DatagramReader; payload: string } {
  const reader = new DatagramReader();
  // In the middle of a larger buffer, as in a real file.
  const around = Buffer.concat([Buffer.alloc(7, 0xee), bytes, Buffer.alloc(9, 0xee)]);
  const view = new DataView(around.buffer, around.byteOffset, around.byteLength);
  const kind = reader.read({ view, start: 7, end: 7 + bytes.length, wireBytes: bytes.length, atMs: 0, linkType });
  return { kind, reader, payload: around.subarray(reader.payloadStart, reader.payloadEnd).toString() };
}

const ip = ipv4(udp(PAYLOAD, ROUTE), ROUTE);

describe('link layers', () => {
  test.each([
    ['Ethernet', 1, ethernet(ip)],
    ['Ethernet with a VLAN tag', 1, ethernet(Buffer.concat([u16(5), u16(0x0800), ip]), 0x8100)],
    ['Ethernet with two tags', 1, ethernet(Buffer.concat([u16(5), u16(0x8100), u16(6), u16(0x0800), ip]), 0x88a8)],
    ['Linux cooked v1', 113, Buffer.concat([Buffer.alloc(14), u16(0x0800), ip])],
    ['Linux cooked v2', 276, Buffer.concat([u16(0x0800), Buffer.alloc(18), ip])],
    ['raw IP', 101, ip],
    ['raw IP as OpenBSD numbers it', 12, ip],
    ['raw IP as other BSDs do', 14, ip],
    ['IPv4', 228, ip],
    ['BSD loopback', 0, Buffer.concat([Buffer.from([2, 0, 0, 0]), ip])],
    ['OpenBSD loopback', 108, Buffer.concat([u32(2), ip])],
    ['Ethernet that pads', 1, Buffer.concat([ethernet(ip), Buffer.alloc(20)])],
  ])('%s', (_, linkType, bytes) => {
    const { kind, reader, payload } = read(bytes, linkType);
    expect(kind).toBe('udp');
    expect(payload).toBe('hello');
    expect(reader).toMatchObject({ sourcePort: 40_000, destinationPort: 65_535, payloadBytes: 5, addressWordCount: 2 });
    expect(formatAddress(reader.addressWords.subarray(0, 1))).toBe('192.0.2.7');
    expect(formatAddress(reader.addressWords.subarray(1, 2))).toBe('198.51.100.250');
  });

  test('what is no IP or no UDP', () => {
    expect(read(ethernet(Buffer.alloc(28), 0x0806)).kind).toBe('not-udp');
    expect(read(ethernet(ipv4(Buffer.alloc(20), {}, 6))).kind).toBe('not-udp');
    expect(read(ethernet(ipv6(Buffer.alloc(20), 6), 0x86dd)).kind).toBe('not-udp');
    expect(read(ip, 105).kind).toBe('unknown-link');
  });

  test('every shorter piece of a packet is cut short, until the UDP header is whole', () => {
    const whole = ethernet(Buffer.concat([u16(5), u16(0x0800), ip]), 0x8100);
    const headers = whole.length - PAYLOAD.length;
    for (let length = 0; length < headers; length += 1) {
      expect(read(whole.subarray(0, length)).kind, `${length} bytes`).toBe('cut-short');
    }
    for (let length = headers; length <= whole.length; length += 1) {
      const { kind, reader, payload } = read(whole.subarray(0, length));
      expect(kind).toBe('udp');
      expect(payload).toBe('hello'.slice(0, length - headers));
      expect(reader.payloadBytes).toBe(5);
    }
  });
});

describe('IPv4', () => {
  test('options before the UDP header', () => {
    const bytes = Buffer.from(ip);
    const withOptions = Buffer.concat([bytes.subarray(0, 20), Buffer.alloc(8, 1), bytes.subarray(20)]);
    withOptions.writeUInt8(0x47, 0);
    withOptions.writeUInt16BE(withOptions.length, 2);
    expect(read(withOptions, 101)).toMatchObject({ kind: 'udp', payload: 'hello' });
  });

  test('fragments: the first is the datagram, the others are parts', () => {
    const first = read(ipv4(udp(Buffer.alloc(1400), ROUTE).subarray(0, 520), ROUTE, 17, 0x2000), 101);
    expect(first.kind).toBe('udp');
    expect(first.reader).toMatchObject({ isFirstFragment: true, payloadBytes: 1400 });
    expect(first.payload.length).toBe(512);
    expect(read(ipv4(Buffer.alloc(400), ROUTE, 17, 0x2000 + 65), 101).kind).toBe('fragment');
    expect(read(ipv4(Buffer.alloc(400), ROUTE, 17, 130), 101).kind).toBe('fragment');
    expect(read(ip, 101).reader.isFirstFragment).toBe(false);
  });

  test('a total length of 0, which segmentation offload leaves, means all there is', () => {
    const bytes = Buffer.from(ip);
    bytes.writeUInt16BE(0, 2);
    expect(read(bytes, 101)).toMatchObject({ kind: 'udp', payload: 'hello' });
  });

  test('an impossible header length', () => {
    const bytes = Buffer.from(ip);
    bytes.writeUInt8(0x44, 0);
    expect(read(bytes, 101).kind).toBe('not-udp');
  });
});

describe('IPv6', () => {
  test('with and without extension headers', () => {
    const datagram = udp(PAYLOAD, ROUTE);
    const hopByHop = Buffer.concat([u8(60, 0), Buffer.alloc(6)]);
    const destination = Buffer.concat([u8(17, 1), Buffer.alloc(14)]);
    for (const bytes of [ipv6(datagram), ipv6(Buffer.concat([hopByHop, destination, datagram]), 0)]) {
      const { kind, reader, payload } = read(ethernet(bytes, 0x86dd));
      expect([kind, payload]).toEqual(['udp', 'hello']);
      expect(formatAddressAndPort(reader.addressWords.subarray(0, 4), reader.sourcePort)).toBe('[2001:db8::1]:40000');
      expect(formatAddress(reader.addressWords.subarray(4, 8))).toBe('2001:db8::2');
    }
  });

  test('fragments', () => {
    const fragment = (offsetAndMore: number, part: Buffer): Buffer =>
      ipv6(Buffer.concat([u8(17, 0), u16(offsetAndMore), u32(9), part]), 44);
    const first = read(fragment(1, udp(Buffer.alloc(1400)).subarray(0, 800)), 229);
    expect(first.kind).toBe('udp');
    expect(first.reader).toMatchObject({ isFirstFragment: true, payloadBytes: 1400 });
    expect(read(fragment(800, Buffer.alloc(100)), 229).kind).toBe('fragment');
  });

  test('a chain of extension headers without an end is not followed for ever', () => {
    expect(read(ipv6(Buffer.alloc(800), 0), 229).kind).toBe('not-udp');
  });
});

test('IPv6 addresses are written as RFC 5952 asks', () => {
  const write = (hex: string): string => {
    const bytes = Buffer.from(hex, 'hex');
    return formatAddress([0, 4, 8, 12].map((at) => bytes.readInt32BE(at)));
  };
  expect(write('00000000000000000000000000000001')).toBe('::1');
  expect(write('00000000000000000000000000000000')).toBe('::');
  expect(write('20010db8000000000001000000000001')).toBe('2001:db8::1:0:0:1');
  expect(write('20010db8000100020003000400050006')).toBe('2001:db8:1:2:3:4:5:6');
  expect(write('20010db8000000010001000100010001')).toBe('2001:db8:0:1:1:1:1:1');
  expect(write('fe800000000000000000000000000000')).toBe('fe80::');
});

describe('addresses as Asterisk prints them', () => {
  test.each([
    ['192.0.2.7:5004', { host: '192.0.2.7', port: 5004 }],
    ['[2001:db8::1]:40000', { host: '[2001:db8::1]', port: 40_000 }],
    ['[2001:DB8::1]:1', { host: '[2001:db8::1]', port: 1 }],
    ['[fe80::1%eth0]:5004', { host: '[fe80::1]', port: 5004 }],
    ['[::ffff:192.0.2.7]:65535', { host: '192.0.2.7', port: 65_535 }],
    ['0.0.0.0:5004', { host: '0.0.0.0', port: 5004 }],
  ])('%s', (text, expected) => {
    expect(parseAddressAndPort(text)).toEqual(expected);
  });

  test.each([
    '',
    '192.0.2.7',
    '192.0.2.7:0',
    '192.0.2.7:65536',
    'localhost:5004',
    '2001:db8::1:5004',
    '[::1]',
    ':5004',
  ])('%j is none', (text) => {
    expect(parseAddressAndPort(text)).toBeUndefined();
  });
});
