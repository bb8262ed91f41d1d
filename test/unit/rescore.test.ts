import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RescoreOptions, rescoreHistory } from '../../src/app/rescore.ts';
import { openHistory } from '../../src/history/history.ts';
import { INTERVAL_COLUMNS, type Row } from '../../src/history/schema/rows.ts';
import { Writer } from '../../src/history/write/writer.ts';
import { PROFILE_NAMES } from '../../src/model/score.ts';
import { batchOf, intervalRecord } from './history/records.ts';
import { dump, makeHistory, settingsFor } from './rescored-history.ts';

const CALLS = 26;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-rescore-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function rescore(options: Pick<RescoreOptions, 'settings' | 'profile'> & Partial<RescoreOptions>) {
  return rescoreHistory({
    rangeText: '',
    fromMs: null,
    toMs: null,
    nowMs: Date.now(),
    onProgress: () => undefined,
    ...options,
  });
}

function sql(path: string, text: string): unknown[] {
  const database = new Sqlite(path);
  const statement = database.prepare(text);
  const rows = statement.reader ? statement.pluck().all() : [statement.run().changes];
  database.close();
  return rows;
}

describe('a history of real calls', () => {
  test('holds everything that makes it hard to score again', async () => {
    const path = await makeHistory(settingsFor(folder, 'documented'));
    const count = (text: string) => Number(sql(path, `SELECT count(*) FROM ${text}`)[0]);
    expect(count('calls')).toBe(CALLS);
    for (const cause of ['hold', 'retrieve', 'bridge', 'ssrc', 'codec']) {
      expect([cause, count(`segments WHERE opened_by = '${cause}'`) > 0]).toEqual([cause, true]);
    }
    expect(count('channels WHERE final_at_ms IS NOT NULL')).toBeGreaterThan(10);
    expect(count('channels WHERE final_at_ms IS NULL')).toBeGreaterThan(10);
    expect(count("intervals WHERE kind = 'dead'")).toBeGreaterThan(2);
    expect(count("intervals WHERE kind = 'idle'")).toBeGreaterThan(2);
    const beyondReports = `streams WHERE packets_received > (SELECT sum(packets_expected - packets_lost) FROM intervals
      WHERE intervals.uniqueid = streams.uniqueid AND intervals.direction = streams.direction)`;
    expect(count(beyondReports)).toBeGreaterThan(5);
    expect(count('calls WHERE fault_place IS NOT NULL')).toBeGreaterThan(5);
    expect(count("calls WHERE verdict LIKE 'one-way-%'")).toBe(2);
  });

  test.each(PROFILE_NAMES)(
    'scored again by the profile that it has (%s) stays as it is, row by row',
    async (profile) => {
      const settings = settingsFor(folder, profile);
      const before = dump(await makeHistory(settings));
      const outcome = await rescore({ settings, profile });
      expect(outcome).toEqual({ began: 'new', rescored: CALLS, expired: 0, tooRecent: 0 });
      expect(dump(settings.history.path)).toEqual(before);
    },
  );

  test.each([
    ['documented', 'asterisk-22.10'],
    ['documented', 'asterisk-2026.09'],
    ['documented', 'custom'],
    ['custom', 'documented'],
    ['asterisk-22.10', 'documented'],
  ] as const)(
    'made by %s and scored again by %s is the one that a sidecar would have made by that',
    async (was, is) => {
      const settings = settingsFor(folder, was);
      const before = dump(await makeHistory(settings));
      await rescore({ settings, profile: is });
      const after = dump(settings.history.path);
      expect(after).toEqual(dump(await makeHistory(settingsFor(join(folder, 'other'), is))));
      expect(after).not.toEqual(before);

      await rescore({ settings, profile: was });
      expect(dump(settings.history.path)).toEqual(before);
    },
  );
});

test('a report of the last seconds is scored again like any other', async () => {
  const settings = settingsFor(folder, 'documented');
  const before = dump(await makeHistory(settings));
  const database = new Sqlite(settings.history.path);
  const changes = database
    .prepare<[], Row>("SELECT * FROM intervals WHERE uniqueid LIKE '22-%'")
    .all()
    .map((row) => ({ kind: 'interval' as const, interval: INTERVAL_COLUMNS.fromRow(row) }));
  const writer = new Writer(database);
  // The first ones after a start go where they stay.
  writer.commit(batchOf());
  database.exec("DELETE FROM stored_intervals WHERE uniqueid LIKE '22-%'");
  expect(writer.commit(batchOf(...changes))).toMatchObject({ applied: changes.length });
  const recent = database.prepare('SELECT count(*) FROM recent_intervals').pluck().get();
  expect(recent).toBe(changes.length);
  expect(changes.length).toBeGreaterThan(300);
  database.close();
  const outcome = await rescore({ settings, profile: 'custom' });
  expect(outcome).toEqual({ began: 'new', rescored: CALLS, expired: 0, tooRecent: 0 });
  expect(sql(settings.history.path, "SELECT count(*) FROM intervals WHERE profile <> 'custom'")).toEqual([0]);
  await rescore({ settings, profile: 'documented' });
  expect(dump(settings.history.path)).toEqual(before);
});

