import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type XrBlock, decodeXrBlocks, encodeXrBlocks } from '../../../src/wire/rtcp-xr.ts';
import { type Json, xrBlockFromJson, xrBlockToJson } from '../../../src/wire/rtcp-xr-json.ts';
import { type VoipMetricsBlock, ratioToQ8 } from '../../../src/wire/rtcp-xr-voip.ts';

function bytesOf(hexWithSpaces: string): Buffer {
  return Buffer.from(hexWithSpaces.replaceAll(/\s/g, ''), 'hex');
}

function decode(bytes: Uint8Array): XrBlock[] | undefined {
  return decodeXrBlocks(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

/** Each line's bytes, and what they mean. */
const VOIP_METRICS = bytesOf(
  '07' + // block type 7
    '00' + // reserved
    '0008' + // eight words follow
    'deadbeef' + // SSRC of source
    '1a' + // loss rate 26/256: 10 %
    '0d' + // discard rate 13/256: 5 %
    '80' + // burst density 128/256: half of the packets in bursts
    '05' + // gap density 5/256: 2 %
    '0078' + // bursts of 120 ms
    '012c' + // gaps of 300 ms
    '0096' + // round trip 150 ms
    '0050' + // end system 80 ms
    'c5' + // signal level -59 dBm
    'b0' + // noise level -80 dBm
    '37' + // RERL 55 dB
    '10' + // Gmin 16
    '5d' + // R factor 93
    '7f' + // external R factor: unavailable
    '2b' + // MOS-LQ 4.3
    '29' + // MOS-CQ 4.1
    'f5' + // RX config: PLC 11 standard, JBA 11 adaptive, JB rate 5
    '00' + // reserved
    '003c' + // jitter buffer nominal 60 ms
    '0078' + // its maximum 120 ms
    '00f0', // its absolute maximum 240 ms
);

const VOIP_METRICS_VALUES: VoipMetricsBlock = {
  kind: 'voip-metrics',
  ssrc: 0xdead_beef,
  lossRateQ8: 26,
  discardRateQ8: 13,
  burstDensityQ8: 128,
  gapDensityQ8: 5,
  burstDurationMs: 120,
  gapDurationMs: 300,
  roundTripDelayMs: 150,
  endSystemDelayMs: 80,
  signalLevelDbm: -59,
  noiseLevelDbm: -80,
  rerlDb: 55,
  gmin: 16,
  rFactor: 93,
  extRFactor: null,
  mosLq: 4.3,
  mosCq: 4.1,
  plc: 3,
  jba: 3,
  jbRate: 5,
  jbNominalMs: 60,
  jbMaximumMs: 120,
  jbAbsMaxMs: 240,
};

const GOLDEN: readonly (readonly [name: string, hex: string, block: XrBlock])[] = [
  [
    'loss RLE',
    '01 02 0004' + // block type 1, thinning 2, four words follow
      '00000001 0064 00c8' + // SSRC 1, from 100 to 200
      '4014' + // a run of 20 ones: received
      '0003' + // a run of 3 zeros: lost
      'ffff' + // 15 packets bit by bit, all received
      '0000', // padding
    {
      kind: 'loss-rle',
      thinning: 2,
      ssrc: 1,
      beginSequence: 100,
      endSequence: 200,
      chunks: [
        { kind: 'run', value: 1, length: 20 },
        { kind: 'run', value: 0, length: 3 },
        { kind: 'bits', bits: 0x7fff },
        { kind: 'null' },
      ],
    },
  ],
  [
    'duplicate RLE',
    '02 00 0003 00000001 fffe 0002 8001 0000', // across the wrap: 65534 to 2; only the last of 15 came twice
    {
      kind: 'duplicate-rle',
      thinning: 0,
      ssrc: 1,
      beginSequence: 65_534,
      endSequence: 2,
      chunks: [{ kind: 'bits', bits: 1 }, { kind: 'null' }],
    },
  ],
  [
    'packet receipt times',
    '03 0f 0004 00000001 000a 000c 000000a0 ffffffff', // thinning 15, two packets
    {
      kind: 'receipt-times',
      thinning: 15,
      ssrc: 1,
      beginSequence: 10,
      endSequence: 12,
      receiptTicks: [160, 0xffff_ffff],
    },
  ],
  [
    'receiver reference time',
    '04 00 0002 e5a0c0de 80000000', // half a second past
    { kind: 'reference-time', ntpSeconds: 0xe5a0_c0de, ntpFraction: 0x8000_0000 },
  ],
  [
    'DLRR',
    '05 00 0006 00000001 c0de8000 00010000 00000002 00000000 00000000', // a second ago; and a receiver without an LRR
    {
      kind: 'delay',
      reports: [
        { ssrc: 1, lrrNtp32: 0xc0de_8000, dlrrNtp32: 65_536 },
        { ssrc: 2, lrrNtp32: 0, dlrrNtp32: 0 },
      ],
    },
  ],
  [
    'statistics summary, everything measured',
    '06 e8 0009' + // L, D and J set, ToH 01: IPv4
      '00000001 0000 0100' + // SSRC 1, from 0 to 256
      '00000005 00000006' + // lost 5, duplicated 6
      '00000001 00000064 0000000a 00000014' + // jitter: least 1, most 100, mean 10, deviation 20
      '3c 40 3e 01', // TTL: least 60, most 64, mean 62, deviation 1
    {
      kind: 'summary',
      ssrc: 1,
      beginSequence: 0,
      endSequence: 256,
      lostPackets: 5,
      duplicatePackets: 6,
      jitterTicks: { min: 1, max: 100, mean: 10, deviation: 20 },
      hops: { ipVersion: 4, min: 60, max: 64, mean: 62, deviation: 1 },
    },
  ],
  [
    'statistics summary, nothing measured but hops of IPv6',
    '06 10 0009 00000001 0000 0100 00000000 00000000 00000000 00000000 00000000 00000000 01 02 03 04',
    {
      kind: 'summary',
      ssrc: 1,
      beginSequence: 0,
      endSequence: 256,
      lostPackets: null,
      duplicatePackets: null,
      jitterTicks: null,
      hops: { ipVersion: 6, min: 1, max: 2, mean: 3, deviation: 4 },
    },
  ],
  ['VoIP metrics', VOIP_METRICS.toString('hex'), VOIP_METRICS_VALUES],
  [
    'a type of a later standard',
    '0e 03 0001 01020304',
    { kind: 'unknown', blockType: 14, typeSpecific: 3, bytes: Uint8Array.of(1, 2, 3, 4) },
  ],
];

describe('golden blocks', () => {
  test.each(GOLDEN)('%s', (_, hex, block) => {
    expect(decode(bytesOf(hex))).toEqual([block]);
    expect(Buffer.from(encodeXrBlocks([block])).toString('hex')).toBe(bytesOf(hex).toString('hex'));
    const json = JSON.parse(JSON.stringify(xrBlockToJson(block))) as Json;
    expect(xrBlockFromJson(json)).toEqual(block);
  });

  test('all of them in one report', () => {
    const bytes = Buffer.concat(GOLDEN.map(([, hex]) => bytesOf(hex)));
    expect(decode(bytes)).toEqual(GOLDEN.map(([, , block]) => block));
    expect(bytes.subarray(-44, -8)).toEqual(VOIP_METRICS);
    expect(VOIP_METRICS.length).toBe(36);
  });

  test('what nobody knows has its own value in every field', () => {
    const unknown: VoipMetricsBlock = {
      ...VOIP_METRICS_VALUES,
      roundTripDelayMs: null,
      endSystemDelayMs: null,
      signalLevelDbm: null,
      noiseLevelDbm: null,
      rerlDb: null,
      rFactor: null,
      mosLq: null,
      mosCq: null,
      plc: null,
      jba: null,
      jbRate: null,
    };
    const bytes = Buffer.from(encodeXrBlocks([unknown]));
    expect(bytes.toString('hex', 16, 32)).toBe('000000007f7f7f107f7f7f7f0000003c');
    expect(decode(bytes)).toEqual([unknown]);
    expect(xrBlockToJson(unknown)).toMatchObject({ r_factor: null, mos_lq: null, rx_config: { plc: null, jba: null } });
  });
});

test('ratios as fractions of 256 saturate at 255', () => {
  expect([0, 0.001, 0.1, 0.5, 255 / 256, 0.999, 1, 1.5, -0.1].map(ratioToQ8)).toEqual([
    0, 0, 25, 128, 255, 255, 255, 255, 0,
  ]);
});

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
      gmin: byte,
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

  test('and any bytes at all are decoded or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const blocks = decode(bytes);
        if (blocks === undefined) return;
        expect(encodeXrBlocks(blocks).length).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bad input', () => {
  test('lengths that do not add up', () => {
    for (const hex of [
      '07',
      '0700',
      '07000008',
      `${VOIP_METRICS.toString('hex')}00`,
      VOIP_METRICS.toString('hex').slice(2),
    ]) {
      expect(decode(bytesOf(hex))).toBeUndefined();
    }
  });

  test('a known type of a wrong length is kept as bytes', () => {
    expect(decode(bytesOf('07000001deadbeef'))).toEqual([
      { kind: 'unknown', blockType: 7, typeSpecific: 0, bytes: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) },
    ]);
  });

  test('values that do not fit their field name it', () => {
    const encode = (changes: Partial<VoipMetricsBlock>) => () =>
      encodeXrBlocks([{ ...VOIP_METRICS_VALUES, ...changes }]);
    expect(encode({ jbNominalMs: 65_536 })).toThrow(
      'jb_nominal_ms is 65536; it must be a whole number from 0 to 65535.',
    );
    expect(encode({ signalLevelDbm: -129 })).toThrow('signal_level_dbm is -129');
    expect(encode({ plc: 4 })).toThrow('plc is 4; it must be a whole number from 0 to 3.');
    expect(encode({ lossRateQ8: 0.1 })).toThrow('loss_rate is 0.1');
    expect(encode({ mosLq: 26 })).toThrow('mos_lq × 10 is 260');
    expect(() => xrBlockFromJson({ block_type: 9 })).toThrow('block_type is 9');
    expect(() => xrBlockFromJson(null)).toThrow('A block must be a JSON object.');
    expect(() => xrBlockFromJson({ block_type: 7, ssrc: 'x' })).toThrow('ssrc must be an SSRC');
    expect(() => xrBlockFromJson({ block_type: 4 })).toThrow('ntp_seconds must be a number.');
  });
});
