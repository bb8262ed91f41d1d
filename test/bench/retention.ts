import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { openHistory } from '../../src/history/history.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { callRecord, intervalRecord } from '../unit/history/records.ts';
import { makeHistory, SPAN_MS } from './history-maker.ts';
import { type Output, quantile } from './output.ts';

/** A month of calls, 5 GB with their ten million reports. */
const CALLS = 1_000_000;
const END_MS = 1_795_000_000_000;
const FOLDER = join(REPOSITORY, '.lab');
/** Half of the month expires. */
const KEEP_MS = SPAN_MS / 2;
const COMMIT_EVERY_MS = 100;
const MOST_COMMIT_MS = 250;

/** Answers at once: what the machine itself takes for asking a thread and hearing its answer. */
const ECHO = `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (n) => parentPort.postMessage(n));`;

/**
 * A history of which half has expired is opened and deletes that half, while reports go on being committed ten times a second. Fails
 * when a commit takes 250 ms or more, when something that has expired is left, or when the file has not shrunk. A thread that does nothing is
 * asked at the same moments: what it takes is the load of the machine, not the history.
 */
export async function run(output: Output, calls = CALLS): Promise<void> {
  const path = join(FOLDER, `retention-${calls}.sqlite`);
  output.say(`a history of ${calls} calls …`);
  makeHistory(path, { calls, endMs: END_MS, withIntervals: true });
  const beforeBytes = statSync(path).size;
  const limits = { keepIntervalsMs: KEEP_MS, keepCallsMs: KEEP_MS };
  const history = await openHistory({ path, ...limits, clock: { nowMs: () => END_MS } });
  const startMs = performance.now();
  const commitsMs: number[] = [];
  const idleMs: number[] = [];
  const echo = new Worker(ECHO, { eval: true });
  echo.on('message', (sentMs: number) => idleMs.push(performance.now() - sentMs));
  const left = new Sqlite(path, { readonly: true });
  const expired = left
    .prepare<unknown[], number>('SELECT count(*) FROM (SELECT 1 FROM calls WHERE ended_at_ms < ? LIMIT 1)')
    .pluck();
  const free = (): number => Number(left.pragma('freelist_count', { simple: true }));
  let steady = 0;
  for (let n = 1; steady < 20; n++) {
    history.record({ kind: 'interval', interval: intervalRecord('live', n, { atMs: END_MS }) });
    history.record({ kind: 'call', call: callRecord('live', { startedAtMs: END_MS }) });
    const atMs = performance.now();
    echo.postMessage(atMs, []);
    await history.flush();
    commitsMs.push(performance.now() - atMs);
    await new Promise((resolve) => setTimeout(resolve, COMMIT_EVERY_MS));
    const isDone = expired.get(END_MS - KEEP_MS) === 0 && free() <= 3000;
    steady = isDone ? steady + 1 : 0;
  }
  left.close();
  await echo.terminate();
  const tookS = (performance.now() - startMs) / 1000;
  await history.close();
  const afterBytes = statSync(path).size;
  for (const suffix of ['', '-wal', '-shm', '-lock', '.stamp']) {
    if (existsSync(`${path}${suffix}`)) rmSync(`${path}${suffix}`);
  }
  const worstMs = Math.max(...commitsMs);
  const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  output.say(`half of it deleted in ${tookS.toFixed(0)} s; file ${mb(beforeBytes)} MB, then ${mb(afterBytes)} MB`);
  output.say(
    `${commitsMs.length} commits meanwhile: 99th percentile ${quantile(commitsMs, 0.99).toFixed(0)} ms, longest ${worstMs.toFixed(0)} ms`,
  );
  const worstIdleMs = Math.max(...idleMs);
  output.say(
    `a thread that does nothing: 99th percentile ${quantile(idleMs, 0.99).toFixed(0)} ms, longest ${worstIdleMs.toFixed(0)} ms`,
  );
  output.result({
    took_s: tookS,
    before_bytes: beforeBytes,
    after_bytes: afterBytes,
    longest_commit_ms: worstMs,
    longest_idle_ms: worstIdleMs,
  });
  if (worstMs >= MOST_COMMIT_MS || afterBytes > beforeBytes * 0.7) process.exitCode = 1;
}
