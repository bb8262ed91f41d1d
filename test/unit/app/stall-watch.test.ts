import { expect, test } from 'vitest';
import { StallWatch } from '../../../src/app/stall-watch.ts';

test('a second without a sign of life is told once, at its end', () => {
  const watch = new StallWatch(100);
  expect([150, 1149, 2149, 2150, 2200].map((nowMs) => watch.stoodStill(nowMs))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});
