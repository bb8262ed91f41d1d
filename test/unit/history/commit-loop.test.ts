import { expect, it, onTestFinished, vi } from 'vitest';
import { CommitLoop } from '../../../src/history/write/commit-loop.ts';
import type { Batch, CommitResult } from '../../../src/history/thread/protocol.ts';
import { callRecord, intervalRecord, reportNumbers, unpackOperations } from './records.ts';

const NONE = { intervals: 0, operations: 0 };

/** A disk that takes what it is given, or not, and remembers it: of each part how many operations it has, and its reports. */
class Disk {
  readonly parts: { readonly states: number; readonly reports: readonly unknown[] }[] = [];
  failures = 0;
  /** Numbers of the parts at which it fails once. */
  failsAt: number[] = [];

  readonly commit = (batch: Batch): Promise<CommitResult> => {
    if (this.failsAt[0] === this.parts.length) {
      this.failsAt.shift();
      this.failures++;
      return Promise.reject(new Error('no room'));
    }
    return Promise.resolve({ applied: this.take(batch), rejected: 0, rejection: null, journaled: NONE });
  };

  /** Returns how many changes it has. */
  take({ operations, intervals }: Batch): number {
    const part = { states: unpackOperations(operations).length, reports: reportNumbers(intervals) };
    this.parts.push(part);
    return part.states + part.reports.length;
  }

  get numbers(): unknown[] {
    return this.parts.flatMap(({ reports }) => reports);
  }

  /** Of each part how many operations and intervals it has. */
  get sizes(): number[][] {
    return this.parts.map(({ states, reports }) => [states, reports.length]);
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
  expect(disk.sizes).toEqual([[2, 500]]);
});

it('commits what has piled up in parts: the reports in order, and states only when all reports before them are in', async () => {
  const disk = new Disk();
  const loop = recorded(disk, 45_000);
  for (let n = 1; n <= 3000; n++) loop.record({ kind: 'call', call: callRecord(`c${n}`) });
  await loop.flush();
  // Of the states as many whole pieces as have at most 2,000.
  const [, , [most = 0] = []] = disk.sizes;
  expect(most).toBeGreaterThan(1500);
  expect(most).toBeLessThanOrEqual(2000);
  expect(disk.sizes).toEqual([
    [0, 20_000],
    [0, 20_000],
    [most, 5000],
    [3002 - most, 0],
  ]);
  expect(disk.numbers).toEqual(Array.from({ length: 45_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 48_002, dropped: 0, problem: null });
});

it('goes on behind the last part that was taken when one fails, and says why until the next is taken', async () => {
  const disk = new Disk();
  disk.failsAt = [1, 2];
  const loop = recorded(disk, 45_000);
  const flushed = loop.flush();
  await expect.poll(() => loop.stats().problem, { interval: 5 }).toBe('why: Error: no room');
  expect(loop.stats()).toMatchObject({ queued: 25_002, committed: 20_000 });
  await flushed;
  expect(disk.failures).toBe(2);
  expect(disk.numbers).toEqual(Array.from({ length: 45_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 45_002, problem: null });
});

it('begins no other part once it is to end, and keeps account of what is left', async () => {
  const disk = new Disk();
  const first = Promise.withResolvers<CommitResult>();
  const loop = new CommitLoop({
    commit: (batch) => (disk.take(batch) === 20_000 ? first.promise : disk.commit(batch)),
    explain: String,
  });
  for (let n = 1; n <= 30_000; n++) loop.record({ kind: 'interval', interval: intervalRecord('c', n) });
  loop.hurry();
  expect(disk.parts).toHaveLength(1);
  loop.abandon();
  first.resolve({ applied: 20_000, rejected: 0, rejection: null, journaled: NONE });
  await expect.poll(() => loop.stats(), { interval: 5 }).toMatchObject({ queued: 10_000, committed: 20_000 });
  expect(disk.parts).toHaveLength(1);
});

it('lets reports wait for 200 ms and states for 50, and what comes during a commit no less', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const disk = new Disk();
  let slowly = Promise.resolve();
  const loop = new CommitLoop({ commit: (batch) => slowly.then(() => disk.commit(batch)), explain: String });
  const report = (reportNumber: number): void =>
    loop.record({ kind: 'interval', interval: intervalRecord('c', reportNumber) });
  report(1);
  await vi.advanceTimersByTimeAsync(100);
  report(2);
  await vi.advanceTimersByTimeAsync(99);
  expect(disk.sizes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(disk.sizes).toEqual([[0, 2]]);

  report(3);
  await vi.advanceTimersByTimeAsync(10);
  const endSlow = Promise.withResolvers<void>();
  slowly = endSlow.promise;
  loop.record({ kind: 'call', call: callRecord('a') });
  await vi.advanceTimersByTimeAsync(50);
  // Under way now.
  report(4);
  endSlow.resolve();
  await vi.advanceTimersByTimeAsync(199);
  expect(disk.sizes).toEqual([
    [0, 2],
    [1, 1],
  ]);
  await vi.advanceTimersByTimeAsync(1);
  expect(disk.numbers).toEqual([1, 2, 3, 4]);
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 5 });
});

it('commits at once what became due while a commit took long', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const disk = new Disk();
  const first = Promise.withResolvers<CommitResult>();
  let begun = 0;
  const loop = new CommitLoop({
    commit: (batch) => (++begun === 1 ? first.promise : disk.commit(batch)),
    explain: String,
  });
  loop.record({ kind: 'call', call: callRecord('a') });
  await vi.advanceTimersByTimeAsync(50);
  loop.record({ kind: 'call', call: callRecord('b') });
  await vi.advanceTimersByTimeAsync(1000);
  expect([begun, loop.stats().queued]).toEqual([1, 2]);
  first.resolve({ applied: 1, rejected: 0, rejection: null, journaled: NONE });
  await vi.advanceTimersByTimeAsync(0);
  expect([disk.sizes, loop.stats().queued]).toEqual([[[1, 0]], 0]);
});
