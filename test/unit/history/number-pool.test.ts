import { expect, it } from 'vitest';
import { NumberPool } from '../../../src/history/write/number-pool.ts';

function takeSome(pool: NumberPool, count: number): { values: Float64Array }[] {
  return Array.from({ length: count }, () => ({ values: pool.take() }));
}
/** How many of `some` are memory of `others`. */
function shared(some: readonly { values: Float64Array }[], others: readonly { values: Float64Array }[]): number {
  const buffers = new Set(others.map(({ values }) => values.buffer));
  return some.filter(({ values }) => buffers.has(values.buffer)).length;
}

it('gives memory that two threads see, a part of which may be given back for all of it', () => {
  const pool = new NumberPool(10);
  const [first, second] = [pool.take(), pool.take()];
  expect([first.length, second.length, first.buffer === second.buffer]).toEqual([10, 10, false]);
  structuredClone(first)[3] = 1.5;
  expect([...first]).toEqual([0, 0, 0, 1.5, 0, 0, 0, 0, 0, 0]);
  pool.giveBack([{ values: first.subarray(2, 5) }]);
  const third = pool.take();
  expect([third.buffer === first.buffer, third.length]).toEqual([true, 10]);
});

it('keeps free what the largest of the last commits had, and less with each one', () => {
  const pool = new NumberPool(10);
  const many = takeSome(pool, 40);
  pool.giveBack(many);
  const again = takeSome(pool, 40);
  expect(shared(again, many)).toBe(40);
  // Not all of them are needed any more.
  pool.giveBack(again);
  for (let commit = 0; commit < 3; commit++) pool.giveBack(takeSome(pool, 1));
  const later = takeSome(pool, 40);
  expect(shared(later, many)).toBe(5);
  for (let commit = 0; commit < 9; commit++) pool.giveBack([]);
  pool.giveBack(later);
  for (let commit = 0; commit < 9; commit++) pool.giveBack([]);
  expect(shared(takeSome(pool, 2), later)).toBe(1);
});
