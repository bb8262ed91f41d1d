import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WorkerLink } from '../../../src/history/thread/worker-link.ts';
import type { DyingMethods } from './dying-worker.ts';

let link: WorkerLink<DyingMethods>;

beforeEach(() => {
  link = new WorkerLink<DyingMethods>(new URL('dying-worker.ts', import.meta.url), '');
});
afterEach(() => link.stop(1000));

it('brings back what the thread answers and what it throws, each to its own request', async () => {
  const answers = await Promise.allSettled([
    link.request('echo', 'a'),
    link.request('fail', 'SQLITE_FULL'),
    link.request('echo', 'b'),
  ]);
  expect(answers).toMatchObject([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: { message: 'as it was told', code: 'SQLITE_FULL' } },
    { status: 'fulfilled', value: 'b' },
  ]);
});

it('fails what was open when the thread died, and starts it anew for the next request', async () => {
  const answers = await Promise.allSettled([link.request('die', null), link.request('echo', 'lost')]);
  const reason = { message: 'the database thread failed: it ended', code: '' };
  expect(answers).toMatchObject([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  expect(await link.request('echo', 'again')).toBe('again');
});

it('closes a thread that was idle for a while, and starts one for the next request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-link-'));
  const closed = join(folder, 'closed');
  const idle = new WorkerLink<DyingMethods>(new URL('dying-worker.ts', import.meta.url), closed, 20);
  try {
    const first = await idle.request('thread', null);
    await vi.waitFor(() => expect(existsSync(closed)).toBe(true), 10_000);
    const second = await idle.request('thread', null);
    expect(second).toBeGreaterThan(first);
  } finally {
    await idle.stop(1000);
    rmSync(folder, { recursive: true });
  }
});

it('takes no request once it was stopped', async () => {
  expect(await link.request('echo', 'a')).toBe('a');
  await link.stop(1000);
  await expect(link.request('echo', 'b')).rejects.toMatchObject({ message: 'the history is closed' });
});

it('brings back a long list whole and in order, a part of it in each turn of the event loop', async () => {
  for (const count of [0, 1, 2, 5000]) {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const [list, page] = await Promise.all([link.request('items', count), link.request('page', count)]);
    expect(list.map(({ number }) => number)).toEqual(numbers);
    expect(list.every(({ text }) => text.length === 400)).toBe(true);
    expect(page.items.map(({ number }) => number)).toEqual(numbers);
    expect([page.total, page.others]).toEqual([count, ['a', 'b']]);
  }
  let [turns, isOver] = [0, false];
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  // 5000 items of 400 bytes are 2 MB: thirty parts of 64 KB.
  await link.request('items', 5000);
  isOver = true;
  expect(turns).toBeGreaterThan(25);
});

it('gives no half of a list when the thread ends in the middle', async () => {
  const asked = link.request('items', 20_000);
  await link.request('echo', 'a');
  await link.restart();
  await expect(asked).rejects.toMatchObject({ message: 'the thread was started anew in the middle of an answer' });
  expect(await link.request('echo', 'again')).toBe('again');
});
