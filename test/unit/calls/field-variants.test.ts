import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mesByPage } from '../by-formulas.ts';
import type { MadeBlock, MadeChannel, MadeDirection } from '../made-channel.ts';
import {
  DIRECTIONS,
  expectGood,
  expectSent,
  from,
  GOOD_MES,
  JITTER_MS,
  MANNERS,
  play,
  type Played,
  REPORTS,
  RTT_MS,
  SHAPES,
} from './varied-channel.ts';

const AT = fc.integer({ min: 1, max: REPORTS });

describe('a good channel', () => {
  test('is good as every release tells it, with any SSRC, at any pace, across a wrap of the sequence', () => {
    fc.assert(
      fc.property(MANNERS, (manner) => {
        const played = play(manner, {});
        expectGood(played);
        expectSent(played.stream, 50 * manner.paceS * REPORTS);
        expect(played.stream).toMatchObject({ reports: REPORTS, jitterMs: { count: REPORTS }, unusedReports: 0 });
        expect(played.channel.mesMin).toBeCloseTo(GOOD_MES, 2);
      }),
      { numRuns: 100 },
    );
  });

  test('has the score of the formula, whatever loss, jitter and round trip are', () => {
    const conditions = fc.record({
      lostEach: fc.integer({ min: 0, max: 10 }),
      jittersMs: fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })),
      rttMs: fc.integer({ min: 1, max: 800 }),
    });
    fc.assert(
      fc.property(MANNERS, conditions, (manner, { lostEach, jittersMs, rttMs }) => {
        const paceS = Math.max(1, manner.paceS);
        const packets = 50 * paceS;
        const block = (plain: MadeBlock, number: number): MadeBlock => ({
          ...plain,
          cumulativeLost: lostEach * number,
          fractionLostQ8: Math.round((256 * lostEach) / packets),
          jitterTicks: 8 * Number(jittersMs[number % 2]),
        });
        const rttS = (number: number): string => (number === 1 ? '0.0000' : (rttMs / 1000).toFixed(4));
        const { stream } = play({ ...manner, paceS }, { block }, { rttS });
        const [even, odd] = jittersMs;
        const mes = mesByPage({
          rttMs,
          jitterMs: (even + odd) / 2,
          stdevMs: Math.abs(even - odd) / 2,
          lossPercent: (100 * lostEach) / packets,
        });
        expect(stream.packetsLost).toBe(lostEach * REPORTS);
        expect(Math.abs(Number(stream.mes) - mes)).toBeLessThan(0.05);
      }),
      { numRuns: 150 },
    );
  });

  test.each(SHAPES)('is good with several blocks, and in whatever order and company its headers come: %s', (shape) => {
    const manner = { shape, direction: 'tx', paceS: 1, ssrc: 0xa11, firstSequence: 7, serial: 3 } as const;
    for (const remoteCount of [1, 2, 31]) {
      const played = play(manner, {}, { remoteCount: () => remoteCount });
      expectGood(played);
      expect(played.stream.unusedReports).toBe(0);
    }
    const more = [
      ['SystemName', 'pbx'],
      ['Timestamp', '1796042112.161068'],
      ['Report1SourceSSRC', '0x00000001'],
      ['Report1CumulativeLost', '77'],
    ] as const;
    expectGood(play(manner, {}, { headers: (headers) => [...headers.slice(0, 2), ...more, ...headers.slice(2)] }));
    expectGood(play(manner, {}, { headers: ([event, ...rest]) => [...(event ? [event] : []), ...rest.toReversed()] }));
  });
});

