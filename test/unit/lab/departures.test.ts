import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DepartureQueue, epochMs } from '../../lab/departures.ts';

test('items leave in the order of their moments, equal moments in the order of arrival, and never late by much', async () => {
  const sent: { name: number; lateMs: number; dueMs: number }[] = [];
  const queue = new DepartureQueue<{ name: number; dueMs: number }>(({ name, dueMs }) => {
    sent.push({ name, dueMs, lateMs: epochMs() - dueMs });
  });
  const startMs = epochMs();
  // 100 items over 100 ms, added in a scrambled order (37 is prime to 100); two of each moment.
  for (let index = 0; index < 200; index += 1) {
    const dueMs = startMs + 10 + ((index * 37) % 100);
    queue.add(dueMs, { name: index, dueMs });
  }
  await sleep(200);
  expect(sent).toHaveLength(200);
  const inOrder = [...sent].sort((one, other) => one.dueMs - other.dueMs || one.name - other.name);
  expect(sent.map(({ name }) => name)).toStrictEqual(inOrder.map(({ name }) => name));
  const late = sent.map(({ lateMs }) => lateMs).sort((one, other) => one - other);
  expect(late[0]).toBeGreaterThan(-0.7);
  // The median: a busy machine may hold up a few.
  expect(late[100]).toBeLessThan(1);
});

test('an item that is due goes at once', () => {
  const sent: string[] = [];
  const queue = new DepartureQueue<string>((item) => sent.push(item));
  queue.add(epochMs() - 5, 'overdue');
  expect(sent).toStrictEqual(['overdue']);
});

test('an item that comes later but is due earlier does not wait for the first', async () => {
  const sent: string[] = [];
  const queue = new DepartureQueue<string>((item) => sent.push(item));
  const nowMs = epochMs();
  queue.add(nowMs + 400, 'late');
  queue.add(nowMs + 20, 'early');
  await sleep(60);
  expect(sent).toStrictEqual(['early']);
  await sleep(400);
  expect(sent).toStrictEqual(['early', 'late']);
});
