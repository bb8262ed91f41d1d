import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { labObstacle } from '../lab/obstacle.ts';

const ACCURACY = fileURLToPath(new URL('../accuracy/accuracy.ts', import.meta.url));
const run = promisify(execFile);

interface Answer {
  readonly call_s: number;
  readonly rtcp_interval_ms: number;
  readonly comparisons: readonly {
    readonly cell: {
      readonly loss_percent: number;
      readonly loss_kind: string;
      readonly delay_ms: number;
      readonly jitter_ms: number;
    };
    readonly direction: 'rx' | 'tx';
    readonly network: {
      readonly loss_percent: number;
      readonly reported_loss_percent: number;
      readonly round_trip_ms: number;
      readonly jitter_mean_ms: number;
    };
    readonly should_be: { readonly mes: number; readonly mos_lq: number };
    readonly measured: {
      readonly loss_percent: number;
      readonly round_trip_ms: number;
      readonly jitter_ms: number;
      readonly mes: number;
      readonly mos_lq: number;
      readonly native_mes_100: number;
    };
  }[];
  readonly worst_errors: readonly {
    readonly quantity: string;
    readonly error: number | null;
    readonly missing: number;
  }[];
}

describe.runIf(labObstacle() === undefined)('npm run accuracy', () => {
  let answer: Answer;

  beforeAll(async () => {
    const { stdout } = await run(process.execPath, [ACCURACY, '--quick', '--json'], { maxBuffer: 10_000_000 });
    answer = JSON.parse(stdout) as Answer;
  });

  /**
   * A machine with other work to do only ever adds: Asterisk then gets its packets later than the relay sends them. How far the
   * quarter that waited least is off tells of the product; how far the worst one is, of the machine as well.
   */
  test.each<[string, number, number, (at: Answer['comparisons'][number]) => readonly [number, number]]>([
    ['loss_percent', 0.1, 1.5, ({ network, measured }) => [network.reported_loss_percent, measured.loss_percent]],
    ['round_trip_ms', 3, 200, ({ network, measured }) => [network.round_trip_ms, measured.round_trip_ms]],
    ['jitter_ms', 0.5, 20, ({ network, measured }) => [network.jitter_mean_ms, measured.jitter_ms]],
    ['mes', 0.02, 0.5, ({ should_be: wanted, measured }) => [wanted.mes, measured.mes]],
    ['mos_lq', 0.02, 0.2, ({ should_be: wanted, measured }) => [wanted.mos_lq, measured.mos_lq]],
  ])('%s is measured everywhere, a quarter of them to %d, none more than %d off', (quantity, usual, most, pairOf) => {
    const errors = answer.comparisons
      .map(pairOf)
      .map(([truth, measured]) => Math.abs(truth - measured))
      .toSorted((one, other) => one - other);
    const worst = answer.worst_errors.find((candidate) => candidate.quantity === quantity);
    expect(worst?.missing).toBe(0);
    expect(worst?.error).toBeCloseTo(errors.at(-1) ?? NaN, 9);
    expect(errors[Math.floor(errors.length / 4)]).toBeLessThan(usual);
    expect(worst?.error).toBeLessThan(most);
    // Nobody measures a live network to the last digit: an error of 0 would mean that it was compared with itself.
    expect(worst?.error).toBeGreaterThan(0);
  });

  test('the networks did what the grid says', () => {
    expect(answer.comparisons).toHaveLength(24);
    for (const { cell, network } of answer.comparisons) {
      expect(network.loss_percent).toBeGreaterThanOrEqual(cell.loss_percent / 10);
      expect(network.loss_percent).toBeLessThanOrEqual(cell.loss_percent * 3);
      // The relay lets a packet go up to 0.7 ms before its moment rather than after it (departures.test.ts).
      expect(network.round_trip_ms).toBeGreaterThan(Math.max(0, 2 * cell.delay_ms - 1.5));
      expect(network.round_trip_ms).toBeLessThan(2 * (cell.delay_ms + cell.jitter_ms) + 200);
      expect(network.jitter_mean_ms).toBeGreaterThan(cell.jitter_ms / 8);
      expect(network.jitter_mean_ms).toBeLessThan(cell.jitter_ms / 2 + 20);
    }
  });

  test('scores go over a good part of the scale, ours as they should', () => {
    const scores = answer.comparisons.map(({ measured }) => measured.mes);
    expect(Math.max(...scores)).toBeGreaterThan(4.3);
    expect(Math.max(...scores)).toBeLessThan(4.41);
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(1);
    expect(Math.min(...scores)).toBeLessThan(3);
    // 5 % lost at random are about 3.1.
    expect(scores.some((score) => score > 2.5 && score < 3.7)).toBe(true);
  });
});
