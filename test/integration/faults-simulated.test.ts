import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import { atPace, readRecording } from '../lab/recording.ts';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import type { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';
import { readStored, startSimulatedPbx } from './fixtures/simulated-pbx.ts';

const LOSSY = readRecording('22-lossy-call');
/** Of the 30: the others hit the history alone (`test/unit/history/history.test.ts`), which starts faster. */
const KILLS = 8;
/** Reports poured out at once while nothing can be written: more than the 50,000 changes that may wait. */
const FLOOD_CALLS = 600;
/** Of a real lock, half a minute; longer changes nothing but the time that the test takes. */
const LOCKED_MS = 3000;

/** One line, found again in the log of a test run. */
function print(what: string, figures: Record<string, number | string>): void {
  process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

/** A busy machine may need a while. */
function soon(check: () => void | Promise<void>, timeout = 20_000): Promise<void> {
  return vi.waitFor(check, { timeout, interval: 50 });
}

interface LiveChannels {
  readonly channels: readonly {
    readonly uniqueid: string;
    readonly mes: number | null;
    readonly verdict: string | null;
    readonly duration_s: number;
    readonly streams: readonly { readonly reports: number }[];
  }[];
}

/** Status and words of /readyz, such as `503 {"detail": …}`. */
async function readiness({ url }: SidecarProcess): Promise<string> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
  return `${answer.status} ${await answer.text()}`;
}

async function counters(sidecar: SidecarProcess): Promise<Record<string, number>> {
  const health = await sidecar.get<{ counters: Record<string, number> }>('/healthz');
  return health.counters;
}

function memoryMb({ pid }: SidecarProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
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

/** Resolves when the database knows of all these channels. */
function stored({ databasePath }: SidecarProcess, uniqueids: readonly string[]): Promise<void> {
  return soon(() => {
    const { channels } = readStored(databasePath);
    expect(uniqueids.filter((uniqueid) => !channels.has(uniqueid))).toEqual([]);
  });
}

/** A call that begins now has its scores on both channels soon. */
async function expectScoresWritten(asterisk: SimulatedAsterisk): Promise<void> {
  const before = new Set(asterisk.channelsUp);
  asterisk.startCall(atPace(LOSSY, { reportEveryMs: 200, callMs: 600_000 }));
  await soon(() => {
    const fresh = asterisk.channelsUp.filter((uniqueid) => !before.has(uniqueid));
    const scores = fresh.map((uniqueid) => asterisk.variablesOf(uniqueid)?.get('MES_RX'));
    expect(scores).toEqual([expect.stringMatching(/^[1-4]\.\d\d$/), expect.stringMatching(/^[1-4]\.\d\d$/)]);
  });
}

describe.concurrent('against a simulated Asterisk', { timeout: 120_000 }, () => {
  test('killed at random moments under load: the database whole, no call lost, no interval twice', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_000);
    const call = atPace(LOSSY, { reportEveryMs: 200, callMs: 6000 });
    const calling = setInterval(() => asterisk.startCall(call), 500);
    try {
      // Of which the database has told once.
      const known = new Set<string>();
      let reportsKnown = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        await (kill % 4 === 0 ? stored(sidecar, asterisk.channelsUp) : sleep(Math.random() * 500));
        await sidecar.kill();
        const { integrity, channels, directions } = readStored(sidecar.databasePath);
        expect(integrity).toBe('ok');
        expect([...known].filter((uniqueid) => !channels.has(uniqueid))).toEqual([]);
        for (const uniqueid of channels) known.add(uniqueid);
        for (const { reports, lastNumber } of directions) expect(reports).toBe(lastNumber);
        const reports = directions.reduce((sum, direction) => sum + direction.reports, 0);
        expect(reports).toBeGreaterThanOrEqual(reportsKnown);
        reportsKnown = reports;
        await sidecar.start();
      }
      clearInterval(calling);
      await soon(() => expect(asterisk.counters.channelsUp).toBe(0));
      await soon(async () => expect((await sidecar.get<{ channels: unknown[] }>('/v1/live')).channels).toEqual([]));
      await sidecar.shutDown();

      const history = readStored(sidecar.databasePath);
      const { callsBegun, reports: reportsSaid } = asterisk.counters;
      const reports = history.directions.reduce((sum, direction) => sum + direction.reports, 0);
      print('SIGKILL', { kills: KILLS, callsBegun, calls: history.calls, reportsSaid, reportsStored: reports });
      expect(history.integrity).toBe('ok');
      expect([...known].filter((uniqueid) => !history.channels.has(uniqueid))).toEqual([]);
      expect([history.callsUp, history.channelsUp]).toEqual([0, 0]);
      // Both legs of each; a call may have come and gone while the sidecar was up for a moment only.
      expect(history.channels.size).toBe(2 * history.calls);
      expect(history.calls).toBeLessThanOrEqual(callsBegun);
      expect(history.calls).toBeGreaterThan(callsBegun / 2);
      for (const { direction, reports: count, lastNumber, repeated, ...expected } of history.directions) {
        expect([count, repeated]).toEqual([lastNumber, 0]);
        // What passed while nobody listened is counted all the same, and nothing twice. (Of what we sent, some is not
        // counted around the moment at which the call was bridged.)
        expect(expected.bySum).toBeLessThanOrEqual(expected.bySequence);
        expect(direction === 'tx' ? expected.bySequence : expected.bySum).toBe(expected.bySequence);
      }
      expect(reports).toBeGreaterThan(reportsSaid / 20);
      expect(reports).toBeLessThanOrEqual(reportsSaid);
    } finally {
      clearInterval(calling);
      await stop();
    }
  });

  test('the database locked by another program, and more comes than can wait: scores go on being written, memory is bounded, what is dropped is counted and told', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_100);
    try {
      const startMb = memoryMb(sidecar);
      const other = new Sqlite(sidecar.databasePath);
      other.exec('BEGIN IMMEDIATE');
      const lockedAtMs = performance.now();
      asterisk.sayAtOnce(LOSSY);
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^503 .*locked by another program/));
      let largestMb = 0;
      for (let call = 0; call < FLOOD_CALLS; call++) {
        asterisk.sayAtOnce(LOSSY);
        if (call % 20 === 0) await sleep(1);
        largestMb = Math.max(largestMb, memoryMb(sidecar));
      }
      const { events, reports } = asterisk.counters;
      await soon(async () => {
        const { calls_reports: taken = 0, calls_late_reports: late = 0 } = await counters(sidecar);
        expect(taken + late).toBe(reports);
      });
      const tookMs = Math.round(performance.now() - lockedAtMs);
      await sleep(Math.max(0, LOCKED_MS - tookMs));
      largestMb = Math.max(largestMb, memoryMb(sidecar));
      const full = await counters(sidecar);
      expect(full).toMatchObject({ ami_reconnects: 0, history_committed: 0 });
      // As many may be under way to the disk as may wait.
      expect(full['history_queued']).toBeLessThanOrEqual(100_000);
      expect(full['history_queued']).toBeGreaterThan(10_000);
      expect(full['history_dropped']).toBeGreaterThan(0);
      expect(sidecar.output).toMatch(/history: \d+ changes were given up, the oldest reports first/);
      await expectScoresWritten(asterisk);

      other.exec('ROLLBACK');
      other.close();
      await soon(async () => expect((await counters(sidecar))['history_queued']).toBeLessThan(100));
      expect(await readiness(sidecar)).toMatch(/^200 /);
      const lockedMs = Math.round(performance.now() - lockedAtMs);
      print('locked and flooded', { lockedMs, events, reports, tookMs, startMb, largestMb, ...full });
      expect(largestMb - startMb).toBeLessThan(800);

      const seen = await counters(sidecar);
      const endingAtMs = performance.now();
      await sidecar.shutDown();
      const stopMs = Math.round(performance.now() - endingAtMs);
      print('SIGTERM', { stopMs, committedBefore: seen['history_committed'] ?? 0 });
      expect(stopMs).toBeLessThan(3000);
      // Every call's end was kept, whatever had to go.
      expect(readStored(sidecar.databasePath)).toMatchObject({ integrity: 'ok', calls: FLOOD_CALLS + 2, callsUp: 1 });
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
      expect((await sidecar.get<LiveChannels>('/v1/live')).channels).toHaveLength(2);
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

  test('the clock set by an hour, forward and back: nothing is called dead, no report counts for more than one', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_200, { clockBySignal: true });
    try {
      // At the pace that it was recorded at: whether something should have arrived is judged by its time.
      asterisk.startCall(atPace(LOSSY, { reportEveryMs: 1000, callMs: 600_000 }));
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(4));
      for (const [signal, byS] of [
        ['SIGUSR2', 3600],
        ['SIGHUP', -3600],
      ] as const) {
        process.kill(sidecar.pid ?? 0, signal);
        await soon(() => expect(sidecar.output).toContain(`the system's clock was set by ${byS}`));
        const { setvars } = asterisk.counters;
        await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(setvars + 4));
        const { channels } = await sidecar.get<LiveChannels>('/v1/live');
        expect(channels).toHaveLength(2);
        for (const { verdict, duration_s: durationS } of channels) {
          expect(verdict).toMatch(/^(good|fair|poor)$/);
          expect(durationS).toBeGreaterThan(0);
          expect(durationS).toBeLessThan(300);
        }
      }
      await sidecar.shutDown();
      const rows = new Sqlite(sidecar.databasePath, { readonly: true });
      const most = rows.prepare("SELECT max(covers_reports), count(*), sum(kind = 'dead') FROM intervals").raw().get();
      rows.close();
      expect(most).toEqual([1, expect.any(Number), 0]);
    } finally {
      await stop();
    }
  });

  test('a half-open connection to Asterisk is noticed within 15 s, and given up for a new one', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_300);
    try {
      asterisk.startCall(atPace(LOSSY, { reportEveryMs: 200, callMs: 600_000 }));
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(4));
      asterisk.freeze();
      const frozenAtMs = performance.now();
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^503 /), 40_000);
      const noticedMs = performance.now() - frozenAtMs;
      print('half-open AMI', { noticedMs: Math.round(noticedMs) });
      expect(sidecar.output).toMatch(/has been silent for 1\d s|did not answer Ping within 10000 ms/);
      expect(noticedMs).toBeGreaterThan(5000);
      // 15 s by the sidecar's own clock; a busy machine may be late with telling.
      expect(noticedMs).toBeLessThan(20_000);
      asterisk.thaw();
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^200 /), 40_000);
      await expectScoresWritten(asterisk);
    } finally {
      await stop();
    }
  });
});
