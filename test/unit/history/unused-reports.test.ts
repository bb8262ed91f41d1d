import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { reporterFacts } from '../../../src/doctor/gather/own-facts.ts';
import { openHistory } from '../../../src/history/history.ts';
import { unusedReports } from '../../../src/history/read/unused-reports.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from './records.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

it('counts the calls in which most reports of an endpoint were about another stream', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-unused-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'mes.sqlite');
  const clock = { nowMs: () => START_MS + HOUR_MS };
  const history = await openHistory({ path, keepIntervalsMs: YEAR_MS, keepCallsMs: YEAR_MS, clock });
  const add = (id: string, endpoint: string, reports: number, unusedReports_: number, atMs = START_MS): void => {
    const streams = [
      streamRecord({ direction: 'rx', reports: 9, unusedReports: 9 }),
      streamRecord({ direction: 'tx', reporter: 'remote', reports, unusedReports: unusedReports_ }),
    ];
    const channel = channelRecord(id, { endpoint, startedAtMs: atMs, endedAtMs: atMs + 60_000, streams });
    history.record({ kind: 'channel', channel, resume: null });
    history.record({ kind: 'call', call: callRecord(id, { startedAtMs: atMs, endedAtMs: atMs + 60_000 }) });
  };
  add('1.1', 'PJSIP/a', 10, 6);
  add('2.1', 'PJSIP/a', 10, 5);
  add('3.1', 'PJSIP/a', 10, 10, START_MS - 1);
  add('4.1', 'PJSIP/b', 10, 0);
  add('5.1', 'PJSIP/silent', 0, 0);
  try {
    await expect.poll(() => unusedReports(path, START_MS).length).toBe(2);
    expect(unusedReports(path, START_MS)).toEqual([
      { endpoint: 'PJSIP/a', calls: 2, unusableCalls: 1 },
      { endpoint: 'PJSIP/b', calls: 1, unusableCalls: 0 },
    ]);
    expect(await reporterFacts(path, START_MS + 7 * 24 * HOUR_MS)).toHaveLength(2);
    expect(await reporterFacts(path, START_MS + 7 * 24 * HOUR_MS + 1)).toEqual([]);
    expect(await reporterFacts(join(folder, 'none.sqlite'), START_MS)).toEqual([]);
    writeFileSync(join(folder, 'text.sqlite'), 'This is a text and no history. '.repeat(200));
    expect(await reporterFacts(join(folder, 'text.sqlite'), START_MS)).toBeNull();
  } finally {
    await history.close();
  }
});
