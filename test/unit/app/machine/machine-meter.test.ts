import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { MachineMeter } from '../../../../src/app/machine/machine-meter.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A /proc by hand. */
function made(): string {
  const proc = mkdtempSync(join(tmpdir(), 'mes-proc-'));
  folders.push(proc);
  writeFileSync(
    join(proc, 'meminfo'),
    'MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    3000000 kB\n',
  );
  return proc;
}

/** As proc(5) has it: utime and stime are fields 14 and 15, in hundredths of a second; threads are field 20. */
function asterisk(proc: string, pid: number, userTicks: number, systemTicks: number, name = 'asterisk'): void {
  mkdirSync(join(proc, String(pid)), { recursive: true });
  writeFileSync(join(proc, String(pid), 'comm'), `${name}\n`);
  const fields = ['S', 1, pid, pid, 0, -1, 0, 1, 2, 3, 4, userTicks, systemTicks, 0, 0, 20, 0, 57, 0, 12_345];
  writeFileSync(join(proc, String(pid), 'stat'), `${pid} (${name}) ${fields.join(' ')}\n`);
}

test('tells of memory, and of what Asterisk took since the last look', async () => {
  const proc = made();
  asterisk(proc, 4711, 1000, 200);
  asterisk(proc, 99, 1, 1, 'a) S 1 (b');
  const meter = new MachineMeter({ isAsteriskHere: true, proc });
  expect(await meter.look(1_000_000, 7)).toMatchObject({
    atMs: 1_000_000,
    memoryAvailablePercent: 37.5,
    asteriskCpuPercent: null,
    asteriskThreads: 57,
    channels: 7,
  });
  // 500 + 300 ticks are 8 s, within 10 s.
  asterisk(proc, 4711, 1500, 500);
  expect(await meter.look(1_010_000, 7)).toMatchObject({ asteriskCpuPercent: 80, asteriskThreads: 57 });
  // It ended, and another one began.
  rmSync(join(proc, '4711'), { recursive: true });
  expect(await meter.look(1_020_000, 7)).toMatchObject({ asteriskCpuPercent: null, asteriskThreads: null });
  asterisk(proc, 5000, 10, 10);
  expect(await meter.look(1_030_000, 7)).toMatchObject({ asteriskCpuPercent: null, asteriskThreads: 57 });
  asterisk(proc, 5000, 20, 10);
  expect(await meter.look(1_040_000, 7)).toMatchObject({ asteriskCpuPercent: 1 });
});

test('of two Asterisks, of one elsewhere and of none nobody knows which is ours', async () => {
  const proc = made();
  const unknown = { asteriskCpuPercent: null, asteriskThreads: null };
  expect(await new MachineMeter({ isAsteriskHere: true, proc }).look(0, 0)).toMatchObject(unknown);
  asterisk(proc, 1, 1, 1);
  expect(await new MachineMeter({ isAsteriskHere: true, proc }).look(0, 0)).toMatchObject({ asteriskThreads: 57 });
  expect(await new MachineMeter({ isAsteriskHere: false, proc }).look(0, 0)).toMatchObject(unknown);
  asterisk(proc, 2, 1, 1);
  expect(await new MachineMeter({ isAsteriskHere: true, proc }).look(0, 0)).toMatchObject(unknown);
});

test('the search among 400 programs takes little memory at once', async () => {
  const proc = made();
  asterisk(proc, 400, 1, 1);
  for (let pid = 1; pid < 400; pid++) {
    mkdirSync(join(proc, String(pid)));
    symlinkSync('/proc/self/comm', join(proc, String(pid), 'comm'));
  }
  const meter = new MachineMeter({ isAsteriskHere: true, proc });
  const before = process.memoryUsage().arrayBuffers;
  expect(await meter.look(0, 0)).toMatchObject({ memoryAvailablePercent: 37.5, asteriskThreads: 57 });
  // Node's readFile takes 64 KB for a file that tells no size: 26 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
});

test('without a /proc what it would tell is not known', async () => {
  const meter = new MachineMeter({ isAsteriskHere: true, proc: '/nowhere' });
  const { memoryAvailablePercent, asteriskThreads, loadPerProcessor } = await meter.look(0, 0);
  expect([memoryAvailablePercent, asteriskThreads]).toEqual([null, null]);
  expect(loadPerProcessor).toBeGreaterThanOrEqual(0);
  expect(loadPerProcessor).toBeLessThan(10_000);
});

test('processors that work all the time are busy', async () => {
  const meter = new MachineMeter({ isAsteriskHere: false });
  const until = performance.now() + 300;
  while (performance.now() < until);
  const { cpuPercent } = await meter.look(0, 0);
  // One of all of them was, at least nearly all the time.
  expect(cpuPercent).toBeGreaterThan(0.2);
  expect(cpuPercent).toBeLessThanOrEqual(100);
});
