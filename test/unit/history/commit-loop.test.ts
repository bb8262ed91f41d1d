import { expect, it, onTestFinished, vi } from 'vitest';
import { CommitLoop } from '../../../src/history/write/commit-loop.ts';
import { INTERVAL_COLUMNS } from '../../../src/history/schema/rows.ts';
import type { CommitRequest, CommitResult } from '../../../src/history/thread/protocol.ts';
import type { Batch } from '../../../src/history/write/batch.ts';
import { callRecord, channelRecord, intervalRecord, segmentRecord } from './records.ts';

const REPORT_NUMBER = INTERVAL_COLUMNS.names.indexOf('report_number');

/** A disk that takes what it is given, or not, and remembers it: of each part how many states it has, and its reports. */
class Disk {
  readonly parts: { readonly states: number; readonly reports: readonly unknown[] }[] = [];
  failures = 0;
  /** Numbers of the parts at which it fails once. */
  failsAt: number[] = [];

  #hasFailed = false;

  readonly commit = ({ isAhead, ...batch }: CommitRequest): Promise<CommitResult> => {
    if (isAhead && this.#hasFailed) return Promise.reject(new Error('the one before it failed'));
    this.#hasFailed = this.failsAt[0] === this.parts.length;
    if (this.#hasFailed) {
      this.failsAt.shift();
      this.failures++;
      return Promise.reject(new Error('no room'));
    }
    return Promise.resolve({ applied: this.take(batch), rejected: 0, rejection: null });
  };

  /** Returns how many changes it has. */
  take({ states, intervals }: Batch): number {
    const part = { states: states.length, reports: intervals.map((cells) => cells[REPORT_NUMBER]) };
    this.parts.push(part);
    return part.states + part.reports.length;
  }

  get numbers(): unknown[] {
    return this.parts.flatMap(({ reports }) => reports);
  }

  /** Of each part how many states and reports it has. */
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
  expect(disk.sizes).toEqual([
    [0, 10_000],
    [0, 10_000],
    [0, 10_000],
    [0, 10_000],
    [2000, 5000],
    [1002, 0],
  ]);
  expect(disk.numbers).toEqual(Array.from({ length: 45_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 48_002, dropped: 0, problem: null });
});

it('goes on behind the last part that was taken when one fails, and says why until the next is taken', async () => {
  const disk = new Disk();
  disk.failsAt = [2, 3];
  const loop = recorded(disk, 45_000);
  const flushed = loop.flush();
  await expect.poll(() => loop.stats().problem, { interval: 5 }).toBe('why: Error: no room');
  expect(loop.stats()).toMatchObject({ queued: 25_002, committed: 20_000 });
  await flushed;
  expect(disk.failures).toBe(2);
  expect(disk.numbers).toEqual(Array.from({ length: 45_000 }, (_, index) => index + 1));
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 45_002, problem: null });
});

it('has two parts under way, begins no other once it is to end, and keeps account of what is left', async () => {
  const disk = new Disk();
  const slow = Promise.withResolvers<void>();
  const loop = new CommitLoop({
    commit: async (request) => {
      const applied = disk.take(request);
      await slow.promise;
      return { applied, rejected: 0, rejection: null };
    },
    explain: String,
  });
  for (let n = 1; n <= 30_000; n++) loop.record({ kind: 'interval', interval: intervalRecord('c', n) });
  loop.hurry();
  expect(disk.sizes).toEqual([
    [0, 10_000],
    [0, 10_000],
  ]);
  expect(loop.stats().queued).toBe(30_000);
  loop.abandon();
  slow.resolve();
  await expect.poll(() => loop.stats(), { interval: 5 }).toMatchObject({ queued: 10_000, committed: 20_000 });
  expect(disk.parts).toHaveLength(2);
});

