import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamRecord } from '../../../src/model/record.ts';
import type { Direction } from '../../../src/model/report.ts';
import type { Script } from './script.ts';
import { every, type Fate, playCall, type SimulatedCall, type Way } from './simulated-call.ts';

/** Both ends report all 0.5 to 10 s; all of these divide a minute. */
const PACES_MS = [500, 1000, 2000, 2500, 5000, 7500, 10_000];
const SECONDS = 60;
const SENT = SECONDS * 50;

const PERFECT: Way = { ssrc: 0xa, fate: () => 10 };

function callOf(of: Partial<SimulatedCall>): SimulatedCall {
  return {
    seconds: SECONDS,
    rx: { ...PERFECT, ssrc: 0xb },
    tx: PERFECT,
    localAtMs: every(5000, SECONDS),
    remoteAtMs: every(5000, SECONDS),
    ...of,
  };
}

function stream(script: Script, direction: Direction): StreamRecord {
  const found = script.channel('1').streams.find((one) => one.direction === direction);
  if (found === undefined) throw new Error(`nothing was stored of ${direction}`);
  return found;
}

/** The same in one direction, with the other one perfect. */
function oneWay(direction: Direction, way: Partial<Way>, of: Partial<SimulatedCall> = {}): StreamRecord {
  const call = callOf(of);
  return stream(playCall({ ...call, [direction]: { ...call[direction], ...way } }), direction);
}

