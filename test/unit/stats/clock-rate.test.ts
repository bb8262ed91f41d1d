import { describe, expect, test } from 'vitest';
import type { SenderInfo } from '../../../src/model/report.ts';
import { clockRateBetween } from '../../../src/stats/clock-rate.ts';

function sr(ntpS: number, rtpTicks: number): SenderInfo {
  return { ntpS, rtpTicks, sentPackets: 0, sentOctets: 0 };
}

describe('clock rate from two SRs', () => {
  test.each([8000, 16_000, 24_000, 32_000, 44_100, 48_000])('%d Hz, 4 % off, is still that rate', (rateHz) => {
    expect(clockRateBetween(sr(100, 1000), sr(105, 1000 + 5 * rateHz * 1.04))).toBe(rateHz);
    expect(clockRateBetween(sr(100, 1000), sr(105, 1000 + 5 * rateHz * 0.96))).toBe(rateHz);
  });

  test('holds across a wrap of the 32-bit timestamp', () => {
    expect(clockRateBetween(sr(7, 4_294_967_000), sr(8, 8000 - 296))).toBe(8000);
  });

  test.each([
    ['a video clock', sr(0, 0), sr(1, 90_000)],
    ['a rate between two standards', sr(0, 0), sr(1, 12_000)],
    ['a stream that stood still', sr(0, 500), sr(5, 500)],
    ['the same moment', sr(3, 0), sr(3, 8000)],
    ['a clock that went back', sr(9, 0), sr(5, 32_000)],
  ])('%s shows none', (_what, earlier, later) => {
    expect(clockRateBetween(earlier, later)).toBeUndefined();
  });
});
