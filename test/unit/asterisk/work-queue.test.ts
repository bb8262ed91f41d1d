import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WorkQueue } from '../../../src/asterisk/work-queue.ts';

function workFor(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('work is done in its order, some milliseconds of it in a turn of the event loop', async () => {
  const queue = new WorkQueue();
  const done: number[] = [];
  for (let n = 0; n < 40; n++) {
    queue.take(() => {
      done.push(n);
      workFor(1);
    });
  }
  expect(done).toEqual([]);
  let most = 0;
  for (let turn = 0, before = 0; done.length < 40 && turn < 100; turn++, before = done.length) {
    await nextTurn();
    most = Math.max(most, done.length - before);
  }
  expect(done).toEqual(Array.from({ length: 40 }, (_, n) => n));
  // Four of a millisecond each, and one that had begun.
  expect(most).toBeLessThanOrEqual(5);
});

test('what comes while work is done has its turn, too, and short work is done together', async () => {
  const queue = new WorkQueue();
  const done: string[] = [];
  queue.take(() => {
    done.push('first');
    queue.take(() => done.push('third'));
  });
  queue.take(() => done.push('second'));
  await nextTurn();
  expect(done.slice(0, 2)).toEqual(['first', 'second']);
  await nextTurn();
  expect(done).toEqual(['first', 'second', 'third']);
  queue.take(() => done.push('later'));
  await nextTurn();
  expect(done).toHaveLength(4);
});
