import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHistory } from '../../../src/history/history.ts';
import { asteriskMes } from './command.ts';

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'mes-alerts-'));
const config = join(folder, 'mes.conf');

beforeAll(async () => {
  const path = join(folder, 'mes.sqlite');
  const clock = { nowMs: () => Date.now() };
  await (await openHistory({ path, keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock })).close();
  writeFileSync(config, `[history]\npath = ${path}\n[alert:mine]\nwhat = jitter\nraise = 50.5\ncalls = 1\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The thresholds of src/alerts/README.md's table, and of a rule above.
test.each([
  ['bad-calls', 'It raises at 20 % and is over at 5 %, from 10 calls on.'],
  ['p5', 'It raises at 3.1 and is over at 3.6, from 20 calls on.'],
  ['rtt', 'It raises at 400 ms and is over at 300 ms, from 5 calls on.'],
  ['gone', 'It raises at 10 calls and is over at 1 call, from 20 calls on.'],
  ['mine', /It raises at 50\.5 ms and is over at [\d.]+ ms, from 1 call on\./],
])('alerts test %s says its thresholds with their unit', async (name, thresholds) => {
  const { status, stdout, stderr } = await asteriskMes(['alerts', 'test', name, '--config', config]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(thresholds);
  expect(stdout).toMatch(new RegExp(`^${name} would have raised no alert from .* \\(0 channels\\)\\. `));
});
