import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeEModel } from '../../../src/score/e-model.ts';

const CODECS = ['ulaw', 'g722', 'g729', 'opus', 'ilbc', 'isac', 'g723', 'amr', 'gsm', 'g726'] as const;

describe('E-model', () => {
  // Worked from G.107 §7.4, §7.5 and Annex B, without this code.
  test.each([
    { codec: 'G.711', loss: 1, rtt: 0, rLq: 84.614, rCq: 84.464, mosLq: 4.186, mosCq: 4.181 },
    { codec: 'G.722', loss: 3, rtt: 150, rLq: 61.517, rCq: 61.367, mosLq: 3.178, mosCq: 3.171 },
    { codec: 'G.729', loss: 5, rtt: 300, rLq: 65.542, rCq: 65.228, mosLq: 3.382, mosCq: 3.366 },
    { codec: 'iSAC', loss: 10, rtt: 600, rLq: 72.5, rCq: 57.589, mosLq: 2.902, mosCq: 2.297 },
  ])('$codec with $loss % loss and a round trip of $rtt ms', ({ codec, loss, rtt, rLq, rCq, mosLq, mosCq }) => {
    const score = computeEModel({ codec, lossPercent: loss, rttMs: rtt });
    expect(score?.rLq).toBeCloseTo(rLq, 3);
    expect(score?.rCq).toBeCloseTo(rCq, 3);
    expect(score?.mosLq).toBeCloseTo(mosLq, 3);
    expect(score?.mosCq).toBeCloseTo(mosCq, 3);
  });

  // The best values in Genesys SIP Endpoint SDK, "Audio statistics and MOS Calculation".
  test.each([
    ['ulaw', 93, 4.4],
    ['g722', 88, 4.3],
    ['g729', 83, 4.1],
    ['opus', 93, 4.4],
    ['ilbc', 83, 4.1],
    ['isac', 120, 4.4],
  ])('the best of %s is R %d and MOS %d', (codec, best, mos) => {
    const score = computeEModel({ codec, lossPercent: 0 });
    expect(Math.floor(score?.rLq ?? 0)).toBe(best);
    expect(Number(score?.mosLq.toFixed(1))).toBe(mos);
  });

  test('a codec goes by many names, and one without factors gets no score', () => {
    expect(computeEModel({ codec: 'PCMA', lossPercent: 2 })).toEqual(computeEModel({ codec: 'ulaw', lossPercent: 2 }));
    expect(computeEModel({ codec: 'speex', lossPercent: 0 })).toBeUndefined();
    expect(computeEModel({ codec: '__proto__', lossPercent: 0 })).toBeUndefined();
    expect(computeEModel({ codec: 'constructor', lossPercent: 0 })).toBeUndefined();
  });

  test('an advantage is added as it is', () => {
    const plain = computeEModel({ codec: 'ulaw', lossPercent: 5 });
    expect((computeEModel({ codec: 'ulaw', lossPercent: 5, advantage: 10 })?.rLq ?? 0) - (plain?.rLq ?? 0)).toBeCloseTo(
      10,
      9,
    );
  });

  test('more loss, burstier loss or more delay never raises a score', () => {
    const loss = fc.double({ min: 0, max: 100, noNaN: true });
    const rtt = fc.double({ min: 0, max: 3000, noNaN: true });
    const burst = fc.double({ min: 1, max: 20, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...CODECS),
        loss,
        loss,
        rtt,
        rtt,
        burst,
        burst,
        (codec, lossA, lossB, rttA, rttB, burstA, burstB) => {
          const better = computeEModel({
            codec,
            lossPercent: Math.min(lossA, lossB),
            rttMs: Math.min(rttA, rttB),
            burstR: Math.min(burstA, burstB),
          });
          const worse = computeEModel({
            codec,
            lossPercent: Math.max(lossA, lossB),
            rttMs: Math.max(rttA, rttB),
            burstR: Math.max(burstA, burstB),
          });
          expect(worse?.mosLq).toBeLessThanOrEqual((better?.mosLq ?? 0) + 1e-9);
          expect(worse?.mosCq).toBeLessThanOrEqual((better?.mosCq ?? 0) + 1e-9);
          expect(worse?.mosCq).toBeGreaterThanOrEqual(1);
          expect(better?.mosLq).toBeLessThanOrEqual(4.5);
        },
      ),
    );
  });
});
