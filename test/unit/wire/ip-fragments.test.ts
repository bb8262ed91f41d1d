import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramReader, type PacketKind } from '../../../src/wire/packets/datagram.ts';
import { collectGarbage } from '../../lab/collect-garbage.ts';
import { fragmentsOf, fragmentsOf6 } from './fragment-packets.ts';
import { ethernet, ipv4, u16, u32, u8, udp } from './packets.ts';

/** In use behind a garbage collection; what that frees is given back a little later. */
function arrayBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

const ROUTE = { source: '192.0.2.7', destination: '198.51.100.250', sourcePort: 40_000, destinationPort: 50_000 };
const PAYLOAD = Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 31) % 251));
const DATAGRAM = udp(PAYLOAD, ROUTE);

interface Read {
  readonly kind: PacketKind;
  readonly payload: Buffer;
  readonly isShownBefore: boolean;
}

/** Reads frames one after another, each 1 ms after the one before. */
function readAll(frames: readonly Buffer[], reader = new DatagramReader(), everyMs = 1): Read[] {
  return frames.map((bytes, index) => {
    const linkType = 101;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const kind = reader.read({
      view,
      start: 0,
      end: bytes.length,
      wireBytes: bytes.length,
      atMs: index * everyMs,
      linkType,
    });
    const { payloadStart, payloadEnd, isShownBefore } = reader;
    const whole = Buffer.from(reader.view.buffer, reader.view.byteOffset, reader.view.byteLength);
    return { kind, payload: Buffer.from(whole.subarray(payloadStart, payloadEnd)), isShownBefore };
  });
}

const kinds = (read: readonly Read[]): PacketKind[] => read.map(({ kind }) => kind);

describe.each([
  ['IPv4', fragmentsOf(DATAGRAM, { route: ROUTE, id: 7 })],
  ['IPv6', fragmentsOf6(DATAGRAM, 7)],
])('fragments of %s', (_, fragments) => {
  test('in order: the first counts until there is a second, then the whole is given', () => {
    expect(fragments.length).toBe(3);
    const reader = new DatagramReader();
    const read = readAll(fragments, reader);
    expect(kinds(read)).toEqual(['udp', 'fragment', 'udp']);
    expect(read[0]?.payload.equals(PAYLOAD.subarray(0, read[0].payload.length))).toBe(true);
    expect(read[2]).toMatchObject({ isShownBefore: true });
    expect(read[2]?.payload.equals(PAYLOAD)).toBe(true);
    // Of the next datagram it is known that there will be more.
    expect(
      kinds(
        readAll(
          fragments.map((one) => withId(one, 8)),
          reader,
        ),
      ),
    ).toEqual(['fragment', 'fragment', 'udp']);
    // The first was never called a fragment in the one, and was in the other.
    expect(reader.joinedFragments).toBe(1 + 2);
  });

  test('in any order the last to come makes it whole', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 }), (order) => {
        const read = readAll(order.map((index) => fragments[index] as Buffer));
        expect(read[2]?.kind).toBe('udp');
        expect(read[2]?.payload.equals(PAYLOAD)).toBe(true);
        expect(read[1]?.kind).toBe('fragment');
      }),
    );
  });

  test('captured twice they make the datagram twice', () => {
    const later = fragments.slice(1).map((one) => withId(one, 99));
    const twice = fragments.flatMap((one) => [one, one]);
    const read = readAll([...later, ...twice]);
    expect(kinds(read.slice(2))).toEqual(['fragment', 'fragment', 'fragment', 'fragment', 'udp', 'udp']);
    for (const one of read.slice(6)) expect(one.payload.equals(PAYLOAD)).toBe(true);
    const oneAfterTheOther = readAll([...later, ...fragments, ...fragments]);
    expect(kinds(oneAfterTheOther.slice(2))).toEqual(['fragment', 'fragment', 'udp', 'fragment', 'fragment', 'udp']);
  });

  test('without one of them there is no datagram, and an old one does not help a new one of the same number', () => {
    const later = fragments.slice(1).map((one) => withId(one, 99));
    const [first, second, last] = fragments as [Buffer, Buffer, Buffer];
    expect(kinds(readAll([...later, first, last])).slice(2)).toEqual(['fragment', 'fragment']);
    const reader = new DatagramReader();
    expect(kinds(readAll([...later, first, last], reader, 1)).slice(2)).toEqual(['fragment', 'fragment']);
    // The other part comes, but 10 s later.
    expect(kinds(readAll([later[0] as Buffer, second], reader, 10_000))[1]).toBe('fragment');
  });
});

/** The same fragment of another datagram. */
function withId(fragment: Buffer, id: number): Buffer {
  const copy = Buffer.from(fragment);
  if (copy.readUInt8(0) >> 4 === 4) copy.writeUInt16BE(id, 4);
  else copy.writeUInt32BE(id, 44);
  return copy;
}

describe('hostile fragments', () => {
  const part = (offset: number, bytes: number, isLast = false): Buffer =>
    ipv4(Buffer.alloc(bytes, 1), ROUTE, 17, offset / 8 + (isLast ? 0 : 0x2000));

  test('that overlap are given up', () => {
    expect(kinds(readAll([part(8, 16), part(16, 16), part(0, 8), part(32, 8, true)]))).toEqual(
      Array.from({ length: 4 }, () => 'fragment'),
    );
  });

  test('beyond the largest datagram, empty, or of an impossible size are no part of one', () => {
    const frames = [part(65_528, 16, true), part(8, 0), part(16, 13), ipv4(Buffer.alloc(4), ROUTE, 17, 0x3fff)];
    expect(kinds(readAll(frames))).toEqual(frames.map(() => 'fragment'));
  });

  test('take bounded memory', async () => {
    const reader = new DatagramReader();
    const before = arrayBytes();
    for (let id = 0; id < 40_000; id += 1) {
      const bytes = ipv4(Buffer.alloc(1400, 1), ROUTE, 17, 0x2000 + 175);
      bytes.writeUInt16BE(id, 4);
      readAll([bytes], reader);
    }
    // 56 MB were sent.
    await expect.poll(() => arrayBytes() - before, { timeout: 10_000 }).toBeLessThan(5_000_000);
    const fragments = fragmentsOf(DATAGRAM, { route: ROUTE, id: 40_001 });
    expect(kinds(readAll(fragments, reader))).toEqual(['fragment', 'fragment', 'udp']);
  });

  test('an IPv6 fragment that is the whole datagram is read as one', () => {
    const whole = Buffer.concat([u8(17, 0), u16(0), u32(9), DATAGRAM]);
    const header = fragmentsOf6(DATAGRAM, 1)[0]?.subarray(0, 40) as Buffer;
    const bytes = Buffer.concat([header, whole]);
    bytes.writeUInt16BE(whole.length, 4);
    expect(readAll([bytes])[0]).toMatchObject({ kind: 'udp', isShownBefore: false });
  });

  test('a tunnel in fragments is read when it is whole', () => {
    const inner = ipv4(DATAGRAM, ROUTE);
    const vxlan = udp(Buffer.concat([u32(0x0800_0000), u32(0x2a00), ethernet(inner)]), { destinationPort: 4789 });
    const read = readAll(
      fragmentsOf(vxlan, { route: { source: '172.16.0.1', destination: '172.16.0.2' }, id: 3 }).toReversed(),
    );
    expect(kinds(read)).toEqual(['fragment', 'fragment', 'udp']);
    expect(read[2]?.payload.equals(PAYLOAD)).toBe(true);
  });
});
