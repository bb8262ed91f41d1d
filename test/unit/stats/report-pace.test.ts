import { expect, test } from 'vitest';
import { nextReportPace, slowestReportPace } from '../../../src/stats/report-pace.ts';

function paceAfter(...gapsMs: number[]): number | null {
  return gapsMs.reduce<number | null>((paceMs, gapMs) => nextReportPace(paceMs, gapMs), null);
}

test('a pace is what the first gap shows, and follows a longer one at once and shorter ones soon', () => {
  expect(paceAfter()).toBeNull();
  expect(paceAfter(5000)).toBe(5000);
  expect(paceAfter(1000, 1000, 20_000)).toBe(20_000);
  expect(paceAfter(5000, 1000)).toBe(3000);
  expect(paceAfter(5000, ...Array.from({ length: 10 }, () => 1000))).toBeCloseTo(1000, -1);
  expect(paceAfter(1000, 3_600_000)).toBe(60_000);
});

test('reports that were held up and came together are no pace', () => {
  expect(paceAfter(5000, 20, 0, 399)).toBe(5000);
  expect(paceAfter(3)).toBeNull();
});

test('the slowest pace is heard at once and forgotten slowly', () => {
  expect(slowestReportPace(5000, 20_000)).toBe(20_000);
  expect(slowestReportPace(20_000, 5000)).toBe(19_850);
  let slowestMs = 20_000;
  for (let report = 0; report < 500; report++) slowestMs = slowestReportPace(slowestMs, 1000);
  expect(slowestMs).toBeGreaterThan(1000);
  expect(slowestMs).toBeLessThan(1200);
});
