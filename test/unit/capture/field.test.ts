import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnalysisResult } from '../../../src/capture/capture-analysis.ts';
import { analyseFile, onlyStream } from './captured.ts';

const FIELD = join(import.meta.dirname, '../../golden/field');

function analysed(name: string): AnalysisResult {
  return analyseFile(readFileSync(join(FIELD, name)));
}

describe('packets that were captured twice', () => {
  test('on two interfaces, cooked v1: the jitter is that of the packets captured once', () => {
    const stream = onlyStream(analysed('sll1-any-twice-12c.pcap'));
    expect(stream).toMatchObject({ packetsReceived: 400, packetsExpected: 400, duplicates: 400, outOfOrder: 0 });
    // tshark of span-once-12b.pcap; of the doubled one it says 2.030 and 3.296, for every copy comes without delay.
    expect(stream.jitterMeanMs).toBeCloseTo(3.964, 3);
    expect(stream.jitterMaxMs).toBeCloseTo(5.436, 3);
    expect(onlyStream(analysed('span-once-12b.pcap'))).toMatchObject({
      jitterMeanMs: stream.jitterMeanMs,
      jitterMaxMs: stream.jitterMaxMs,
      maxGapMs: stream.maxGapMs,
      duplicates: 0,
      packetsReceived: 400,
    });
  });

  test('on two interfaces of a pcapng', () => {
    expect(onlyStream(analysed('two_ifaces.pcapng'))).toMatchObject({
      packetsReceived: 236,
      packetsLost: 0,
      duplicates: 236,
      outOfOrder: 0,
    });
  });
});

describe('after a few packets of a dynamic payload type', () => {
  test('a gap of 200 packets throws nothing away', () => {
    expect(onlyStream(analysed('opus_gap15.pcap'))).toMatchObject({ packetsReceived: 100, packetsLost: 200 });
  });

  test('an early duplicate throws nothing away', () => {
    expect(onlyStream(analysed('opus_dup15.pcap'))).toMatchObject({
      packetsReceived: 100,
      packetsLost: 0,
      duplicates: 1,
    });
  });
});

describe('inside a tunnel', () => {
  test.each([
    ['vxlan-01.pcap', '192.0.2.10:16500', 197],
    ['ipip-03.pcap', '192.0.2.10:16500', 197],
    ['turn-channeldata-16.pcap', '198.51.100.50:3478', 197],
  ])('%s', (name, source, packets) => {
    const result = analysed(name);
    expect(onlyStream(result)).toMatchObject({ source, codec: 'ulaw', packetsReceived: packets, packetsLost: 3 });
    expect(result).toMatchObject({ packets, skippedPackets: 0 });
  });

  test('two VLAN tags of both kinds', () => {
    expect(analysed('qinq-04.pcap').streams).toMatchObject([
      { source: '192.0.2.10:16500', packetsReceived: 197, packetsLost: 3 },
      { source: '192.0.2.10:16502', packetsReceived: 197, packetsLost: 0 },
    ]);
  });
});

describe('SIP that is not in one datagram', () => {
  test.each(['sip-whole-05b.pcap', 'sip-tcp-06.pcap', 'sip-fragmented-05.pcap'])('%s', (name) => {
    const result = analysed(name);
    const stream = onlyStream(result);
    expect(stream).toMatchObject({ codec: 'opus', clockRateHz: 48_000, packetsReceived: 296, packetsLost: 4 });
    // G.107 with the seed's ie 16 and bpl 17: 4 of 300 lost, one by one and two together.
    expect(stream.score?.mosLq).toBeCloseTo(4.26, 2);
    expect(result).toMatchObject({ sipMessages: 2, skippedPackets: 0 });
  });
});

describe('what begins as RTCP does', () => {
  test('DNS is no malformed RTCP', () => {
    const result = analysed('dns.pcap');
    expect(result.streams).toEqual([]);
    expect(result.skipped).toMatchObject({ notMedia: 8, rtcpMalformed: 0, rtcpEncrypted: 0 });
  });

  test('a padded XR in a compound is one', () => {
    const result = analysed('xr_pad1.pcap');
    const stream = onlyStream(result);
    expect(result.rtcp).toMatchObject({ packets: 2, duplicates: 0 });
    expect(stream.receiverReports).toBe(2);
    expect(stream.xrBlocks).toHaveLength(2);
    expect(result.skippedPackets).toBe(0);
  });
});
