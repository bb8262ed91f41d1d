import { expect, it } from 'vitest';
import {
  countOf,
  IntervalPacker,
  PIECE_INTERVALS,
  unpackIntervals,
  withoutBroken,
  withoutFirst,
} from '../../../src/history/write/packed-intervals.ts';
import { type Cell, INTERVAL_COLUMNS } from '../../../src/history/schema/rows.ts';
import type { IntervalRecord } from '../../../src/model/record.ts';
import { intervalRecord, reportNumbers, START_MS } from './records.ts';

function unpacked(...intervals: readonly IntervalRecord[]): Cell[][] {
  const packer = new IntervalPacker();
  for (const interval of intervals) packer.add(interval);
  return [...unpackIntervals(structuredClone(packer.take()))];
}

it('gives of an interval the cells of its columns, whichever of its values it is that differs', () => {
  const one = intervalRecord('c-1', 1, { beganAtMs: START_MS, nativeMes100: 88.1 });
  // Another interval for each property, in which only that has another value.
  const others = Object.entries(one).map(([property, value]) => ({
    ...one,
    [property]: typeof value === 'number' ? value + 1 : 'another',
  }));
  expect(others).toHaveLength(INTERVAL_COLUMNS.names.length);
  expect(new Set(others.map((other) => JSON.stringify(INTERVAL_COLUMNS.toCells(other)))).size).toBe(others.length);
  expect(unpacked(one, ...others)).toEqual([one, ...others].map((interval) => INTERVAL_COLUMNS.toCells(interval)));
});

it('tells what is not known from nothing, and keeps every digit', () => {
  const known = intervalRecord('c-1', 1);
  const nothing = Object.fromEntries(Object.keys(known).map((property) => [property, null]));
  const exact = intervalRecord('c-1', 2, { rttMs: 0, mes: 0.1 + 0.2, jitterTicks: -0.5, sentNtpS: 2 ** 52 + 0.5 });
  const [ofNothing, ofExact] = unpacked(nothing as unknown as IntervalRecord, exact);
  expect(ofNothing).toEqual(INTERVAL_COLUMNS.names.map(() => null));
  expect(ofExact).toEqual(INTERVAL_COLUMNS.toCells(exact));
  expect(ofExact).toContain(0.300_000_000_000_000_04);
});

it('is full after so many, begins anew once they are taken, and has each of few texts once', () => {
  const packer = new IntervalPacker();
  for (let n = 1; n <= PIECE_INTERVALS; n++) {
    expect(packer.isFull).toBe(false);
    packer.add(intervalRecord(`c-${n % 7}`, n));
  }
  expect(packer.isFull).toBe(true);
  const piece = packer.take();
  expect([packer.count, packer.isFull]).toEqual([0, false]);
  packer.add(intervalRecord('later', 1));
  expect(countOf(piece)).toBe(PIECE_INTERVALS);
  // Seven channels; and direction, reporter, kind, codec, source of the clock rate, profile.
  expect(piece.texts).toHaveLength(13);
  expect(reportNumbers([piece])).toEqual(Array.from({ length: PIECE_INTERVALS }, (_, index) => index + 1));
  expect(reportNumbers([withoutFirst(piece, 248)])).toEqual([249, 250]);
  expect(withoutFirst(piece, 0)).toEqual(piece);
});

it('is told apart from one that lacks what every report has', () => {
  const packer = new IntervalPacker();
  packer.add(intervalRecord('c-1', 1, { codec: null, mes: null, ssrc: null, clockRateSource: null }));
  const whole = packer.take();
  expect(withoutBroken(whole)).toEqual({ whole, lacking: null });
  for (const lacking of ['uniqueid', 'reportNumber', 'atMs', 'duplicates', 'profile']) {
    packer.add(intervalRecord('c-1', 1));
    packer.add({ ...intervalRecord('c-1', 2), [lacking]: null });
    packer.add(intervalRecord('c-1', 3));
    const result = withoutBroken(packer.take());
    expect(reportNumbers([result.whole])).toEqual([1, 3]);
    expect(result.lacking).toBe(lacking.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  }
});
