import { describe, expect, test } from 'vitest';
import { BusyError, Merger } from '../../../src/fleet/merger.ts';

function merger(options: { blockRows?: number; mostRows?: number; fails?: boolean } = {}) {
  const stored: [string, readonly number[]][] = [];
  const state = { nowMs: 0, fails: options.fails === true };
  const made = new Merger<number>({
    store: async (target, rows) => {
      if (state.fails) throw new Error('no');
      stored.push([target, [...rows]]);
    },
    nowMs: () => state.nowMs,
    blockRows: options.blockRows ?? 5,
    blockMs: 1000,
    mostRows: options.mostRows ?? 10,
  });
  return { made, stored, state };
}

const rows = (...numbers: number[]): ReadonlyMap<string, readonly number[]> => new Map([['a', numbers]]);

describe('rows of many senders', () => {
  test('become one block, when there are enough of them or the first has waited long enough', async () => {
    const { made, stored, state } = merger();
    const done: string[] = [];
    const first = made.add(rows(1, 2)).then(() => done.push('first'));
    const second = made.add(rows(3)).then(() => done.push('second'));
    state.nowMs = 999;
    made.tick();
    expect(stored).toEqual([]);
    state.nowMs = 1000;
    made.tick();
    await Promise.all([first, second]);
    expect(stored).toEqual([['a', [1, 2, 3]]]);
    await made.add(rows(4, 5, 6, 7, 8));
    expect(stored[1]).toEqual(['a', [4, 5, 6, 7, 8]]);
    expect(made.waitingRows).toBe(0);
  });

  test('are told of a store that fails, each sender, and can be sent again', async () => {
    const { made, stored, state } = merger({ fails: true });
    const both = Promise.allSettled([made.add(rows(1, 2, 3)), made.add(rows(4, 5))]);
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.fails = false;
    await made.add(rows(1, 2, 3, 4, 5));
    expect(stored).toEqual([['a', [1, 2, 3, 4, 5]]]);
  });

  test('are not taken where too many wait', async () => {
    const { made } = merger({ blockRows: 100, mostRows: 3 });
    const waiting = made.add(rows(1, 2, 3));
    await expect(made.add(rows(4))).rejects.toThrow(BusyError);
    await made.close();
    await waiting;
    expect(made.waitingRows).toBe(0);
  });
});