/** Loses each packet with this probability, by a generator of its own. */
function randomLoss(ratio: number, seed: number): (packet: number) => Fate {
  return (packet) => {
    // SplitMix32.
    let mixed = Math.imul((seed + packet * 0x9e37_79b9) ^ 0x5bd1_e995, 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32 < ratio ? 'lost' : 10;
  };
}

function lostIn(fate: (packet: number) => Fate, packets = SENT): number {
  return Array.from({ length: packets }, (_, packet) => fate(packet)).filter((one) => one === 'lost').length;
}

const DIRECTIONS = ['rx', 'tx'] as const;
const PACES = fc.constantFrom(...PACES_MS);
const LOSS = fc.record({ ratio: fc.double({ min: 0, max: 0.5, noNaN: true }), seed: fc.nat() });

describe('the same packets', () => {
  test('have the same loss at every pace of the reports, and however unequal both are', () => {
    fc.assert(
      fc.property(LOSS, fc.constantFrom(...DIRECTIONS), PACES, PACES, (loss, direction, localMs, remoteMs) => {
        const fate = randomLoss(loss.ratio, loss.seed);
        const paces = { localAtMs: every(localMs, SECONDS), remoteAtMs: every(remoteMs, SECONDS, 3) };
        const measured = oneWay(direction, { fate }, paces);
        const told = Math.max(...(direction === 'rx' ? paces.localAtMs : paces.remoteAtMs)) / 20;
        // What is lost before the first and after the last packet that arrives no receiver knows.
        const lost = lostIn(fate, told);
        expect(measured.packetsLost).toBeLessThanOrEqual(lost);
        expect(measured.packetsLost).toBeGreaterThanOrEqual(lost - 20);
        expect(Number(measured.packetsExpected)).toBeLessThanOrEqual(told + 30);
        expect(Number(measured.packetsExpected)).toBeGreaterThanOrEqual(told - 30);
        expect(measured).toMatchObject({ sequenceRestarts: 0, jitterResets: 0, unusedReports: 0, deadReports: 0 });
      }),
      { numRuns: 60 },
    );
  });

  test('have the same score and the same word at every pace', () => {
    for (const lostOf of [100, 50, 25, 16]) {
      const fate = (packet: number): Fate => (packet % lostOf === lostOf - 1 ? 'lost' : 10);
      for (const direction of DIRECTIONS) {
        const at = (paceMs: number, otherMs: number): StreamRecord =>
          oneWay(direction, { fate }, { localAtMs: every(paceMs, SECONDS), remoteAtMs: every(otherMs, SECONDS, 3) });
        const usual = at(5000, 5000);
        for (const [paceMs, otherMs] of PACES_MS.flatMap((one) => PACES_MS.map((other) => [one, other] as const))) {
          const { mes, verdict } = at(paceMs, otherMs);
          expect(Math.abs(Number(mes) - Number(usual.mes))).toBeLessThan(0.05);
          expect(verdict).toBe(usual.verdict);
        }
      }
    }
  });

  test('have the same score and the same word however irregularly each end reports', () => {
    // All that is known ends with the last report, which comes at the end; what was lost before the first one has an estimate.
    const moments = fc
      .array(fc.integer({ min: 1000, max: 55_000 }), { minLength: 1, maxLength: 60 })
      .map((times) => [5000, ...times.filter((atMs) => atMs > 5400), SECONDS * 1000].toSorted((a, b) => a - b))
      .map((times) => times.filter((atMs, index) => index === 0 || atMs - Number(times[index - 1]) >= 500));
    const loss = fc.record({ ratio: fc.double({ min: 0, max: 0.08, noNaN: true }), seed: fc.nat() });
    const THRESHOLDS = [4, 3.6, 3.1];
    let compared = 0;
    fc.assert(
      fc.property(loss, fc.constantFrom(...DIRECTIONS), moments, moments, (of, direction, localAtMs, remoteAtMs) => {
        const fate = randomLoss(of.ratio, of.seed);
        const usual = oneWay(direction, { fate });
        const irregular = oneWay(direction, { fate }, { localAtMs, remoteAtMs });
        expect(Math.abs(Number(irregular.mes) - Number(usual.mes))).toBeLessThan(0.05);
        expect(Math.abs(Number(irregular.mosCq) - Number(usual.mosCq))).toBeLessThan(0.05);
        const isNear = [usual.mes, usual.mosCq].some((mes) =>
          THRESHOLDS.some((threshold) => Math.abs(Number(mes) - threshold) < 0.05),
        );
        if (isNear) return;
        compared++;
        expect(irregular.verdict).toBe(usual.verdict);
      }),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(40);
  });

  test('count before the far end has sent its first SR, and where it never sends one', () => {
    for (const localMs of PACES_MS) {
      const paces = { localAtMs: every(localMs, SECONDS), remoteAtMs: every(5000, SECONDS, localMs - 100) };
      for (const remoteSendsNoSr of [false, true]) {
        const rx = oneWay('rx', {}, { ...paces, remoteSendsNoSr });
        const told = Math.max(...paces.localAtMs) / 20;
        expect(Math.abs(Number(rx.packetsExpected) - told)).toBeLessThanOrEqual(10);
        expect(rx.packetsReceived).toBe(rx.packetsExpected);
        expect(rx.mosLq).toBeCloseTo(4.41, 2);
      }
    }
    // One report is enough.
    const first = oneWay('rx', {}, { seconds: 6, localAtMs: [5000], remoteAtMs: [5300] });
    expect(first).toMatchObject({ reports: 1, packetsReceived: 250, packetsLost: 0 });
    expect(first.mosLq).toBeCloseTo(4.41, 2);
  });
});

describe('a jump of the numbering', () => {
  const JUMPS = fc.array(
    fc.record({
      atPacket: fc.integer({ min: 0, max: SENT - 1 }),
      by: fc.oneof(fc.integer({ min: 3000, max: 40_000 }), fc.integer({ min: 65_536, max: 20_000_000 })),
    }),
    { minLength: 1, maxLength: 2 },
  );

  test('forward is no loss, at any pace, in either direction, once or twice, of any size', () => {
    fc.assert(
      fc.property(JUMPS, LOSS, fc.constantFrom(...DIRECTIONS), PACES, (jumps, loss, direction, paceMs) => {
        const fate = randomLoss(loss.ratio / 10, loss.seed);
        const paces = { localAtMs: every(paceMs, SECONDS), remoteAtMs: every(paceMs, SECONDS, 7) };
        const measured = oneWay(direction, { fate, jumps }, paces);
        const lost = lostIn(fate);
        expect(measured.packetsLost).toBeGreaterThanOrEqual(0);
        // A jump at a report's own moment may leave one packet on the other side of it.
        expect(measured.packetsLost).toBeLessThanOrEqual(lost + 1);
        expect(measured.packetsExpected ?? 0).toBeLessThanOrEqual(SENT + 30);
        expect(measured.sequenceRestarts).toBeLessThanOrEqual(jumps.length);
      }),
      { numRuns: 80 },
    );
  });

  test.each(DIRECTIONS)('by less than 3000 loses no more than was sent: %s', (direction) => {
    for (const by of [200, 500, 1000, 2999]) {
      const measured = oneWay(
        direction,
        { jumps: [{ atPacket: 1025, by }] },
        {
          localAtMs: every(1000, SECONDS),
          remoteAtMs: every(1000, SECONDS, 3),
        },
      );
      expect(measured.packetsLost).toBeGreaterThanOrEqual(0);
      expect(measured.packetsLost).toBeLessThanOrEqual(50);
      expect(measured.packetsExpected).toBeLessThanOrEqual(SENT + 50);
      expect(measured.lossPercent).toBeLessThan(2);
    }
  });

  test.each(DIRECTIONS)('that the receiver does not take for loss makes the loss no smaller: %s', (direction) => {
    // One packet of ten is lost, and others stand for those that were jumped over.
    const jumps = [{ atPacket: 1025, by: 2500 }];
    const fate = (packet: number): Fate => (packet % 10 === 9 ? 'lost' : 10);
    const paces = { localAtMs: every(1000, SECONDS), remoteAtMs: every(1000, SECONDS, 3) };
    const measured = oneWay(direction, { fate, jumps, countsJumpsAsLoss: false }, paces);
    expect(measured.lossPercent).toBeGreaterThan(9);
    expect(measured.lossPercent).toBeLessThan(11);
    expect(measured.packetsExpected).toBeLessThanOrEqual(SENT + 100);
  });

  test.each(DIRECTIONS)('is counted: %s', (direction) => {
    const jumps = [
      { atPacket: 1000, by: 30_000 },
      { atPacket: 2000, by: 12_345 },
    ];
    expect(oneWay(direction, { jumps })).toMatchObject({ sequenceRestarts: 2, packetsLost: 0, lossPercent: 0 });
  });

  test('in the very first report is one, too', () => {
    for (const direction of DIRECTIONS) {
      for (const remoteSendsNoSr of [false, true]) {
        const measured = oneWay(direction, { jumps: [{ atPacket: 40, by: 30_000 }] }, { remoteSendsNoSr });
        expect(measured).toMatchObject({ sequenceRestarts: 1, packetsLost: 0, lossPercent: 0 });
        expect(measured.packetsExpected).toBe(SENT - 250);
      }
    }
  });

  test('across a wrap of 16, of 24 and of 32 bits', () => {
    for (const firstSequence of [65_000, 2 ** 24 - 500, 2 ** 32 - 500]) {
      const way = { firstSequence, jumps: [{ atPacket: 1000, by: 30_000 }] };
      for (const direction of DIRECTIONS) {
        expect(oneWay(direction, way)).toMatchObject({ sequenceRestarts: 1, packetsLost: 0 });
        expect(oneWay(direction, { firstSequence })).toMatchObject({ sequenceRestarts: 0, packetsLost: 0 });
      }
    }
  });
});

describe('a long loss', () => {
  test.each(DIRECTIONS)('of all packets of two minutes is a loss and no jump: %s', (direction) => {
    const fate = (packet: number): Fate => (packet >= 500 && packet < 6500 ? 'lost' : 10);
    const of = { seconds: 180, localAtMs: every(5000, 180), remoteAtMs: [...every(5000, 180, 3), 179_999] };
    const measured = oneWay(direction, { fate }, of);
    expect(measured.sequenceRestarts).toBe(0);
    expect(Math.abs(Number(measured.packetsLost) - 6000)).toBeLessThanOrEqual(30);
    expect(Math.abs(Number(measured.packetsExpected) - 9000)).toBeLessThanOrEqual(60);
    // Two to an interval of 5 s at most, and at least one to two of them: which packets an SR counts is not always told.
    expect(measured.deadReports).toBeGreaterThanOrEqual(11);
    expect(measured.deadReports).toBeLessThanOrEqual(24);
  });
});

describe('packets that come late', () => {
  test('are not lost, at any pace', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...DIRECTIONS),
        PACES,
        fc.integer({ min: 5, max: 60 }),
        fc.integer({ min: 30, max: 1500 }),
        (direction, paceMs, every_, delayMs) => {
          const fate = (packet: number): Fate => (packet % every_ === every_ - 1 ? delayMs : 10);
          const paces = { localAtMs: every(paceMs, SECONDS), remoteAtMs: every(paceMs, SECONDS, 7) };
          const measured = oneWay(direction, { fate }, paces);
          // Only those still on their way at the last report.
          expect(measured.packetsLost).toBeLessThanOrEqual(Math.ceil(delayMs / 20 / every_) + 1);
          expect(measured.packetsLost).toBeGreaterThanOrEqual(0);
          expect(measured.duplicates).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a perfect call whose reports change their pace', () => {
  const change = (fromMs: number, toMs: number): number[] => {
    const early = every(fromMs, 20);
    return [...early, ...every(toMs, 100).map((atMs) => atMs + 20_000)];
  };

  test.each([
    ['5 s to 1 s', 5000, 1000],
    ['1 s to 20 s', 1000, 20_000],
    ['500 ms to 20 s', 500, 20_000],
    ['1 s to 60 s', 1000, 60_000],
  ])('%s stays perfect, whoever changes it', (_what, fromMs, toMs) => {
    const changing = change(fromMs, toMs);
    for (const other of [1000, 5000, 10_000]) {
      for (const [localAtMs, remoteAtMs] of [
        [changing, every(other, 120, 3)],
        [every(other, 120, 3), changing],
        [changing, changing],
      ] as const) {
        const script = playCall(callOf({ seconds: 120, localAtMs, remoteAtMs }));
        const { mesRx, mesTx, verdict, mesMin } = script.channel('1');
        expect([mesRx, mesTx, mesMin].map((mes) => Number(mes) > 4.3)).toEqual([true, true, true]);
        expect(verdict).toBe('good');
        for (const direction of DIRECTIONS) {
          expect(stream(script, direction)).toMatchObject({ packetsLost: 0, deadReports: 0, sequenceRestarts: 0 });
        }
        for (const { variables } of script.writes) {
          expect(['good', undefined]).toContain(variables['MES_VERDICT']);
        }
      }
    }
  });
});
