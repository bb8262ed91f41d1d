import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHistory } from '../../../src/history/history.ts';
import { callRecord, START_MS } from './records.ts';

it('the size of the history is that of its file and its log, or not known', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mes-size-'));
  const path = join(folder, 'mes.sqlite');
  const keptMs = 86_400_000;
  const history = await openHistory({
    path,
    keepIntervalsMs: keptMs,
    keepCallsMs: keptMs,
    clock: { nowMs: () => START_MS },
  });
  history.record({ kind: 'call', call: callRecord('call') });
  await history.flush();
  const [database, log] = await Promise.all([stat(path), stat(`${path}-wal`)]);
  expect(log.size).toBeGreaterThan(0);
  expect(history.sizeBytes()).toBe(database.size + log.size);
  await history.close();
  expect(history.sizeBytes()).toBe((await stat(path)).size);
  await rename(path, join(folder, 'gone'));
  expect(history.sizeBytes()).toBeNull();
  await rm(folder, { recursive: true });
});
