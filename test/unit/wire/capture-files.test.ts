import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readerFor } from '../../../src/wire/packets/capture-format.ts';
import { PcapngReader } from '../../../src/wire/packets/pcapng.ts';
import { START_MS, pcap, pcapngBlock, u16, u8 } from './packets.ts';

interface Read {
  readonly atMs: number;
  readonly wireBytes: number;
  readonly linkType: number;
  readonly bytes: string;
}

/** Feeds a file in pieces of these sizes, over and over, and carries what is not consumed to the next feed. */
function readAll(
  file: Buffer,
  pieces: readonly number[] = [file.length],
): { packets: Read[]; damage?: string; rest: number } {
  const reader = readerFor(new DataView(file.buffer, file.byteOffset, file.byteLength));
  if (reader === undefined) throw new Error('no capture');
  const packets: Read[] = [];
  let waiting = Buffer.alloc(0);
  for (let at = 0, piece = 0; at < file.length; piece += 1) {
    const size = pieces[piece % pieces.length] ?? 1;
    waiting = Buffer.concat([waiting, file.subarray(at, at + size)]);
    at += size;
    reader.feed(new DataView(waiting.buffer, waiting.byteOffset, waiting.byteLength), 0, waiting.length);
    while (reader.next()) {
      const { atMs, wireBytes, linkType, start, end } = reader;
      packets.push({ atMs, wireBytes, linkType, bytes: waiting.subarray(start, end).toString('hex') });
    }
    waiting = waiting.subarray(reader.consumed);
  }
  return { packets, rest: waiting.length, ...(reader.damage === undefined ? {} : { damage: reader.damage }) };
}

const PACKETS = [
  { atMs: START_MS + 1.5, bytes: Buffer.from('0102030405', 'hex') },
  { atMs: START_MS + 21.25, bytes: Buffer.from('aa', 'hex'), wireBytes: 200 },
  { atMs: START_MS + 40, bytes: Buffer.alloc(0) },
];
const EXPECTED: readonly Read[] = [
  { atMs: START_MS + 1.5, wireBytes: 5, linkType: 1, bytes: '0102030405' },
  { atMs: START_MS + 21.25, wireBytes: 200, linkType: 1, bytes: 'aa' },
  { atMs: START_MS + 40, wireBytes: 0, linkType: 1, bytes: '' },
];

describe('classic pcap', () => {
  test.each([
    ['little-endian, microseconds', {}],
    ['big-endian, microseconds', { littleEndian: false }],
    ['little-endian, nanoseconds', { nanoseconds: true }],
    ['big-endian, nanoseconds', { littleEndian: false, nanoseconds: true }],
  ])('%s', (_, variant) => {
    expect(readAll(pcap(PACKETS, variant))).toEqual({ packets: EXPECTED, rest: 0 });
  });

  test('in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (pieces) => {
        expect(readAll(pcap(PACKETS), pieces)).toEqual({ packets: EXPECTED, rest: 0 });
      }),
    );
  });

  test('a file that ends in the middle of a packet gives the ones before', () => {
    const file = pcap(PACKETS);
    const { packets, rest, damage } = readAll(file.subarray(0, file.length - 17));
    expect(packets).toEqual(EXPECTED.slice(0, 1));
    expect(rest).toBe(16);
    expect(damage).toBeUndefined();
  });

  test('a record of an impossible length is damage, not an allocation', () => {
    const file = pcap(PACKETS);
    file.writeUInt32LE(0xffff_fff0, 24 + 8);
    expect(readAll(file)).toMatchObject({ packets: [], damage: 'a record claims to hold 4294967280 bytes' });
  });

  test("the upper bits of the link type's word are no part of it", () => {
    const file = pcap(PACKETS, { linkType: 113 });
    file.writeUInt8(0x24, 23);
    expect(readAll(file).packets[0]?.linkType).toBe(113);
  });
});

