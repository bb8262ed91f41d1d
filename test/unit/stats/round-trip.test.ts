import { describe, expect, test } from 'vitest';
import type { RtcpReport } from '../../../src/model/report.ts';
import { roundTripSample } from '../../../src/stats/round-trip.ts';

function report(rttMs: number, lsrNtp32: number): RtcpReport {
  return {
    reporter: 'remote',
    rttMs,
    block: {
      sourceSsrc: 1,
      fractionLostQ8: 0,
      cumulativeLostPackets: 0,
      extendedHighestSequence: 1,
      jitterTicks: 0,
      lsrNtp32,
      dlsrS: 0,
    },
  };
}

describe('round-trip sample', () => {
  test('is taken when the block answers an SR of ours', () => {
    expect(roundTripSample(report(104.2, 77), 0)).toEqual({ rttMs: 104.2 });
    expect(roundTripSample(report(0, 77), 3)).toEqual({ rttMs: 0 });
    expect(roundTripSample(report(10_000, 77), 0)).toEqual({ rttMs: 10_000 });
  });

  test.each([
    ['LSR 0 repeats an old value', report(104.2, 0)],
    ['0 exactly before any sample', report(0, 77)],
    ['above 10 s is a clock step', report(10_000.1, 77)],
  ])('%s: refused', (_why, remote) => {
    expect(roundTripSample(remote, 0)).toBe('refused');
  });

  test('a local report has none, and nothing is refused when nothing was claimed', () => {
    expect(roundTripSample({ ...report(5, 77), reporter: 'local' }, 0)).toBe('none');
    expect(roundTripSample(report(0, 0), 0)).toBe('none');
    expect(roundTripSample({ reporter: 'remote', rttMs: 5 }, 0)).toBe('none');
  });
});
