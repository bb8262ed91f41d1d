import { expect } from 'vitest';
import type { AnalysisResult } from '../../../src/capture/capture-analysis.ts';
import type { StreamTruth } from '../../lab/capture-truth.ts';

/** The packets' times are the relay's to about this much: the relay notes the moment after sending. */
const CLOCKS_APART_MS = 0.3;
const PACKET_MS = 20;
const GMIN = 16;

/**
 * Holds what the analysis says of the streams towards the PBX against what the relay's log says. `clocksApartMs`: how far the
 * capture's times may be from the relay's; a busy machine lets the relay wait between sending and noting.
 */
export function expectTruth(
  result: AnalysisResult,
  pbxAddress: string,
  truths: readonly StreamTruth[],
  clocksApartMs = CLOCKS_APART_MS,
): void {
  const towardsPbx = result.streams.filter(({ destination }) => destination.startsWith(`${pbxAddress}:`));
  expect(towardsPbx.map(({ ssrc }) => ssrc)).toEqual(truths.map(({ ssrc }) => ssrc));
  for (const [index, stream] of towardsPbx.entries()) {
    const truth = truths[index];
    if (truth === undefined) continue;
    expect(stream).toMatchObject({
      packetsExpected: truth.expected,
      packetsReceived: truth.received,
      packetsLost: truth.lost.length,
      duplicates: truth.duplicates,
      outOfOrder: truth.outOfOrder,
    });
    expect(Math.abs((stream.jitterMaxMs ?? Number.NaN) - truth.jitterMaxMs)).toBeLessThan(clocksApartMs);
    expect(Math.abs((stream.jitterMeanMs ?? Number.NaN) - truth.jitterMeanMs)).toBeLessThan(clocksApartMs);
    if (stream.discarded !== 0) continue;
    const { bursts, burstPackets, burstLosses } = burstsOf(truth.pattern);
    expect(stream.voipMetrics.burstDensityRatio).toBeCloseTo(burstLosses / Math.max(1, burstPackets), 12);
    expect(stream.voipMetrics.burstDurationMs).toBeCloseTo((burstPackets / Math.max(1, bursts)) * PACKET_MS, 9);
    const gapPackets = truth.expected - burstPackets;
    expect(stream.voipMetrics.gapDensityRatio).toBeCloseTo((truth.lost.length - burstLosses) / gapPackets, 12);
  }
}

/** A regular expression's view of RFC 3611's bursts: losses with fewer than Gmin received packets between them. */
export function burstsOf(pattern: string): { bursts: number; burstPackets: number; burstLosses: number } {
  const stretches = pattern.match(new RegExp(`0(?:1{0,${GMIN - 1}}0)+`, 'g')) ?? [];
  const all = stretches.join('');
  return { bursts: stretches.length, burstPackets: all.length, burstLosses: all.replaceAll('1', '').length };
}
