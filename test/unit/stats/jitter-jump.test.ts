import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJitterOfJump, type JitterMoment } from '../../../src/stats/jitter-jump.ts';

function moment(of: Partial<JitterMoment>): JitterMoment {
  return { jitterMs: 5, meanMs: 5, refusedMs: null, packetsReceived: 50, isNetworkIll: false, ...of };
}

describe('jitter of one report', () => {
  test.each<[string, Partial<JitterMoment>, boolean]>([
    ['the usual', {}, false],
    ['20 times the usual, but small', { jitterMs: 150 }, false],
    ['200 ms, but less than 20 times the usual', { jitterMs: 600, meanMs: 40 }, false],
    ['both', { jitterMs: 220, meanMs: 10 }, true],
    ['both, while the network is ill', { jitterMs: 220, meanMs: 10, isNetworkIll: true }, false],
    ['more than 1 s', { jitterMs: 1001, meanMs: 400 }, true],
    ['more than 1 s in the very first report', { jitterMs: 1001, meanMs: null }, true],
    ['300 ms in the very first report', { jitterMs: 300, meanMs: null }, false],
    ['more than 1 s while the network is ill', { jitterMs: 3000, isNetworkIll: true }, false],
    ['what no network can do', { jitterMs: 17_287_719, isNetworkIll: true }, true],
  ])('%s', (_what, of, isJump) => {
    expect(isJitterOfJump(moment(of))).toBe(isJump);
  });

  test('that stays is the network: the second report of a kind counts', () => {
    expect(isJitterOfJump(moment({ jitterMs: 300 }))).toBe(true);
    // A.8 would have left 300 · (15/16)^50 = 11.9 ms of a jump.
    expect(isJitterOfJump(moment({ jitterMs: 290, refusedMs: 300 }))).toBe(false);
    expect(isJitterOfJump(moment({ jitterMs: 14, refusedMs: 300 }))).toBe(true);
    expect(isJitterOfJump(moment({ jitterMs: 5, refusedMs: 14 }))).toBe(false);
  });

  test('is refused after a jump for as long as A.8 keeps any of it, and no longer, at any pace', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1100, max: 1e7, noNaN: true }),
        fc.double({ min: 0.5, max: 10, noNaN: true }),
        fc.integer({ min: 10, max: 500 }),
        (jumpMs, usualMs, packetsReceived) => {
          let refusedMs: number | null = null;
          let jitterMs = usualMs + jumpMs;
          let refused = 0;
          for (; refused < 100; refused++) {
            if (!isJitterOfJump(moment({ jitterMs, meanMs: usualMs, refusedMs, packetsReceived }))) break;
            refusedMs = jitterMs;
            // RFC 3550 A.8: J += (|D| - J) / 16.
            for (let packet = 0; packet < packetsReceived; packet++) jitterMs += (usualMs - jitterMs) / 16;
          }
          expect(refused).toBeGreaterThan(0);
          // What is taken then is what it was before, to some twice the jitter that is usual.
          expect(jitterMs).toBeGreaterThanOrEqual(usualMs - 1e-9);
          expect(jitterMs).toBeLessThan(2 * Math.max(usualMs, 1) + usualMs);
        },
      ),
    );
  });

  test('that rises by itself is never refused', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 40, noNaN: true }), fc.integer({ min: 8, max: 60 }), (firstMs, steps) => {
        let sumMs = 0;
        for (let step = 0; step < steps; step++) {
          const jitterMs = firstMs + ((300 - firstMs) * step) / (steps - 1);
          const meanMs = step === 0 ? null : sumMs / step;
          expect(isJitterOfJump(moment({ jitterMs, meanMs }))).toBe(false);
          sumMs += jitterMs;
        }
      }),
    );
  });
});
