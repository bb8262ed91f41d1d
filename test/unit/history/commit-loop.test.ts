import { expect, it } from 'vitest';
import { CommitLoop } from '../../../src/history/commit-loop.ts';
import type { Batch, CommitResult } from '../../../src/history/protocol.ts';
import { callRecord, intervalRecord } from './records.ts';

/** A disk that takes what it is given, or not, and remembers it. */
class Disk {
  readonly parts: Batch[] = [];
  failures = 0;
  /** Numbers of the parts at which it fails once. */
  failsAt: number[] = [];

  readonly commit = (batch: Batch): Promise<CommitResult> => {
    if (this.failsAt[0] === this.parts.length) {
      this.failsAt.shift();
      this.failures++;
      return Promise.reject(new Error('no room'));
    }
    this.parts.push(batch);
    const applied = batch.operations.length + batch.intervals.length;
    return Promise.resolve({ applied, rejected: 0, rejection: null });
  };

  get numbers(): number[] {
    return this.parts.flatMap(({ intervals }) => intervals.map(({ reportNumber }) => reportNumber));
  }
}

function recorded(disk: Disk, intervals: number): CommitLoop {
  const loop = new CommitLoop({ commit: disk.commit, explain: (error) => `why: ${String(error)}` });
  loop.record({ kind: 'call', call: callRecord('a') });
  for (let n = 1; n <= intervals; n++) loop.record({ kind: 'interval', interval: intervalRecord('c', n) });
  loop.record({ kind: 'call', call: callRecord('b') });
  return loop;
}

it('commits few changes as one part', async () => {
  const disk = new Disk();
  await recorded(disk, 500).flush();
  expect(disk.parts.map(({ operations, intervals }) => [operations.length, intervals.length])).toEqual([[2, 500]]);
});

it('commits what has piled up in parts: the reports in order, and states only when all reports before them are in', async () => {
  const disk = new Disk();
  const loop = recorded(disk, 10_000);
  await loop.flush();
  expect(disk.parts.map(({ operations, intervals }) => [operations.length, intervals.length])).toEqual([
    [0, 4000],
    [0, 4000],
    [2, 2000],
  ]);
  expect(disk.numbers).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 10_002, dropped: 0, problem: null });
});

it('goes on behind the last part that was taken when one fails, and says why until the next is taken', async () => {
  const disk = new Disk();
  disk.failsAt = [1, 2];
  const loop = recorded(disk, 10_000);
  const flushed = loop.flush();
  await expect.poll(() => loop.stats().problem, { interval: 5 }).toBe('why: Error: no room');
  expect(loop.stats()).toMatchObject({ queued: 6002, committed: 4000 });
  await flushed;
  expect(disk.failures).toBe(2);
  expect(disk.numbers).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 10_002, problem: null });
});

it('begins no other part once it is to end, and keeps account of what is left', async () => {
  const disk = new Disk();
  const first = Promise.withResolvers<CommitResult>();
  const loop = new CommitLoop({
    commit: (batch) => (disk.parts.push(batch) === 1 ? first.promise : disk.commit(batch)),
    explain: String,
  });
  for (let n = 1; n <= 9000; n++) loop.record({ kind: 'interval', interval: intervalRecord('c', n) });
  loop.hurry();
  expect(disk.parts).toHaveLength(1);
  loop.abandon();
  first.resolve({ applied: 4000, rejected: 0, rejection: null });
  await expect.poll(() => loop.stats(), { interval: 5 }).toMatchObject({ queued: 5000, committed: 4000 });
  expect(disk.parts).toHaveLength(1);
});
