import { expect, test } from 'vitest';
import { FloodWatch } from '../../../src/app/flood-watch.ts';

test('more than ten events a millisecond since the last look are a flood', () => {
  const watch = new FloodWatch(1000);
  const after = (events: number, nowMs: number): boolean => {
    for (let event = 0; event < events; event++) watch.noteEvent();
    return watch.isFlood(nowMs);
  };
  expect(after(500, 1050)).toBe(false);
  expect(after(501, 1100)).toBe(true);
  expect(after(501, 1250)).toBe(false);
  expect(after(0, 1300)).toBe(false);
});
