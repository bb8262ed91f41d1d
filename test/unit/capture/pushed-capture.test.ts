import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PushedCapture } from '../../../src/capture/pushed-capture.ts';
import { pcap } from '../wire/packets.ts';
import { call, range } from './captured.ts';

/** Times and lengths of the packets that it shows, pushed in pieces of these lengths, over and over. */
function readInPieces(file: Buffer, lengths: readonly number[]): { packets: string[]; damage: string | undefined } {
  const packets: string[] = [];
  const source = new PushedCapture(({ atMs, start, end, view }) => {
    packets.push(`${atMs} ${end - start} ${view.getUint8(start)} ${view.getUint8(end - 1)}`);
  });
  for (let at = 0, turn = 0; at < file.length; turn += 1) {
    const piece = file.subarray(at, at + (lengths[turn % lengths.length] ?? 1));
    source.push(piece);
    at += piece.length;
  }
  return { packets, damage: source.damage };
}

test('shows the same packets in whatever pieces they come', () => {
  const file = pcap(call(range(0, 40)));
  const whole = readInPieces(file, [file.length]);
  expect(whole.packets.length).toBe(40);
  expect(whole.damage).toBeUndefined();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), (lengths) => {
      expect(readInPieces(file, lengths)).toEqual(whole);
    }),
  );
});

test('shows nothing of what is no capture, and says no word about it', () => {
  expect(readInPieces(Buffer.from('tcpdump: usage: …'.repeat(20)), [3, 50])).toEqual({
    packets: [],
    damage: undefined,
  });
});

test('says where it can read no further, and shows what came before', () => {
  const file = pcap(call(range(0, 3)));
  // The length of a fourth packet, after its time: more than any has.
  const broken = Buffer.concat([file, Buffer.alloc(8), Buffer.alloc(8, 0x7f), Buffer.alloc(100)]);
  const { packets, damage } = readInPieces(broken, [64]);
  expect(packets.length).toBe(3);
  expect(damage).toMatch(/^a record claims to hold \d+ bytes$/);
});
