import { describe, expect, test } from 'vitest';
import { type Captured, START_MS, ethernet, ipv4, rtp, type Route, u16, u32, u8 } from '../wire/packets.ts';
import { seededRandom } from '../../lab/network-profile.ts';
import { BACK, analyse, call, onlyStream, packet, range, senderReport } from './captured.ts';

const random = seededRandom(15);
const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
const at = (destinationPort: number, sourcePort = 45_000): Route => ({ sourcePort, destinationPort });
/** So many packets, so far apart, there and back. */
function packets(count: number, everyMs: number, route: Route, payload: (index: number) => Buffer): Captured[] {
  return range(0, count).map((index) => packet(index * everyMs, payload(index), route));
}
const le32 = (value: number): Buffer => u32(value).swap32();

/** Each in the shape of its protocol: the parts that stand still, count or are random do so here. */
const OTHERS: Readonly<Record<string, readonly Captured[]>> = {
  'DNS from one port, whose numbers begin as RTP and RTCP do': packets(4000, 7, at(53), (index) =>
    Buffer.concat([
      u16(0x8000 + index),
      u16(0x0100),
      u16(1),
      u16(0),
      u32(0),
      Buffer.from('\u0003www\u0007example\u0003com\0\0\u0001\0\u0001'),
    ]),
  ),
  'DNS answers': packets(4000, 7, at(45_000, 53), (index) =>
    Buffer.concat([u16(0x8000 + index), u16(0x8180), u16(1), u16(1), u32(0), bytes(60)]),
  ),
  'DNS without recursion, empty flags': packets(256, 7, at(53), (index) =>
    Buffer.concat([u16(0x80c8 + (index % 8)), u16(0), u16(1), u16(0), u32(0), bytes(30)]),
  ),
  QUIC: packets(3000, 3, at(443), (index) =>
    index < 4
      ? Buffer.concat([u8(0xc3), u32(1), u8(8), Buffer.alloc(8, 0x81), bytes(1150)])
      : Buffer.concat([u8(0x40 + (index % 0x40)), Buffer.alloc(8, 0x81), bytes(1100)]),
  ),
  'STUN and TURN without media': [
    ...packets(50, 500, at(3478), () => Buffer.concat([u16(1), u16(0), u32(0x2112_a442), bytes(12)])),
    ...packets(200, 20, at(3478), () => Buffer.concat([u16(0x4002), u16(40), u8(0x17, 0xfe, 0xfd), bytes(37)])),
  ],
  'IPsec NAT traversal whose number begins as RTP does': packets(2000, 20, at(4500, 4500), (index) =>
    Buffer.concat([u32(0x8012_3456), u32(index + 1), bytes(120)]),
  ),
  'IPsec NAT traversal with a counting IV whose number begins as RTCP does': packets(
    2000,
    20,
    at(4500, 4500),
    (index) => Buffer.concat([u32(0x80c8_0006), u32(index + 1), u32(0), u32(index + 1), bytes(120)]),
  ),
  'RakNet (frame sets)': packets(3000, 16, at(19_132), (index) =>
    Buffer.concat([
      u8(0x84),
      u8(index & 0xff, index >> 8, 0),
      u8(0x60, 0, 0x80),
      u8(index & 0xff, index >> 8, 0),
      bytes(40),
    ]),
  ),
  'ENet, whose sent time counts where RTP has its sequence': packets(3000, 16, at(7777), (index) =>
    Buffer.concat([u16(0x8000), u16((index * 16) & 0xffff), u8(0x86, 0), u16(index + 1), u16(20), u8(1, 2), bytes(18)]),
  ),
  'Quake 3 and what came of it': packets(5000, 11, at(27_960), (index) =>
    Buffer.concat([le32(0x80 + index), u16(0x1234), bytes(60)]),
  ),
  'the Source engine': packets(5000, 15, at(27_015), (index) =>
    Buffer.concat([le32(0x80 + index), le32(0x7f + index), u8(0), bytes(80)]),
  ),
  uTP: packets(3000, 5, at(6881, 6881), (index) =>
    Buffer.concat([
      u8(0x01, 0),
      u16(0x8123),
      u32(index * 5000),
      u32(77),
      u32(0x10_0000),
      u16(index),
      u16(9),
      bytes(900),
    ]),
  ),
  'the DHT of BitTorrent, and a tracker': [
    ...packets(500, 10, at(6881, 6881), () => Buffer.concat([Buffer.from('d1:ad2:id20:'), bytes(60)])),
    ...packets(100, 900, at(1337), (index) =>
      Buffer.concat([u32(0x8011_0001), u32(0x8022_0002), u32(1), u32(index), bytes(80)]),
    ),
  ],
  IAX2: packets(1000, 20, at(4569, 4569), (index) =>
    Buffer.concat([u16(0x8001), u16(0x0002), u32(index * 20), u8(index & 0xff, 3, 2, 4), bytes(160)]),
  ),
  NTP: packets(100, 1000, at(123, 123), () => Buffer.concat([u8(0x24, 2, 6, 0xe9), bytes(44)])),
  'a counter and nothing else': packets(2000, 20, at(9999), (index) =>
    Buffer.concat([u16(0x8000), u16(index), Buffer.alloc(60)]),
  ),
  'noise that begins as RTP does': packets(5000, 2, at(9999), () => Buffer.concat([u8(0x80), bytes(80)])),
};

