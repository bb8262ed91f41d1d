import { expect, test } from 'vitest';
import { HeapGrowth, type Heaps } from '../../../src/app/heap-growth.ts';
import { collectGarbage } from '../../../src/history/thread/collect-garbage.ts';

class Recorder implements Heaps {
  readonly log: (number | 'collect')[] = [];

  setGrowth(percent: number): void {
    this.log.push(percent);
  }

  collect(): void {
    this.log.push('collect');
  }

  take(): (number | 'collect')[] {
    return this.log.splice(0);
  }
}

test('the heap may grow in a flood, and is small again a second after it', () => {
  const heap = new Recorder();
  const growth = new HeapGrowth(heap);
  expect(heap.take()).toEqual([25]);
  for (let look = 0; look < 50; look++) growth.follow(false);
  expect(heap.take()).toEqual([]);
  growth.follow(true);
  growth.follow(true);
  expect(heap.take()).toEqual([300]);
  for (let look = 0; look < 19; look++) growth.follow(false);
  growth.follow(true);
  for (let look = 0; look < 19; look++) growth.follow(false);
  expect(heap.take()).toEqual([]);
  growth.follow(false);
  expect(heap.take()).toEqual([25, 'collect']);
  for (let look = 0; look < 50; look++) growth.follow(false);
  expect(heap.take()).toEqual([]);
});

test("V8's own heap is collected", async () => {
  const garbage = new WeakRef({});
  // It lives until the end of the turn that has made it.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  await expect.poll(() => garbage.deref()).toBeUndefined();
});
