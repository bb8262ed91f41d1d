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
