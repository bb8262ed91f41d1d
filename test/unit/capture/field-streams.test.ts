import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnalysisResult } from '../../../src/capture/capture-analysis.ts';
import type { StreamSummary } from '../../../src/capture/streams/stream-summary.ts';
import { analysisToJson } from '../../../src/cli/packets/analyze-json.ts';
import { analyse, analyseFile, call, onlyStream, range } from './captured.ts';

const FIELD = join(import.meta.dirname, '../../golden/field');

function analysed(name: string): AnalysisResult {
  return analyseFile(readFileSync(join(FIELD, name)));
}

/** Every packet arrived, and in time. */
function expectPerfect(stream: StreamSummary, packets: number): void {
  expect(stream).toMatchObject({
    packetsReceived: packets,
    packetsLost: 0,
    duplicates: 0,
    outOfOrder: 0,
    discarded: 0,
  });
  // The captures' times are whole microseconds.
  expect(stream.jitterMaxMs).toBeLessThan(0.01);
  expect(stream.frames10ms).toEqual({ normal: packets * 2, plc: 0, cng: 0, silence: 0 });
}

/** G.711 without loss: R is 93.25 less 0.15 of listener echo, and the opinion of that is 4.4092 (G.107 Annex B). */
function expectBestG711({ score }: StreamSummary): void {
  expect(score?.rCq).toBeCloseTo(93.1, 6);
  expect(score?.mosLq).toBeCloseTo(4.41, 2);
}

describe('an RTP clock that no network moved', () => {
  test('jumps three times: no jitter, no silence', () => {
    const stream = onlyStream(analysed('timestamp-jumps-07.pcap'));
    expectPerfect(stream, 400);
    expectBestG711(stream);
    expect(stream.maxGapMs).toBeCloseTo(20, 2);
  });

  test('restarts once, without a marker', () => {
    const stream = onlyStream(analysed('ts_restart_m0.pcap'));
    expectPerfect(stream, 1000);
    expectBestG711(stream);
    expect(stream.maxGapMs).toBeCloseTo(20, 2);
  });
});

describe('the clock of a dynamic payload type', () => {
  test('is the slope of RTP time over arrival: packets at 14 and 26 ms in turn', () => {
    const stream = onlyStream(analysed('opus_14_26.pcap'));
    expect(stream).toMatchObject({ clockRateHz: 48_000, clockRateSource: 'measured', clockNote: null, codec: null });
    expect(stream).toMatchObject({ packetsReceived: 500, packetsLost: 0, discarded: 0, score: null });
    // Every difference in transit is 6 ms, so A.8 goes to 6 ms as 1 - (15/16)^n.
    expect(stream.jitterMaxMs).toBeCloseTo(6, 2);
    const mean = 6 - (6 * 15 * (1 - (15 / 16) ** 499)) / 499;
    expect(stream.jitterMeanMs).toBeCloseTo(mean, 2);
  });

  test('is each payload type’s own: alaw, then 48 kHz', () => {
    const stream = onlyStream(analysed('alaw_to_opus.pcap'));
    expectPerfect(stream, 1000);
    expect(stream.segments).toMatchObject([
      { payloadType: 8, packetsReceived: 50, format: { codec: 'alaw', clockRateHz: 8000, clockRateSource: 'static' } },
      {
        payloadType: 96,
        packetsReceived: 950,
        format: { codec: null, clockRateHz: 48_000, clockRateSource: 'measured' },
      },
    ]);
    // No impairment factors are known of the longer part.
    expect(stream.score).toBeNull();
  });

  test('is what the packets show where the sender does not keep to its codec’s, and that is said', () => {
    const stream = onlyStream(analysed('opus-clock8k-09.pcap'));
    expectPerfect(stream, 300);
    expect(stream).toMatchObject({ codec: 'opus', clockRateHz: 8000, clockRateSource: 'measured' });
    expect(stream.clockNote).toMatch(
      /^The sender's RTP clock runs at 8000 Hz, which is not that of opus \(48000 Hz\);/,
    );
    expect(stream.score?.mosLq).toBeCloseTo(4.4, 1);
  });
});

