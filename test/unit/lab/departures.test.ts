import { expect, test, vi } from 'vitest';
import { DepartureQueue, epochMs } from '../../lab/departures.ts';
import { ownThreadId, runInRealTime } from '../../lab/real-time.ts';

/** Lets 200 items leave; gives how late the first and the usual one left. */
async function departures(): Promise<{ readonly earliestMs: number; readonly medianMs: number }> {
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
  await vi.waitFor(() => expect(sent).toHaveLength(200), { timeout: 30_000, interval: 50 });
  const inOrder = [...sent].sort((one, other) => one.dueMs - other.dueMs || one.name - other.name);
  expect(sent.map(({ name }) => name)).toStrictEqual(inOrder.map(({ name }) => name));
  const lateMs = sent.map((item) => item.lateMs).sort((one, other) => one - other);
  return { earliestMs: lateMs[0] ?? NaN, medianMs: lateMs[100] ?? NaN };
}

test('items leave in the order of their moments, equal moments in the order of arrival, and never late by much', async () => {
  await runInRealTime({ threadId: ownThreadId() }, 'network');
  const mediansMs: number[] = [];
  // A busy machine may hold up a whole round; of a queue that is late itself, every round is.
  do {
    const { earliestMs, medianMs } = await departures();
    expect(earliestMs).toBeGreaterThan(-0.7);
    mediansMs.push(medianMs);
  } while (Math.min(...mediansMs) >= 1 && mediansMs.length < 40);
  expect(Math.min(...mediansMs)).toBeLessThan(1);
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
  queue.add(nowMs + 1000, 'late');
  queue.add(nowMs + 20, 'early');
  await vi.waitFor(() => expect(sent).toStrictEqual(['early']), 30_000);
  await vi.waitFor(() => expect(sent).toStrictEqual(['early', 'late']), 30_000);
  expect(epochMs() - nowMs).toBeGreaterThan(999);
});
