/** Report blocks byte by byte, by hand after RFC 3611 §4, and what they say. */
import type { XrBlock } from '../../../src/wire/rtcp/rtcp-xr-blocks.ts';
import { decodeXrBlocks } from '../../../src/wire/rtcp/rtcp-xr.ts';
import type { VoipMetricsBlock } from '../../../src/wire/rtcp/rtcp-xr-voip.ts';

export function bytesOf(hexWithSpaces: string): Buffer {
  return Buffer.from(hexWithSpaces.replaceAll(/\s/g, ''), 'hex');
}

export function decode(bytes: Uint8Array): XrBlock[] | undefined {
  return decodeXrBlocks(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

/** Each line's bytes, and what they mean. */
export const VOIP_METRICS = bytesOf(
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

export const VOIP_METRICS_VALUES: VoipMetricsBlock = {
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

export const GOLDEN: readonly (readonly [name: string, hex: string, block: XrBlock])[] = [
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
