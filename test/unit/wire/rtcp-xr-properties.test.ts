import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { XrBlock } from '../../../src/wire/rtcp/rtcp-xr-blocks.ts';
import { encodeXrBlocks } from '../../../src/wire/rtcp/rtcp-xr.ts';
import { xrDocumentFromBytes, xrDocumentToBytes } from '../../../src/wire/rtcp/rtcp-xr-document.ts';
import { type Json, type JsonObject, xrBlockFromJson, xrBlockToJson } from '../../../src/wire/rtcp/rtcp-xr-json.ts';
import { decode } from './golden-xr.ts';

/** `blocks`, or the sentence that says why there are none. */
function decodedOrRefused(bytes: Uint8Array): string {
  try {
    return Array.isArray(xrDocumentFromBytes(bytes)['blocks']) ? 'blocks' : 'nothing';
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

describe('any legal block', () => {
  const byte = fc.nat(255);
  const word16 = fc.nat(65_535);
  const word32 = fc.nat(0xffff_ffff);
  const level = fc.oneof(fc.integer({ min: -128, max: 126 }), fc.constant(null));
  const score = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(null));
  const mos = fc.oneof(
    fc.integer({ min: 10, max: 50 }).map((tenths) => tenths / 10),
    fc.constant(null),
  );
  const nonZero = (most: number): fc.Arbitrary<number | null> =>
    fc.oneof(fc.integer({ min: 1, max: most }), fc.constant(null));
  const range = { ssrc: word32, beginSequence: word16, endSequence: word16 };
  const chunk = fc.oneof(
    fc
      .record({
        kind: fc.constant('run' as const),
        value: fc.constantFrom(0 as const, 1 as const),
        length: fc.nat(0x3fff),
      })
      .filter(({ value, length }) => value === 1 || length > 0),
    fc.record({ kind: fc.constant('bits' as const), bits: fc.nat(0x7fff) }),
    fc.constant({ kind: 'null' as const }),
  );
  const chunks = fc.array(fc.tuple(chunk, chunk), { maxLength: 10 }).map((pairs) => pairs.flat());
  const spread = (number: fc.Arbitrary<number>) => ({ min: number, max: number, mean: number, deviation: number });
  const block: fc.Arbitrary<XrBlock> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('loss-rle' as const, 'duplicate-rle' as const),
      thinning: fc.nat(15),
      ...range,
      chunks,
    }),
    fc.record({
      kind: fc.constant('receipt-times' as const),
      thinning: fc.nat(15),
      ...range,
      receiptTicks: fc.array(word32, { maxLength: 20 }),
    }),
    fc.record({ kind: fc.constant('reference-time' as const), ntpSeconds: word32, ntpFraction: word32 }),
    fc.record({
      kind: fc.constant('delay' as const),
      reports: fc.array(fc.record({ ssrc: word32, lrrNtp32: word32, dlrrNtp32: word32 }), { maxLength: 5 }),
    }),
    fc.record({
      kind: fc.constant('summary' as const),
      ...range,
      lostPackets: fc.option(word32),
      duplicatePackets: fc.option(word32),
      jitterTicks: fc.option(fc.record(spread(word32))),
      hops: fc.option(fc.record({ ipVersion: fc.constantFrom(4 as const, 6 as const), ...spread(byte) })),
    }),
    fc.record({
      kind: fc.constant('voip-metrics' as const),
      ssrc: word32,
      lossRateQ8: byte,
      discardRateQ8: byte,
      burstDensityQ8: byte,
      gapDensityQ8: byte,
      burstDurationMs: word16,
      gapDurationMs: word16,
      roundTripDelayMs: nonZero(65_535),
      endSystemDelayMs: nonZero(65_535),
      signalLevelDbm: level,
      noiseLevelDbm: level,
      rerlDb: fc.oneof(fc.integer({ min: 0, max: 126 }), fc.constant(null)),
      gmin: fc.integer({ min: 1, max: 255 }),
      rFactor: score,
      extRFactor: score,
      mosLq: mos,
      mosCq: mos,
      plc: nonZero(3),
      jba: nonZero(3),
      jbRate: nonZero(15),
      jbNominalMs: word16,
      jbMaximumMs: word16,
      jbAbsMaxMs: word16,
    }),
    fc.record({
      kind: fc.constant('unknown' as const),
      blockType: fc.integer({ min: 8, max: 255 }),
      typeSpecific: byte,
      bytes: fc.array(word32, { maxLength: 10 }).map((words) => {
        const bytes = Buffer.alloc(words.length * 4);
        words.forEach((word, index) => bytes.writeUInt32BE(word, index * 4));
        return new Uint8Array(bytes);
      }),
    }),
  );

  test('comes back from its bytes, and from its JSON, as it was', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        const bytes = encodeXrBlocks(blocks);
        expect(decode(bytes)).toEqual(blocks);
        const json = JSON.parse(JSON.stringify(blocks.map(xrBlockToJson))) as Json[];
        expect(json.map(xrBlockFromJson)).toEqual(blocks);
      }),
      { numRuns: 500 },
    );
  });

  test('comes back from RTCP as it is on the wire, padded and among other packets', () => {
    const other = fc
      .record({ type: fc.constantFrom(200, 201, 202, 203, 204, 205, 206), words: fc.array(word32, { maxLength: 8 }) })
      .map(({ type, words }) => {
        const bytes = Buffer.alloc(4 + words.length * 4);
        bytes.writeUInt32BE(0x8000_0000 + type * 0x1_0000 + words.length);
        words.forEach((word, index) => bytes.writeUInt32BE(word, 4 + index * 4));
        return bytes;
      });
    const report = fc
      .record({ sender: word32, blocks: fc.array(block, { maxLength: 3 }), padding: fc.constantFrom(0, 4, 8, 252) })
      .map(({ sender, blocks, padding }) => {
        const body = encodeXrBlocks(blocks);
        const bytes = Buffer.alloc(8 + body.length + padding);
        bytes.writeUInt16BE(padding === 0 ? 0x80cf : 0xa0cf);
        bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
        bytes.writeUInt32BE(sender, 4);
        bytes.set(body, 8);
        if (padding > 0) bytes[bytes.length - 1] = padding;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.array(other, { maxLength: 3 }),
        fc.array(report, { minLength: 1, maxLength: 2 }),
        (others, own) => {
          const wire = Buffer.concat([...others, ...own, ...others]);
          const document = JSON.parse(JSON.stringify(xrDocumentFromBytes(wire))) as JsonObject;
          expect(Buffer.from(xrDocumentToBytes(document)).toString('hex')).toBe(wire.toString('hex'));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('and any bytes at all are a document, or refused in a sentence', () => {
    const header = fc.constantFrom([], [0x80, 0xcf], [0xa0, 0xcf, 0, 4], [0x80, 0xc9, 0, 1], [7, 0, 0, 8]);
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 120 }), (start, rest) => {
        const outcome = decodedOrRefused(Uint8Array.of(...start, ...rest));
        expect(outcome).toMatch(/^(blocks|[A-Z][^\n]+\.)$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('and any bytes at all are decoded or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const blocks = decode(bytes);
        // Gmin 0 is null when decoded, and nothing that may be sent.
        if (blocks === undefined || blocks.some((read) => read.kind === 'voip-metrics' && read.gmin === null)) return;
        expect(encodeXrBlocks(blocks).length).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