/** Little-endian numbers of a pcapng file. */
const le16 = (value: number): Buffer => u16(value).swap16();
function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
const SECTION = pcapngBlock(0x0a0d_0d0a, Buffer.concat([le32(0x1a2b_3c4d), le16(1), le16(0), Buffer.alloc(8, 0xff)]));
const option = (code: number, value: Buffer): Buffer =>
  Buffer.concat([le16(code), le16(value.length), value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
const interfaceBlock = (linkType: number, ...options: Buffer[]): Buffer =>
  pcapngBlock(1, Buffer.concat([le16(linkType), le16(0), le32(65_535), ...options, option(0, Buffer.alloc(0))]));
function enhanced(interfaceId: number, time: bigint, bytes: Buffer, wireBytes = bytes.length): Buffer {
  const high = Number(time >> 32n);
  const low = Number(time & 0xffff_ffffn);
  const head = [interfaceId, high, low, bytes.length, wireBytes].map(le32);
  const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4);
  return pcapngBlock(6, Buffer.concat([...head, bytes, padding, option(0, Buffer.alloc(0))]));
}

describe('pcapng', () => {
  const micros = BigInt(START_MS) * 1000n;

  test('interfaces with clocks and link layers of their own, and blocks that are none of ours', () => {
    const file = Buffer.concat([
      SECTION,
      interfaceBlock(1),
      interfaceBlock(101, option(9, u8(9)), option(14, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]))),
      interfaceBlock(276, option(9, u8(0x80 + 10))),
      pcapngBlock(0x0bad, Buffer.from('whatever')),
      enhanced(0, micros + 1500n, Buffer.from('0102030405', 'hex')),
      enhanced(1, micros * 1000n, Buffer.from('aa', 'hex'), 200),
      enhanced(2, (BigInt(START_MS) * 1024n) / 1000n, Buffer.alloc(0)),
      // A simple packet: the first interface's, at the time of the one before.
      pcapngBlock(3, Buffer.concat([le32(3), Buffer.from('abcdef00', 'hex')])),
    ]);
    const expected = [
      { atMs: START_MS + 1.5, wireBytes: 5, linkType: 1, bytes: '0102030405' },
      { atMs: START_MS + 1000, wireBytes: 200, linkType: 101, bytes: 'aa' },
      { atMs: START_MS, wireBytes: 0, linkType: 276, bytes: '' },
      { atMs: START_MS, wireBytes: 3, linkType: 1, bytes: 'abcdef' },
    ];
    expect(readAll(file)).toEqual({ packets: expected, rest: 0 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (pieces) => {
        expect(readAll(file, pieces)).toEqual({ packets: expected, rest: 0 });
      }),
    );
  });

  test('big-endian sections', () => {
    // type, length 28, magic, version 1.0, length of section unknown; interface of type 101; packet of one byte.
    const file = Buffer.from(
      '0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c' +
        '00000001000000140065000000040000' +
        '00000014' +
        '0000000600000024000000000006543200000000000000010000000' +
        '1bb00000000000024',
      'hex',
    );
    const [packet] = readAll(file).packets;
    expect(packet).toEqual({ atMs: (0x65432 * 2 ** 32) / 1000, wireBytes: 1, linkType: 101, bytes: 'bb' });
  });

  test('counts what the capturing side dropped', () => {
    const statistics = (dropped: number): Buffer =>
      pcapngBlock(5, Buffer.concat([le32(0), le32(0), le32(0), option(5, Buffer.concat([le32(dropped), le32(0)]))]));
    const file = Buffer.concat([SECTION, interfaceBlock(1), statistics(3), SECTION, interfaceBlock(1), statistics(4)]);
    const reader = new PcapngReader();
    reader.feed(new DataView(file.buffer, file.byteOffset, file.length), 0, file.length);
    expect(reader.next()).toBe(false);
    expect(reader.droppedPackets).toBe(7);
  });

  test.each([
    ['a length that is no multiple of 4', 0, 4, 29],
    ['a length shorter than the block', 0, 4, 8],
    ['a length beyond all reason', 0, 4, 0x7fff_fffc],
    ['no byte order', 0, 8, 0],
  ])('%s is damage', (_, block, at, value) => {
    const file = Buffer.concat([SECTION, interfaceBlock(1)]);
    file.writeUInt32LE(value, block + at);
    expect(readAll(file).damage).toMatch(/./);
  });

  test('a packet of an interface that nobody described, or longer than its block, is left out', () => {
    const tooLong = enhanced(0, micros, Buffer.alloc(8));
    tooLong.writeUInt32LE(4000, 8 + 12);
    const file = Buffer.concat([SECTION, interfaceBlock(1), enhanced(7, micros, Buffer.alloc(4)), tooLong]);
    expect(readAll(file)).toEqual({ packets: [], rest: 0 });
  });
});

test('anything else is no capture', () => {
  for (const text of ['', 'abc', 'root:x:0:0', '\0\0\0\0']) {
    const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(4)]);
    expect(readerFor(new DataView(bytes.buffer, bytes.byteOffset, bytes.length))).toBeUndefined();
  }
});
