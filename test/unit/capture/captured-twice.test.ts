import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Captured, pcap, rtp, u16, u32 } from '../wire/packets.ts';
import { analyse, analyseFile, call, onlyStream, packet, range } from './captured.ts';

/** As `tcpdump -i any` writes them: Linux cooked v2 with the interface's number. */
function cooked(interfaceIndex: number, { atMs, bytes }: Captured, delayMs: number): Captured {
  const datagram = bytes.subarray(14);
  return {
    atMs: atMs + delayMs,
    bytes: Buffer.concat([u16(0x0800), u16(0), u32(interfaceIndex), Buffer.alloc(12), datagram]),
  };
}

/** As a router sends it on: another MAC, one hop less. */
function routed({ atMs, bytes }: Captured, delayMs: number): Captured {
  const copy = Buffer.from(bytes);
  copy.fill(0x77, 0, 12);
  copy.writeUInt8(copy.readUInt8(22) - 1, 22);
  return { atMs: atMs + delayMs, bytes: copy };
}

/** 20 ms packets that each come 0-12 ms late. */
function jittery(sequences: readonly number[]): Captured[] {
  return call(sequences, {}, {}, (sequence) => (sequence * 7919) % 13);
}

/** RFC 3550 A.8 over packets in the order of arrival, written down again. */
function jitterOf(arrivalsMs: readonly number[], sentMs: readonly number[]): { mean: number; max: number } {
  let jitter = 0;
  const after = arrivalsMs.slice(1).map((atMs, index) => {
    const change = atMs - (arrivalsMs[index] ?? 0) - ((sentMs[index + 1] ?? 0) - (sentMs[index] ?? 0));
    jitter += (Math.abs(change) - jitter) / 16;
    return jitter;
  });
  return { mean: after.reduce((sum, one) => sum + one, 0) / after.length, max: Math.max(...after) };
}

describe('a packet that was captured twice counts once, and its copy as a duplicate', () => {
  const once = jittery(range(0, 200));
  const truth = jitterOf(
    once.map(({ atMs }) => atMs),
    range(0, 200).map((sequence) => sequence * 20),
  );
  const inOrder = (packets: readonly Captured[], linkType = 1): Buffer =>
    pcap(
      packets.toSorted((one, other) => one.atMs - other.atMs),
      { linkType },
    );

  test.each([
    ['a mirror port that doubles', inOrder(once.flatMap((one) => [one, { ...one, atMs: one.atMs + 0.01 }]))],
    ['before and behind a router', inOrder(once.flatMap((one) => [one, routed(one, 0.4)]))],
    ['copies that come after the next packets', inOrder(once.flatMap((one) => [one, routed(one, 47)]))],
    [
      'cooked v2',
      inOrder(
        once.flatMap((one) => [cooked(2, one, 0), cooked(5, one, 0.05)]),
        276,
      ),
    ],
  ])('%s', (_, file) => {
    const stream = onlyStream(analyseFile(file));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, duplicates: 200, outOfOrder: 0 });
    // The capture's microseconds: times are rounded.
    expect(stream.jitterMeanMs).toBeCloseTo(truth.mean, 2);
    expect(stream.jitterMaxMs).toBeCloseTo(truth.max, 2);
    expect(stream.arrivalHistogram.reduce((sum, { count }) => sum + count, 0)).toBe(199);
  });

  test('a router that loses: what came behind it is the copy', () => {
    const behind = once.filter((_, index) => index % 10 !== 3).map((one) => routed(one, 0.4));
    const stream = onlyStream(analyse([...once, ...behind]));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, duplicates: 180 });
    expect(stream.jitterMeanMs).toBeCloseTo(truth.mean, 2);
  });

  test('a capture that lost packets at one interface has them from the other', () => {
    const there = once.filter((_, index) => index % 10 !== 3).map((one) => cooked(2, one, 0));
    const stream = onlyStream(analyseFile(inOrder([...there, ...once.map((one) => cooked(5, one, 0.05))], 276)));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, duplicates: 180 });
  });

  test('packets that go on by another interface go on being counted', () => {
    const packets = [...range(0, 50), ...range(150, 200)].map((sequence, index) =>
      cooked(index < 50 ? 2 : 5, packet(sequence * 20, rtp({ sequence, timestamp: sequence * 160 })), 0),
    );
    expect(onlyStream(analyseFile(inOrder(packets, 276)))).toMatchObject({
      packetsReceived: 100,
      packetsLost: 100,
      duplicates: 0,
    });
  });

  test('one that the network doubles now and then tells of the network: it counts for jitter (RFC 3550 A.8)', () => {
    const doubled = once.flatMap((one, index) => (index % 25 === 20 ? [one, { ...one, atMs: one.atMs + 5 }] : [one]));
    const stream = onlyStream(analyse(doubled));
    const sent = range(0, 200).flatMap((sequence) =>
      sequence % 25 === 20 ? [sequence * 20, sequence * 20] : [sequence * 20],
    );
    const expected = jitterOf(
      doubled.map(({ atMs }) => atMs),
      sent,
    );
    expect(stream).toMatchObject({ packetsReceived: 200, duplicates: 8, packetsLost: 0 });
    expect(stream.jitterMeanMs).toBeCloseTo(expected.mean, 2);
    expect(stream.jitterMaxMs).toBeCloseTo(expected.max, 2);
  });

  test('whichever packets are doubled, lost and overtaken: each is counted as what it is', () => {
    const fate = fc.record({ copies: fc.integer({ min: 0, max: 3 }), lateMs: fc.constantFrom(0, 0, 0, 25) });
    fc.assert(
      fc.property(fc.array(fate, { minLength: 30, maxLength: 120 }), (fates) => {
        const first = fates.map((one, index) => (index < 3 ? { copies: Math.max(1, one.copies), lateMs: 0 } : one));
        const sent = first.flatMap(({ copies, lateMs }, sequence) =>
          range(0, copies).map((copy) =>
            packet(sequence * 20 + lateMs + copy * 0.3, rtp({ sequence, timestamp: sequence * 160 })),
          ),
        );
        const arrived = first.flatMap(({ copies }, sequence) => (copies > 0 ? [sequence] : []));
        expect(onlyStream(analyse(sent))).toMatchObject({
          packetsReceived: arrived.length,
          packetsExpected: Math.max(...arrived) + 1,
          duplicates: sent.length - arrived.length,
        });
      }),
    );
  });
});