describe('a run', () => {
  test('that is interrupted after any batch goes on behind it, and does nothing twice', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    const progress: [number, number][] = [];
    const interrupted = rescore({
      settings,
      profile: 'custom',
      batchCalls: 5,
      onProgress: (done, total) => {
        progress.push([done, total]);
        if (done >= 10) throw new Error('interrupted');
      },
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(sql(path, "SELECT count(*) FROM calls WHERE profile = 'custom'")).toEqual([10]);
    // Whatever is done already is not touched again.
    sql(path, "UPDATE calls SET version = 'done' WHERE profile = 'custom'");

    const outcome = await rescore({
      settings,
      profile: 'custom',
      batchCalls: 5,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(outcome).toEqual({ began: 'resumed', rescored: CALLS, expired: 0, tooRecent: 0 });
    expect(progress).toEqual([
      [5, 26],
      [10, 26],
      [5, 16],
      [10, 16],
      [15, 16],
      [16, 16],
    ]);
    expect(sql(path, "SELECT count(*) FROM calls WHERE version = 'done'")).toEqual([10]);
    expect(sql(path, "SELECT count(*) FROM calls WHERE profile = 'custom'")).toEqual([CALLS]);
    expect(await rescore({ settings, profile: 'custom' })).toMatchObject({ began: 'new', rescored: CALLS });
    expect(dump(path)).toEqual(dump(await makeHistory(settingsFor(join(folder, 'other'), 'custom'))));
  });

  test('by other rules takes the place of one that was never finished, which then stops', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    let other: Promise<unknown> | undefined;
    const first = rescore({
      settings,
      profile: 'custom',
      batchCalls: 5,
      onProgress: () => {
        other ??= rescore({ settings, profile: 'asterisk-22.10', batchCalls: 5 });
      },
    });
    await expect(first).rejects.toThrow(
      'another asterisk-mes rescore has taken over; run it again when that one has finished',
    );
    expect(await other).toEqual({ began: 'replaced', rescored: CALLS, expired: 0, tooRecent: 0 });
    expect(sql(path, "SELECT count(*) FROM calls WHERE profile = 'asterisk-22.10'")).toEqual([CALLS]);
    expect(sql(path, 'SELECT count(*) FROM rescoring')).toEqual([0]);
  });

  test('leaves alone and counts what has lost reports, what is up and what has just ended', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    const nowMs = Date.now();
    sql(
      path,
      "DELETE FROM stored_intervals WHERE uniqueid LIKE '22-hold %' AND direction = 'rx' AND report_number = 1",
    );
    sql(path, "DELETE FROM stored_intervals WHERE uniqueid LIKE '16-park %'");
    sql(path, "UPDATE calls SET ended_at_ms = NULL WHERE linkedid LIKE '22-park %'");
    sql(path, `UPDATE calls SET ended_at_ms = ${nowMs - 60_000} WHERE linkedid LIKE '16-hold %'`);
    sql(path, "UPDATE channels SET ended_at_ms = NULL WHERE uniqueid LIKE '22-one-way %'");
    const untouched = ['22-hold', '16-park', '22-park', '16-hold', '22-one-way'];
    const ofThese = (rows: Record<string, unknown[]>) =>
      Object.values(rows).map((table) =>
        table.filter((row) => untouched.some((name) => JSON.stringify(row).includes(name))),
      );
    const before = ofThese(dump(path));
    const outcome = await rescore({ settings, profile: 'custom', nowMs });
    expect(outcome).toEqual({ began: 'new', rescored: CALLS - 5, expired: 2, tooRecent: 3 });
    expect(ofThese(dump(path))).toEqual(before);
    expect(sql(path, "SELECT count(*) FROM calls WHERE profile = 'custom'")).toEqual([CALLS - 5]);
  });

  test('takes calls of its range only: from the first moment on, up to the last', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    for (const [index, linkedid] of sql(path, 'SELECT linkedid FROM calls ORDER BY linkedid').entries()) {
      sql(path, `UPDATE calls SET started_at_ms = ${1000 + index} WHERE linkedid = '${String(linkedid)}'`);
    }
    const outcome = await rescore({ settings, profile: 'custom', fromMs: 1003, toMs: 1007, rangeText: 'a' });
    expect(outcome).toEqual({ began: 'new', rescored: 4, expired: 0, tooRecent: 0 });
    expect(sql(path, "SELECT started_at_ms FROM calls WHERE profile = 'custom' ORDER BY 1")).toEqual([
      1003, 1004, 1005, 1006,
    ]);
  });

  test('waits for a busy database, and costs a running sidecar nothing', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    const history = await openHistory({
      ...settings.history,
      keepIntervalsMs: 1e13,
      keepCallsMs: 1e13,
      clock: { nowMs: () => Date.now() },
    });
    let recorded = 0;
    const outcome = await rescore({
      settings,
      profile: 'custom',
      batchCalls: 1,
      onProgress: () => {
        for (let n = 0; n < 50; n++) {
          history.record({ kind: 'interval', interval: intervalRecord('live', ++recorded) });
        }
      },
    });
    expect(outcome).toMatchObject({ rescored: CALLS });
    await history.flush();
    expect(history.stats()).toMatchObject({ dropped: 0, rejected: 0, problem: null, committed: 50 * CALLS });
    expect(await history.calls({}, 1, null)).toMatchObject({ calls: [{ profile: 'custom' }] });
    await history.tidy();
    await history.close();
    expect(sql(path, "SELECT count(*) FROM intervals WHERE uniqueid = 'live'")).toEqual([50 * CALLS]);
  });

  test('by a history of an older release scores as well as what it stored allows', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    sql(
      path,
      'UPDATE stored_intervals SET channel_report_number = NULL, began_at_ms = NULL, codec = NULL, clock_rate_source = NULL',
    );
    sql(path, 'UPDATE channels SET final_at_ms = NULL');
    sql(path, 'DELETE FROM segments');
    const before = sql(path, 'SELECT mes FROM channels ORDER BY uniqueid');
    expect(await rescore({ settings, profile: 'documented' })).toMatchObject({ rescored: CALLS, expired: 0 });
    const after = sql(path, 'SELECT mes FROM channels ORDER BY uniqueid');
    const off = before.map((mes, index) => Math.abs(Number(mes) - Number(after[index])));
    expect(Math.max(...off)).toBeLessThan(1e-9);
  });
});
