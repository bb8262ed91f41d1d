import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openHistory } from '../../../src/history/history.ts';

const KILLS = 10;

function reportsWritten(path: string): number {
  const database = new Sqlite(path, { readonly: true });
  const reports = database.prepare("SELECT count(*) FROM intervals WHERE uniqueid = 'one'").pluck().get();
  database.close();
  return Number(reports);
}

/** The whole sidecar is killed in `faults-simulated.test.ts`; here it is the history alone, which shows its own part. */
it(`survives SIGKILL at ${KILLS} random moments: a whole database, where each channel goes on behind its last report`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mes-history-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'mes.sqlite');
  let reportsBefore = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const laterMs = Math.random() * 250;
    const child = fork(join(import.meta.dirname, 'write-until-killed.ts'), [path], { execArgv: [] });
    await once(child, 'message');
    await expect.poll(() => reportsWritten(path), { interval: 5 }).toBeGreaterThan(reportsBefore);
    await sleep(laterMs);
    child.kill('SIGKILL');
    await once(child, 'exit');

    const database = new Sqlite(path);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const rows = database
      .prepare(
        `SELECT uniqueid, state AS resume, (SELECT count(*) FROM intervals i WHERE i.uniqueid = resumes.uniqueid) AS reports,
          (SELECT max(report_number) FROM intervals i WHERE i.uniqueid = resumes.uniqueid) AS last
        FROM resumes ORDER BY uniqueid`,
      )
      .all() as { uniqueid: string; resume: string; reports: number; last: number }[];
    database.close();
    expect(rows.map(({ uniqueid }) => uniqueid)).toEqual(['one', 'two']);
    for (const { resume, reports, last } of rows) {
      expect(JSON.parse(resume)).toEqual({ reports });
      expect(last).toBe(reports);
    }
    reportsBefore = rows[0]?.reports ?? 0;
  }
  const history = await openHistory({
    path,
    keepIntervalsMs: 1e13,
    keepCallsMs: 1e13,
    clock: { nowMs: () => Date.now() },
  });
  await history.tidy();
  await history.close();
  const database = new Sqlite(path, { readonly: true });
  expect(database.prepare('SELECT count(*) FROM recent_intervals').pluck().get()).toBe(0);
  const inTable = database
    .prepare('SELECT uniqueid, count(*) AS n FROM stored_intervals GROUP BY uniqueid')
    .raw()
    .all();
  expect(inTable).toEqual(['one', 'two'].map((uniqueid) => [uniqueid, expect.any(Number)]));
  expect(inTable[0]).toEqual(['one', reportsBefore]);
  database.close();
});
