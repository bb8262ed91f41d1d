import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectTruth } from './against-truth.ts';
import { analyseFile } from './captured.ts';
import { goldenPcaps } from './golden-pcap.ts';

describe.each(goldenPcaps())('a real call: $name', ({ path, pbxAddress, truth, name }) => {
  const result = analyseFile(readFileSync(path));

  test('is what the relay did', () => {
    expect(truth.length).toBe(1);
    expectTruth(result, pbxAddress, truth);
  });

  test('has both directions, their RTCP and the round trip that the relay made', () => {
    expect(result.streams.length).toBe(2);
    expect(result).toMatchObject({ skippedPackets: 0, rtcp: { unmatchedReports: 0 } });
    // bursty: 30 + 30 ms; shuffled: 20 ms and up to 25 more, 50 ms back.
    const [least, most] = name.includes('bursty') ? [59, 64] : [70, 98];
    for (const stream of result.streams) {
      expect(stream.senderReports).toBeGreaterThanOrEqual(7);
      expect(stream.receiverReports).toBeGreaterThanOrEqual(6);
      expect(stream.voipMetrics.roundTripDelayMs).toBeGreaterThan(least);
      expect(stream.voipMetrics.roundTripDelayMs).toBeLessThan(most);
      expect(stream.clockRateHz).toBe(8000);
      expect(stream.codec).toBe(name.includes('bursty') ? 'ulaw' : 'g722');
    }
  });

  test('stays small', () => {
    expect(statSync(path).size).toBeLessThan(300_000);
  });
});