describe('no stream is invented, and no RTCP', () => {
  test.each(Object.entries(OTHERS))('%s', (_, others) => {
    const result = analyse(others);
    expect(result.streams).toEqual([]);
    expect(result.rtcp.packets).toBe(0);
    expect(result.skipped).toMatchObject({ rtcpMalformed: 0, rtcpEncrypted: 0, cutShort: 0 });
    expect(result.skippedPackets).toBe(others.length);
  });

  test('nor does any of it disturb a call in the same capture', () => {
    const result = analyse([
      ...Object.values(OTHERS).flat(),
      ...call(range(0, 500)),
      ...call(range(7, 507), BACK, { ssrc: 9 }),
    ]);
    expect(result.streams).toMatchObject([
      { packetsReceived: 500, packetsLost: 0, duplicates: 0 },
      { packetsReceived: 500, packetsLost: 0, duplicates: 0 },
    ]);
  });
});

test.each([0x8012_3456, 0x80c8_0006, 0x0101_0101, 0xc1c1_c1c1])(
  'what is inside IPsec is named, whatever its number begins with: %i',
  (spi) => {
    const esp = (index: number): Buffer => Buffer.concat([u32(spi), u32(index + 1), bytes(120)]);
    const result = analyse(packets(50, 20, at(4500, 4500), esp));
    expect([...result.unread]).toEqual([['IPsec (ESP in UDP)', 50]]);
    expect(result.skipped).toMatchObject({ unread: 50, notMedia: 0 });
  },
);

describe('RTCP that cannot be read', () => {
  const malformed = Buffer.from([0x80, 200, 0, 6, 1, 2, 3, 4]);

  test('is malformed RTCP between the ends of a stream, also when that is believed later', () => {
    const result = analyse([
      packet(-50, malformed, { sourcePort: 5005, destinationPort: 6005 }),
      ...call(range(0, 20)),
    ]);
    expect(onlyStream(result).packetsReceived).toBe(20);
    expect(result.skipped).toMatchObject({ rtcpMalformed: 1, notMedia: 0 });
  });

  test('is anything elsewhere', () => {
    const result = analyse([packet(3, malformed, { sourcePort: 5305, destinationPort: 6305 }), ...call(range(0, 20))]);
    expect(result.skipped).toMatchObject({ rtcpMalformed: 0, notMedia: 1 });
  });

  test('and RTCP that was captured twice counts once', () => {
    const report = senderReport(0x1122_3344, 100);
    const again = { sourcePort: 5005, destinationPort: 6005 };
    const result = analyse([...call(range(0, 20)), packet(50, report, again), packet(50.2, report, again)]);
    expect(result.rtcp).toMatchObject({ packets: 1, duplicates: 1 });
    expect(onlyStream(result).senderReports).toBe(1);
    expect(result.skippedPackets).toBe(0);
  });

  test('a frame without UDP is none', () => {
    const frame = { atMs: START_MS + 3, bytes: ethernet(ipv4(rtp({ sequence: 1, timestamp: 1 }), {}, 1)) };
    expect(analyse([frame]).skipped).toMatchObject({ notUdp: 1 });
  });
});
