import { expect, test } from 'vitest';
import { StallDetector } from '../../../src/app/state/stall-detector.ts';

test('a second without a sign of life is told once, at its end', () => {
  const watch = new StallDetector(100);
  expect([150, 1149, 2149, 2150, 2200].map((nowMs) => watch.stoodStill(nowMs))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});
