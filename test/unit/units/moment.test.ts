import { describe, expect, test } from 'vitest';
import { momentMs, parseMoment } from '../../../src/units/moment.ts';

/** 2026-11-20T10:00:00Z, by hand: 20,777 days after 1970-01-01 (56 years, 14 of them leap, then 323 days), and ten hours. */
const TEN_O_CLOCK_MS = (20_777 * 24 + 10) * 3_600_000;

describe('a moment', () => {
  test.each([
    ['2026-11-20T10:00:00Z', 0],
    ['2026-11-20T10:00:00', 0],
    ['2026-11-20T10:00', 0],
    ['2026-11-20T10:00Z', 0],
    ['2026-11-20', -10 * 3_600_000],
    ['2026-11-20T10:00:00.250Z', 250],
    ['2026-11-20T11:30:00+01:30', 0],
    ['2026-11-20T11:30:00 01:30', 0],
    ['2026-11-20T05:00:00-05:00', 0],
    ['2024-02-29', (19_782 * 24 - (20_777 * 24 + 10)) * 3_600_000],
  ])('%s is a time', (text, afterMs) => {
    expect(parseMoment(text)).toEqual({ atMs: TEN_O_CLOCK_MS + afterMs });
  });

  test.each([
    ['-1h', 3_600_000],
    ['-30m', 1_800_000],
    ['-7d', 604_800_000],
  ])('%s is so long ago', (text, agoMs) => {
    expect(parseMoment(text)).toEqual({ agoMs });
    expect(momentMs({ agoMs }, TEN_O_CLOCK_MS)).toBe(TEN_O_CLOCK_MS - agoMs);
  });

  test.each([
    '',
    'yesterday',
    '-',
    '-0h',
    '2026-02-29',
    '2026-02-30T10:00:00Z',
    '2026-13-01',
    '2026-11-20T24:00:00Z',
    '2026-11-20T10:60:00Z',
    '2026-11-20T10:00:60Z',
    '2026-11-20T10Z',
    '2026-11-20Z',
    '2026-11-20T10:00:00+24:00',
    '2026-11-20T10:00:00+0100',
    '20-11-2026',
    '2026-11-20 10:00:00',
    '2026-11-20T10:00:00Z ',
  ])('%j is none', (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });
});