describe('one report', () => {
  /** A.8 keeps 15/16 of it with each packet. */
  const jump = (at: number, jumpMs: number, packetsPerReport: number) =>
    from(at, (plain, number) => ({
      jitterTicks: Math.round(
        Math.min(0xffff_ffff, plain.jitterTicks + 8 * jumpMs * (15 / 16) ** (packetsPerReport * (number - at))),
      ),
    }));

  test("does not decide a call by its jitter: the sender's clock jumped, be it before the very first report", () => {
    const size = fc.oneof(fc.integer({ min: 201, max: 1000 }), fc.integer({ min: 1001, max: 500_000_000 }));
    fc.assert(
      fc.property(MANNERS, AT, size, (manner, at, jumpMs) => {
        // Whether a call that ends with its first report had a jump, nobody can say.
        const played = play(manner, { block: jump(at, jumpMs, 50 * manner.paceS) });
        expectGood(played);
        expect(played.stream.jitterMs.max).toBeLessThanOrEqual(JITTER_MS * 2);
        expect(played.stream.jitterResets).toBeGreaterThanOrEqual(1);
        expect(Number(played.stream.jitterResets) + played.stream.jitterMs.count).toBe(REPORTS);
        expect(played.other).toMatchObject({ jitterResets: 0, jitterMs: { count: REPORTS } });
        expect(played.channel.mesMin).toBeCloseTo(GOOD_MES, 2);
      }),
      { numRuns: 150 },
    );
  });

  test('that is like the next ones is the network, be it the very first', () => {
    for (const direction of DIRECTIONS) {
      const manner = { shape: '22', direction, paceS: 5, ssrc: 5, firstSequence: 9, serial: 8 } as const;
      const block = from(1, (_, number) => ({ jitterTicks: 8 * (number % 2 === 0 ? 250 : 300) }));
      const { stream } = play(manner, { block });
      expect(stream).toMatchObject({ jitterResets: 0, jitterMs: { count: REPORTS, max: 300 } });
      // 275 ms, deviation 25: 4583 ms more.
      expect(stream).toMatchObject({ mes: 1, verdict: 'bad' });
    }
  });

  test('does not decide a call by a step of the numbering, whether its receiver takes it for loss or not', () => {
    const step = fc.oneof(fc.integer({ min: 3000, max: 60_000 }), fc.integer({ min: 60_001, max: 8_000_000 }));
    fc.assert(
      fc.property(MANNERS, AT, step, fc.boolean(), (manner, at, by, isCounted) => {
        const paceS = Math.min(manner.paceS, 5);
        const block = from(at, ({ highest }) => ({
          highest: highest + by,
          cumulativeLost: isCounted ? by : 0,
          fractionLostQ8: isCounted ? 255 : 0,
        }));
        const played = play({ ...manner, paceS }, { block });
        expectGood(played);
        // A first report does not say where the numbering began.
        expect(played.stream.sequenceRestarts).toBe(at > 1 || isCounted ? 1 : 0);
        expect(played.channel.mesMin).toBeCloseTo(GOOD_MES, 2);
      }),
      { numRuns: 150 },
    );
  });

  test('counts no more packets as lost than were sent', () => {
    fc.assert(
      fc.property(MANNERS, AT, fc.integer({ min: 1, max: 2900 }), (manner, at, by) => {
        const block = from(at, ({ highest }) => ({
          highest: highest + by,
          cumulativeLost: by,
          fractionLostQ8: at === 1 ? 0 : 128,
        }));
        const { stream } = play(manner, { block });
        const sent = 50 * manner.paceS;
        expect(stream.packetsLost).toBeGreaterThanOrEqual(0);
        // The far end's first SR comes after our first report: what it had sent until then is known by the time alone.
        const isBySending = at > (manner.direction === 'rx' ? 2 : 1);
        const most = isBySending ? sent : 2 * Math.max(sent, 50) + 20;
        expect(stream.packetsLost).toBeLessThanOrEqual(Math.min(by, most));
      }),
      { numRuns: 200 },
    );
  });

  test('whose cumulative count leaps alone counts no more as lost than were sent, and a fall to below zero nothing', () => {
    fc.assert(
      fc.property(
        MANNERS,
        fc.integer({ min: 3, max: REPORTS }),
        fc.integer({ min: -30_000, max: 30_000 }),
        (manner, at, by) => {
          const block = from(at, () => ({ cumulativeLost: by, fractionLostQ8: by > 0 ? 128 : 0 }));
          const { stream } = play(manner, { block });
          expect(stream.packetsLost).toBeGreaterThanOrEqual(0);
          expect(stream.packetsLost).toBeLessThanOrEqual(Math.max(0, Math.min(by, 50 * manner.paceS)));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('of a clock that was set brings no round trip; nor does one without LSR, without RTT, or of 0', () => {
    const manner = { shape: '22', direction: 'tx', paceS: 1, ssrc: 0xa11, firstSequence: 7, serial: 3 } as const;
    const withRtt = (rttS: MadeChannel['rttS'], of: Partial<MadeDirection> = {}): Played => play(manner, of, { rttS });
    for (const absurd of ['65535.9712', '10.0001', '4294967.2950']) {
      const played = withRtt((number) => (number === 7 ? absurd : '0.0312'));
      expectGood(played);
      // The first report has no LSR.
      expect(played.stream.rttMs).toMatchObject({ count: REPORTS - 2, max: expect.closeTo(RTT_MS, 6) });
      expect(played.roundTripsRefused).toBe(2);
    }
    expect(withRtt((number) => (number === 7 ? '10.0000' : '0.0312')).stream.rttMs).toMatchObject({ max: 10_000 });
    const unknown = mesByPage({ rttMs: 0, jitterMs: JITTER_MS, stdevMs: 0, lossPercent: 0 });
    const noLsr = { block: (plain: MadeBlock) => ({ ...plain, lsr: 0 }) };
    for (const [rttS, of] of [[() => null], [() => '0.0000'], [() => '0.0312', noLsr]] as const) {
      const { stream, channel } = withRtt(rttS, of);
      expect(stream).toMatchObject({ rttKnown: false, rttMs: { count: 0, mean: null }, verdict: 'good' });
      expect([channel.mesRx, channel.mesTx]).toEqual([expect.closeTo(unknown, 6), expect.closeTo(unknown, 6)]);
    }
    // Once there was a sample, 0 is one, too.
    expect(withRtt((number) => (number < 8 ? '0.0400' : '0.0000')).stream.rttMs).toMatchObject({ count: 13, min: 0 });
  });
});

describe('loss', () => {
  test('is what the last cumulative count says, when packets come late', () => {
    const counts = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(MANNERS, counts, ({ paceS, ...manner }, [low, late]) => {
        const block = from(1, (_, number) => ({ cumulativeLost: number % 2 === 1 ? low + late : low }));
        const { stream, channel } = play({ ...manner, paceS: Math.max(1, paceS) }, { block });
        expect(stream).toMatchObject({ packetsLost: low, sequenceRestarts: 0 });
        const packets = 50 * Math.max(1, paceS) * REPORTS;
        const of = { rttMs: RTT_MS, jitterMs: JITTER_MS, stdevMs: 0, lossPercent: (100 * low) / packets };
        expect(Math.abs(Number(stream.mes) - mesByPage(of))).toBeLessThan(0.05);
        expect(channel.verdict).toBe('good');
      }),
      { numRuns: 100 },
    );
  });

  test('is not taken back by a count that begins anew', () => {
    const numbers = fc.tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 4, max: 12 }), fc.nat(3));
    fc.assert(
      fc.property(MANNERS, numbers, ({ paceS, ...manner }, [each, at, after]) => {
        const block = from(1, (_, number) => ({
          cumulativeLost: number < at ? each * number : after * (number - at),
        }));
        const { stream } = play({ ...manner, paceS: Math.max(1, paceS) }, { block });
        const lost = each * (at - 1) + after * (REPORTS - at);
        expect(stream).toMatchObject({ packetsLost: lost, sequenceRestarts: 0 });
      }),
      { numRuns: 100 },
    );
  });

  test('counts where the sender does not count what it sends, or not much of it', () => {
    fc.assert(
      fc.property(MANNERS, fc.integer({ min: 1, max: 10 }), fc.constantFrom(0, 1, 10), (manner, each, sent) => {
        const paceS = Math.max(1, manner.paceS);
        const block = from(1, (_, number) => ({
          cumulativeLost: each * number,
          fractionLostQ8: Math.round((256 * each) / (50 * paceS)),
        }));
        const { stream } = play({ ...manner, paceS }, { block, sentPackets: (_, number) => sent * number });
        expect(stream).toMatchObject({ packetsLost: each * REPORTS, sequenceRestarts: 0 });
      }),
      { numRuns: 80 },
    );
  });

  test('below zero is no loss, however it is printed', () => {
    for (const printed of ['16777215', '4294967295', '-1']) {
      const manner = { shape: '22', direction: 'rx', paceS: 1, ssrc: 5, firstSequence: 9, serial: 8 } as const;
      const headers: MadeChannel['headers'] = (all) =>
        all.map(([name, value]) => [name, name === 'Report0CumulativeLost' ? printed : value]);
      const played = play(manner, {}, { headers });
      expectGood(played);
      expect([played.stream.duplicates, played.other.duplicates]).toEqual([1, 1]);
    }
  });

  test('of a report without a block is taken back by one that says that all came', () => {
    for (const direction of DIRECTIONS) {
      const manner = { shape: '22', direction, paceS: 1, ssrc: 5, firstSequence: 9, serial: 8 } as const;
      const { channel, stream } = play(manner, { block: (plain, number) => (number === 7 ? null : plain) });
      expect(stream).toMatchObject({ reports: REPORTS, packetsLost: 0, mes: expect.closeTo(GOOD_MES, 2) });
      expect(channel.verdict).toBe('good');
    }
  });
});