it('tries a part that was sent ahead again, in its turn, when the one before it failed', async () => {
  const asked: [isAhead: boolean, first: unknown][] = [];
  const disk = new Disk();
  disk.failsAt = [0];
  const loop = new CommitLoop({
    commit: (request) => {
      asked.push([request.isAhead, request.intervals[0]?.[REPORT_NUMBER]]);
      return disk.commit(request);
    },
    explain: String,
  });
  for (let n = 1; n <= 15_000; n++) loop.record({ kind: 'interval', interval: intervalRecord('c', n) });
  await loop.flush();
  expect(asked).toEqual([
    [false, 1],
    [true, 10_001],
    [false, 1],
    [true, 10_001],
  ]);
  expect(disk.numbers).toEqual(Array.from({ length: 15_000 }, (_, index) => index + 1));
});

it('lets changes wait for 200 ms, and what comes during a commit no less', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const disk = new Disk();
  const slow = Promise.withResolvers<void>();
  let slowly = Promise.resolve();
  const loop = new CommitLoop({ commit: (batch) => slowly.then(() => disk.commit(batch)), explain: String });
  const report = (reportNumber: number): void =>
    loop.record({ kind: 'interval', interval: intervalRecord('c', reportNumber) });
  report(1);
  await vi.advanceTimersByTimeAsync(100);
  loop.record({ kind: 'call', call: callRecord('a') });
  await vi.advanceTimersByTimeAsync(99);
  expect(disk.sizes).toEqual([]);
  slowly = slow.promise;
  await vi.advanceTimersByTimeAsync(1);
  // Under way now.
  report(2);
  slow.resolve();
  await vi.advanceTimersByTimeAsync(199);
  expect(disk.sizes).toEqual([[1, 1]]);
  await vi.advanceTimersByTimeAsync(1);
  expect(disk.numbers).toEqual([1, 2]);
  expect(loop.stats()).toMatchObject({ queued: 0, committed: 3 });
});

it('cuts what has piled up between calls, never between a call and its channels', async () => {
  const committed: string[][] = [];
  const commit = ({ states }: Batch): Promise<CommitResult> => {
    committed.push(
      states.map((state) => (state.kind === 'call-merged' ? state.kind : `${state.kind} ${state.cells[0]}`)),
    );
    return Promise.resolve({ applied: states.length, rejected: 0, rejection: null });
  };
  const loop = new CommitLoop({ commit, explain: String });
  for (let n = 0; n < 1500; n++) {
    loop.record({ kind: 'channel', channel: channelRecord(`c${n}`, { linkedid: `call${n}` }), resume: null });
    loop.record({ kind: 'segment', segment: segmentRecord(`c${n}`, 1) });
  }
  // All channels first, and then all calls.
  for (let n = 0; n < 1500; n++) loop.record({ kind: 'call', call: callRecord(`call${n}`) });
  await loop.flush();
  const [first = []] = committed;
  expect(committed).toHaveLength(3);
  expect(committed.flat()).toHaveLength(4500);
  expect(new Set(committed.flat()).size).toBe(4500);
  for (const part of committed) {
    const channels = part
      .filter((state) => state.startsWith('channel '))
      .map((state) => state.slice('channel c'.length));
    const calls = part.filter((state) => state.startsWith('call ')).map((state) => state.slice('call call'.length));
    expect(channels).toEqual(calls);
  }
  expect(first.length).toBeGreaterThanOrEqual(2000);
  expect(first.length).toBeLessThanOrEqual(2002);
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
  await vi.advanceTimersByTimeAsync(200);
  loop.record({ kind: 'call', call: callRecord('b') });
  await vi.advanceTimersByTimeAsync(1000);
  expect([begun, loop.stats().queued]).toEqual([1, 2]);
  first.resolve({ applied: 1, rejected: 0, rejection: null });
  await vi.advanceTimersByTimeAsync(0);
  expect([disk.sizes, loop.stats().queued]).toEqual([[[1, 0]], 0]);
});
