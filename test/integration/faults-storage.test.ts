import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite, { type Database } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import type { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';
import {
  counters,
  expectScoresWritten,
  LOSSY,
  memoryMb,
  print,
  readiness,
  soon,
  startCall,
} from './fixtures/sidecar-checks.ts';
import { readStored, startSimulatedPbx } from './fixtures/simulated-pbx.ts';

/** So many times more comes than is stored. */
const FASTER = 10;
/** Each with 234 reports; something is dropped when 100,000 to 200,000 changes wait. */
const MOST_FLOOD_CALLS = 1600;
const LIVE_CALLS = 10;
/** What a statement takes more; three times as much after each of so many calls. */
const FIRST_SLOWNESS_MS = 3;
const SLOWER_EVERY_CALLS = 200;
/** Of its own it waits 3 s at most; a busy machine may be slow with the rest. It is killed after 20 s. */
const MOST_STOP_MS = 12_000;
/** Of the changes that may wait and of those under way, some 1.7 KB each, and of what the flood leaves to be collected. */
const MOST_MORE_MB = 400;

/** Another program that holds the lock of the database. */
async function lock({ databasePath }: SidecarProcess): Promise<Database> {
  // It shares its thread with the simulated Asterisk and must not wait.
  const database = new Sqlite(databasePath, { timeout: 0 });
  await soon(() => void database.exec('BEGIN IMMEDIATE'));
  return database;
}

/** Writes until there is no room left for a single block. */
function fillDisk(file: number): void {
  for (const size of [1_000_000, 4096]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch {
      // ENOSPC
    }
  }
}

/** Tells it to stop. `lost`: how many changes it says to be lost, and why. */
async function shutDown(sidecar: SidecarProcess): Promise<{ stopMs: number; lost: RegExpExecArray | null }> {
  const endingAtMs = performance.now();
  await sidecar.shutDown();
  const stopMs = Math.round(performance.now() - endingAtMs);
  return { stopMs, lost: /history: the last (\d+) changes were lost at the end, because ([^"]*)/.exec(sidecar.output) };
}

interface Flood {
  readonly calls: number;
  readonly reports: number;
  /** Changes that were stored meanwhile. */
  readonly committed: number;
  /** Scores that were written to calls that were up all the time. */
  readonly setvars: number;
  readonly mostMb: number;
}

/** Says calls as fast as the sidecar takes them until something had to be dropped. */
async function flood(asterisk: SimulatedAsterisk, sidecar: SidecarProcess): Promise<Flood> {
  const before = asterisk.counters;
  let slownessMs = FIRST_SLOWNESS_MS;
  const slowDown = (): void => writeFileSync(`${sidecar.databasePath}.slow`, String(slownessMs));
  slowDown();
  const stored = async (): Promise<number> => (await counters(sidecar))['history_committed'] ?? 0;
  const committedBefore = await stored();
  // What is stored goes on being stored, if slowly.
  await soon(async () => expect(await stored()).toBeGreaterThan(committedBefore));
  let [calls, reports, committed, mostMb] = [0, 0, 0, 0];
  let isOverflowing = false;
  while (calls < MOST_FLOOD_CALLS && !(isOverflowing && committed * FASTER < reports)) {
    for (let call = 0; call < 20; call++, calls++) asterisk.sayAtOnce(LOSSY);
    // On a machine that is slow itself this disk is not too slow.
    if (calls % SLOWER_EVERY_CALLS === 0) {
      slownessMs *= 3;
      slowDown();
    }
    await sleep(1);
    const now = await counters(sidecar);
    committed = (now['history_committed'] ?? 0) - committedBefore;
    reports = asterisk.counters.reports - before.reports;
    isOverflowing = (now['history_dropped'] ?? 0) > 0;
    mostMb = Math.max(mostMb, memoryMb(sidecar));
  }
  return { calls, reports, committed, setvars: asterisk.counters.setvars - before.setvars, mostMb };
}

describe.concurrent('where storing fails, against a simulated Asterisk', () => {
  test('ten times more comes than the disk takes: memory is bounded, what is dropped is counted and told, scores go on being written', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_100, { diskMaySlow: true, compileCache: false });
    try {
      for (let call = 0; call < LIVE_CALLS; call++) startCall(asterisk, 500);
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(2 * LIVE_CALLS));
      const startMb = memoryMb(sidecar);
      const flooded = await flood(asterisk, sidecar);
      const { reports } = asterisk.counters;
      await soon(async () => {
        const { calls_reports: taken = 0, calls_late_reports: late = 0 } = await counters(sidecar);
        expect(taken + late).toBeGreaterThanOrEqual(reports);
      });
      const full = await counters(sidecar);
      const { history_queued: queued = 0, history_dropped: dropped = 0 } = full;
      const mostMb = Math.max(flooded.mostMb, memoryMb(sidecar));
      print('flooded', { ...flooded, startMb, mostMb, queued, dropped });
      expect(full['ami_reconnects']).toBe(0);
      expect(flooded.committed).toBeGreaterThan(0);
      expect(flooded.committed).toBeLessThan(flooded.reports / FASTER);
      // As many may be under way to the disk as may wait.
      expect(queued).toBeLessThanOrEqual(200_000);
      expect(dropped).toBeGreaterThan(0);
      await soon(() => expect(sidecar.output).toMatch(/history: \d+ changes were given up, the oldest reports first/));
      expect(mostMb - startMb).toBeLessThan(MOST_MORE_MB);
      // Each of the channels that were up, on average.
      expect(flooded.setvars).toBeGreaterThan(2 * LIVE_CALLS);
      await expectScoresWritten(asterisk);

      rmSync(`${sidecar.databasePath}.slow`);
      await soon(async () => expect((await counters(sidecar))['history_queued']).toBeLessThan(100));
      expect(await readiness(sidecar)).toMatch(/^200 /);
      const { stopMs, lost } = await shutDown(sidecar);
      print('SIGTERM', { stopMs });
      expect(lost).toBeNull();
      expect(stopMs).toBeLessThan(MOST_STOP_MS);
      // Every call's end was kept, whatever had to go.
      expect(readStored(sidecar.databasePath)).toMatchObject({
        integrity: 'ok',
        calls: flooded.calls + LIVE_CALLS + 1,
        callsUp: LIVE_CALLS + 1,
      });
    } finally {
      await stop();
    }
  });

  test('the database locked by another program: said in one sentence, and stored later; told to stop meanwhile it ends within seconds and says what is lost', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_300, { compileCache: false });
    const lockAndSay = async (): Promise<Database> => {
      const other = await lock(sidecar);
      for (let call = 0; call < 5; call++) asterisk.sayAtOnce(LOSSY);
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^503 .*locked by another program/));
      return other;
    };
    try {
      const first = await lockAndSay();
      await expectScoresWritten(asterisk);
      expect(await counters(sidecar)).toMatchObject({ history_committed: 0, history_dropped: 0 });
      first.close();
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^200 /));
      await soon(() => expect(readStored(sidecar.databasePath)).toMatchObject({ calls: 6, callsUp: 1 }));

      const second = await lockAndSay();
      const { history_queued: queued = 0 } = await counters(sidecar);
      const { stopMs, lost } = await shutDown(sidecar);
      print('SIGTERM while locked', { stopMs, queued, lost: lost?.[1] ?? 'nothing' });
      expect(Number(lost?.[1])).toBeGreaterThanOrEqual(queued);
      expect(lost?.[2]).toMatch(/^the history .* is locked by another program/);
      expect(stopMs).toBeLessThan(MOST_STOP_MS);
      second.close();
      expect(readStored(sidecar.databasePath)).toMatchObject({ integrity: 'ok', calls: 6 });
    } finally {
      await stop();
    }
  });

  test('the disk full: said in one sentence, scores go on being written, and all is stored when there is room again', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_400, { diskKilobytes: 8000 });
    try {
      // Only the sidecar's own namespace has its disk.
      const filler = openSync(join(`/proc/${sidecar.pid}/root`, sidecar.databasePath, '../filler'), 'w');
      fillDisk(filler);
      for (let call = 0; call < 20; call++) asterisk.sayAtOnce(LOSSY);
      await soon(async () =>
        expect(await readiness(sidecar)).toMatch(/^503 .*because the disk is full; free some space/),
      );
      await expectScoresWritten(asterisk);
      expect((await sidecar.get<{ channels: unknown[] }>('/v1/live')).channels).toHaveLength(2);
      const full = await counters(sidecar);
      expect(full['history_dropped']).toBe(0);

      ftruncateSync(filler, 0);
      closeSync(filler);
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^200 /));
      await soon(async () => expect((await counters(sidecar))['history_queued']).toBeLessThan(100));
      const { calls } = await sidecar.get<{ calls: { state: string }[] }>('/v1/calls?limit=500');
      print('disk full', { waited: full['history_queued'] ?? 0, calls: calls.length });
      expect(calls.map(({ state }) => state).sort()).toEqual([...Array.from({ length: 20 }, () => 'ended'), 'up']);
      expect(await counters(sidecar)).toMatchObject({ history_dropped: 0, history_rejected: 0 });
      expect(sidecar.output).not.toMatch(/\n\s+at /);
    } finally {
      await stop();
    }
  });
});