describe('a codec change under one SSRC', () => {
  test('Opus, then PCMU: two segments, nothing lost or late', () => {
    const stream = onlyStream(analysed('codec-change-13.pcap'));
    expectPerfect(stream, 400);
    expect(stream.segments).toMatchObject([
      { packetsReceived: 200, packetsExpected: 200, discarded: 0, format: { codec: 'opus', clockRateHz: 48_000 } },
      { packetsReceived: 200, packetsExpected: 200, discarded: 0, format: { codec: 'ulaw', clockRateHz: 8000 } },
    ]);
    for (const segment of stream.segments) expect(segment.jitterMaxMs).toBeLessThan(0.01);
    const [opus, ulaw] = stream.segments;
    expect((opus?.lastAtMs ?? 0) - (opus?.firstAtMs ?? 0)).toBeCloseTo(199 * 20, 0);
    expect((ulaw?.firstAtMs ?? 0) - (opus?.lastAtMs ?? 0)).toBeCloseTo(20, 0);
  });

  test('G.722, then PCMU, on the same clock', () => {
    const stream = onlyStream(analysed('g722-to-pcmu-13b.pcap'));
    expectPerfect(stream, 400);
    expect(stream.segments.map(({ format, packetsReceived }) => [format.codec, packetsReceived])).toEqual([
      ['g722', 100],
      ['ulaw', 300],
    ]);
    // A quarter of it at R 88.1, the rest at 93.1.
    expect(stream.score?.rCq).toBeCloseTo(91.85, 6);
  });
});

test('digits with a header extension are no audio, with or without', () => {
  for (const name of ['dtmf-extension-08.pcap', 'dtmf-plain-08b.pcap']) {
    const stream = onlyStream(analysed(name));
    expectPerfect(stream, 300);
    expectBestG711(stream);
    expect(stream.segments.length).toBe(1);
  }
});

test('a port that the next call uses again: two sessions, nothing lost', () => {
  const { streams } = analysed('port-reuse-near-14b.pcap');
  expect(streams.length).toBe(2);
  for (const stream of streams) {
    expectPerfect(stream, 500);
    expectBestG711(stream);
  }
  expect((streams[1]?.firstAtMs ?? 0) - (streams[0]?.lastAtMs ?? 0)).toBeGreaterThan(50_000);
});

test('the first packet comes third: none is lost', () => {
  const stream = onlyStream(analysed('first-late-10.pcap'));
  expect(stream).toMatchObject({ packetsReceived: 200, packetsExpected: 200, packetsLost: 0, duplicates: 0 });
});

test('reports with and without a block are read', () => {
  const result = analysed('sr-sdes-15.pcap');
  expect(result.streams.length).toBe(2);
  expect(result.rtcp).toMatchObject({ packets: 10, unmatchedReports: 0 });
  for (const stream of result.streams) expectPerfect(stream, 300);
});

test('a padded extended report is part of its compound packet', () => {
  const result = analysed('xr_pad1.pcap');
  expect(result.rtcp.packets).toBe(2);
  expect(result.skipped.rtcpMalformed).toBe(0);
  const stream = onlyStream(result);
  expect(stream.receiverReports).toBe(2);
  expect(stream.xrBlocks.map(({ kind }) => kind)).toEqual(['voip-metrics', 'voip-metrics']);
});

test('a quarter of a call lost in one piece: R is shown as 0, since nothing is less, and the burst as long as it was', () => {
  // As loss_1burst24.pcap of the field: 3000 packets, 720 of them missing in a row.
  const result = analyse(call([...range(0, 1140), ...range(1860, 3000)]));
  const { streams } = JSON.parse([...analysisToJson(result)].join('')) as { streams: Record<string, unknown>[] };
  expect(streams).toMatchObject([
    { packets_received: 2280, packets_lost: 720, r_lq: 0, r_cq: 0, mos_lq: 1, mos_cq: 1 },
  ]);
  expect(streams[0]?.['voip_metrics']).toMatchObject({ loss_rate: 0.24, burst_duration_ms: 14_400, burst_density: 1 });
});
