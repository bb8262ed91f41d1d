import { expect, it } from 'vitest';
import { FORGET_AFTER_MS, TrunkChoice } from '../../../src/alerting/trunk-choice.ts';
import type { LegSample } from '../../../src/model/alert.ts';

const START_MS = 1_795_168_800_000;
const NAMES = ['carrier1', 'carrier2'];

function leg(endpoint: string, mes: number | null, atMs: number, verdict: LegSample['verdict'] = 'good'): LegSample {
  return {
    linkedid: '1.1',
    uniqueid: '1.1',
    endpoint: `PJSIP/${endpoint}`,
    startedAtMs: atMs - 30_000,
    endedAtMs: atMs,
    answered: true,
    verdict,
    mes,
    lossPercent: null,
    jitterMs: null,
    rttMs: null,
    hasFarReports: true,
    badSinceMs: null,
    site: null,
    faultPlace: null,
  };
}

function calls(trunks: TrunkChoice, endpoint: string, mes: number, count: number, atMs = START_MS): void {
  for (let index = 0; index < count; index++) trunks.take(leg(endpoint, mes, atMs + index));
}

/** What so many calls in a row are told. */
function chosen(trunks: TrunkChoice, count: number, nowMs = START_MS + 1000): string[] {
  return Array.from({ length: count }, () => trunks.choose(NAMES, nowMs) ?? '');
}

it('names the first while nothing is known, or too little, and never anything else', () => {
  const trunks = new TrunkChoice();
  expect(new Set(chosen(trunks, 25))).toEqual(new Set(['carrier1']));
  calls(trunks, 'carrier1', 1.5, 4);
  expect(new Set(chosen(trunks, 25))).toEqual(new Set(['carrier1']));
  expect(trunks.choose([], START_MS)).toBeUndefined();
  expect(trunks.choose(['only'], START_MS)).toBe('only');
});

it('goes over to a clearly better trunk, and not for a little', () => {
  const trunks = new TrunkChoice();
  calls(trunks, 'carrier1', 4.1, 5);
  calls(trunks, 'carrier2', 4.29, 5);
  expect(chosen(trunks, 9)).toEqual(Array.from({ length: 9 }, () => 'carrier1'));
  const other = new TrunkChoice();
  calls(other, 'carrier1', 4.1, 5);
  calls(other, 'carrier2', 4.31, 5);
  expect(chosen(other, 9)).toEqual(Array.from({ length: 9 }, () => 'carrier2'));
});

it('leaves a trunk that turns bad for one that nobody knows, and comes back when its probes are good', () => {
  const trunks = new TrunkChoice();
  calls(trunks, 'carrier1', 2, 5);
  calls(trunks, 'carrier2', 4.4, 5);
  const after = chosen(trunks, 100);
  expect(after.filter((name) => name === 'carrier1')).toHaveLength(10);
  // Good again: 4.4 against 2 with half the weight after five calls; after n calls the mean is 4.4 - 2.4·2^(-n/5).
  let probes = 0;
  while (trunks.choose(NAMES, START_MS + 2000) !== 'carrier1' || probes === 0) {
    calls(trunks, 'carrier1', 4.9, 1, START_MS + 100 + probes);
    probes++;
    if (probes > 30) break;
  }
  expect(probes).toBeGreaterThan(3);
  expect(probes).toBeLessThan(30);

  const unknown = new TrunkChoice();
  calls(unknown, 'carrier1', 2, 5);
  expect(chosen(unknown, 9)).toEqual(Array.from({ length: 9 }, () => 'carrier2'));
});

it('probes the other one with a tenth of the calls, also when there are more than two', () => {
  const trunks = new TrunkChoice();
  const names = ['a', 'b', 'c'];
  for (const name of names) calls(trunks, name, name === 'b' ? 4.4 : 3, 5);
  const told = Array.from({ length: 200 }, () => trunks.choose(names, START_MS + 1000));
  const count = (name: string): number => told.filter((one) => one === name).length;
  expect([count('a'), count('b'), count('c')]).toEqual([10, 180, 10]);
});

it('counts a call without audio as the worst there is, and one of which nothing is known not at all', () => {
  const trunks = new TrunkChoice();
  for (let index = 0; index < 5; index++) trunks.take(leg('carrier1', null, START_MS + index, 'no-media'));
  trunks.take(leg('carrier1', 2.7, START_MS + 5, 'one-way-rx'));
  for (const verdict of ['too-short', 'no-rtcp', null] as const)
    trunks.take(leg('carrier1', 4.4, START_MS + 6, verdict));
  expect(trunks.quality('PJSIP/carrier1', START_MS + 10)).toEqual({
    endpoint: 'PJSIP/carrier1',
    calls: 6,
    badCalls: 6,
    recentMes: 1,
    lastAtMs: START_MS + 5,
  });
});

it('weighs the latest calls most: by halves after five calls, and after ten minutes', () => {
  const trunks = new TrunkChoice();
  calls(trunks, 'carrier1', 2, 1);
  calls(trunks, 'carrier1', 4, 4, START_MS);
  // Weights 2^(-4/5) for the first, and 2^(-3/5), 2^(-2/5), 2^(-1/5), 1: (2·0.5743 + 4·(0.6598 + 0.7579 + 0.8706 + 1)) / 3.8626.
  expect(trunks.quality('PJSIP/carrier1', START_MS + 10)?.recentMes).toBeCloseTo(3.7026, 3);
  const aged = new TrunkChoice();
  calls(aged, 'carrier1', 2, 5);
  aged.take(leg('carrier1', 4, START_MS + 600_000));
  // Five calls of 2 weigh 3.8626 before, and 3.8626·2^(-1/5)/2 = 1.6813 beside the 1 of the new one.
  expect(aged.quality('PJSIP/carrier1', START_MS + 600_001)?.recentMes).toBeCloseTo((2 * 1.6813 + 4) / 2.6813, 3);
});

it('knows nothing of what is older than an hour, and goes back to the first named', () => {
  const trunks = new TrunkChoice();
  calls(trunks, 'carrier1', 2, 5);
  calls(trunks, 'carrier2', 4.4, 5);
  expect(trunks.choose(NAMES, START_MS + 1000)).toBe('carrier2');
  const laterMs = START_MS + FORGET_AFTER_MS + 10;
  expect(trunks.choose(NAMES, laterMs)).toBe('carrier1');
  expect(trunks.all(laterMs)).toEqual([]);
  trunks.tidy(laterMs);
  expect(trunks.quality('PJSIP/carrier2', START_MS + 10)).toBeNull();
});
