import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MadeBlock } from '../made-channel.ts';
import { expectGood, from, MANNERS, play, REPORTS } from './varied-channel.ts';

describe('a receiver that hears nothing', () => {
  const ONE_WAY = { rx: 'one-way-tx', tx: 'one-way-rx' } as const;
  const goodbyes = fc.record({
    isOurs: fc.boolean(),
    cumulativeLost: fc.constantFrom(0, 1, 3, 8_388_607, -1),
    fractionLostQ8: fc.constantFrom(0, 255),
    jitterTicks: fc.constantFrom(0, 1, 0xffff_ffff),
  });
  const nothing = (ssrc: number, { isOurs, ...of }: { readonly isOurs: boolean } & Partial<MadeBlock>) => ({
    ...of,
    sourceSsrc: isOurs ? ssrc : 0,
    highest: 0,
    lsr: 0,
  });

  test('is said to hear nothing, and says so to the end, whatever block of zeros comes at its goodbye', () => {
    fc.assert(
      fc.property(MANNERS, goodbyes, fc.constantFrom(1, 7, REPORTS, REPORTS + 1), (manner, goodbye, at) => {
        const block = (plain: MadeBlock, number: number): MadeBlock | null =>
          number === at ? { ...plain, ...nothing(manner.ssrc, goodbye) } : null;
        const { channel, stream, other } = play(manner, { block });
        expect(channel.verdict).toBe(ONE_WAY[manner.direction]);
        expect(stream).toMatchObject({ mes: 1, verdict: 'no-media', packetsReceived: 0, lossPercent: 100 });
        expect(stream.jitterMs.count).toBe(0);
        expect(other.mes).toBeGreaterThan(4.35);
        expect(channel.mesMin).toBe(1);
      }),
      { numRuns: 100 },
    );
  });

  test('and names the stream in each report is believed as well', () => {
    fc.assert(
      fc.property(MANNERS, (manner) => {
        const { channel, stream } = play(manner, {
          block: from(1, () => nothing(manner.ssrc, { isOurs: true, jitterTicks: 0 })),
        });
        expect(channel.verdict).toBe(ONE_WAY[manner.direction]);
        expect(stream).toMatchObject({ mes: 1, verdict: 'no-media', packetsReceived: 0 });
      }),
      { numRuns: 30 },
    );
  });

  test('but ever reports about a stream of nobody: how our audio arrives is not known', () => {
    const manner = { shape: '22', direction: 'tx', paceS: 1, ssrc: 0xa11, firstSequence: 7, serial: 3 } as const;
    for (const sourceSsrc of [0, 0x777]) {
      const { channel, stream } = play(manner, { block: from(1, () => ({ sourceSsrc, highest: 0 })) });
      expect(channel).toMatchObject({ mesTx: null, verdict: 'good' });
      expect(stream).toMatchObject({ unusedReports: REPORTS, mes: null, verdict: 'no-rtcp' });
      expect(stream.why).toBe(
        'PJSIP/phone reported about nothing that this server sent, so how the audio to PJSIP/phone arrived is not known.',
      );
    }
  });

  test('has heard what came before: a block of zeros changes nothing of a good channel', () => {
    fc.assert(
      fc.property(MANNERS, goodbyes, fc.integer({ min: 2, max: REPORTS }), (manner, goodbye, at) => {
        const played = play(manner, {
          block: (plain, number) => (number === at ? { ...plain, ...nothing(manner.ssrc, goodbye) } : plain),
        });
        expectGood(played);
        expect(played.stream.unusedReports).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  test('any more is dead from then on, and only from then on', () => {
    fc.assert(
      fc.property(MANNERS, fc.integer({ min: 3, max: 10 }), (manner, last) => {
        const sentEach = 50 * manner.paceS;
        const { channel, stream } = play(manner, {
          block: from(last + 1, () => ({
            highest: manner.firstSequence + sentEach * last,
          })),
        });
        const lost = sentEach * (REPORTS - last);
        // Our reports come up to a pace after the far end's last SR, and packets of half a second may be on their way.
        expect(stream.packetsLost).toBeLessThanOrEqual(lost);
        expect(stream.packetsLost).toBeGreaterThanOrEqual(lost - 2 * sentEach - 25);
        expect(channel.mesMin).toBe(1);
        expect(['bad', 'poor']).toContain(channel.verdict);
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 2.5, 5, 10])('any more is dead in each report from the second on (every %d s)', (paceS) => {
    const last = 4;
    for (const direction of ['rx', 'tx'] as const) {
      const manner = { shape: '22', direction, paceS, ssrc: 0xa11, firstSequence: 7, serial: 3 } as const;
      const { stream } = play(manner, { block: from(last + 1, () => ({ highest: 7 + 50 * paceS * last })) });
      expect(stream.deadReports).toBeGreaterThanOrEqual(REPORTS - last - 2);
      expect(stream.deadReports).toBeLessThanOrEqual(REPORTS - last);
    }
  });
});
