import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { openHistory } from '../../../src/history/history.ts';
import { IntervalFolder } from '../../../src/history/write/interval-folder.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { IntervalRecord } from '../../../src/model/record.ts';
import { channelRecord, intervalRecord, START_MS } from './records.ts';

const DAY_MS = 86_400_000;

let folder: string;
let path: string;
let database: Database;
let writer: Writer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-journal-'));
  path = join(folder, 'mes.sqlite');
  database = openForWriting(path);
  writer = new Writer(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function commit(...intervals: readonly IntervalRecord[]): void {
  const queue = new ChangeQueue(Infinity);
  for (const uniqueid of new Set(intervals.map((interval) => interval.uniqueid))) {
    queue.push({ kind: 'channel', channel: channelRecord(uniqueid, { streams: [] }), resume: null });
  }
  for (const interval of intervals) queue.push({ kind: 'interval', interval });
  expect(writer.commit(queue.take())).toMatchObject({ rejected: 0 });
}

/** Of each channel 20 reports, by turns of both directions, as they come in: those of all channels together. */
function reportsOf(...uniqueids: readonly string[]): IntervalRecord[] {
  return Array.from({ length: 20 }, (_, index) =>
    uniqueids.map((uniqueid) =>
      intervalRecord(uniqueid, 1 + Math.floor(index / 2), {
        channelReportNumber: index + 1,
        mes: 3 + index / 100,
        ...(index % 2 === 0 ? {} : { direction: 'tx', reporter: 'remote', codec: null, rttMs: null }),
      }),
    ),
  ).flat();
}

function found(uniqueid: string): IntervalRecord[] | null {
  return new Queries(database).intervals(uniqueid);
}

function counts(): { inTable: number; inJournal: number } {
  const count = (table: string): number => Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return { inTable: count('intervals'), inJournal: count('interval_journal') };
}

/** Each step of it is a short one: the time is up whenever it looks. */
function hastyFolder(of = database): IntervalFolder {
  let nowMs = 0;
  return new IntervalFolder(of, () => (nowMs += 1000));
}

describe('a report', () => {
  it('is found as it was recorded, once: in the journal, while it is moved, and in the table', () => {
    const reports = reportsOf('b', 'a');
    const ofA = reports.filter(({ uniqueid }) => uniqueid === 'a');
    commit(...reports.slice(0, 15));
    commit(...reports.slice(15));
    expect(counts()).toEqual({ inTable: 0, inJournal: 2 });
    expect(found('a')).toEqual(ofA);
    const hasty = hastyFolder();
    const steps: unknown[] = [];
    for (let step = 1; step <= 5; step++) {
      const { moved, left } = hasty.step();
      steps.push([moved, left, counts().inTable]);
      expect(found('a')).toEqual(ofA);
    }
    expect(steps).toEqual([
      [8, 40, 8],
      [8, 40, 16],
      [8, 40, 24],
      [8, 40, 32],
      [8, 0, 40],
    ]);
    expect(hasty.step()).toEqual({ moved: 0, rejected: 0, rejection: null, left: 0 });
    expect(counts()).toEqual({ inTable: 40, inJournal: 0 });
  });

  it('is moved once more when it was not moved to the end, and is there once', () => {
    const reports = reportsOf('a', 'b');
    commit(...reports);
    hastyFolder().step();
    expect(counts()).toEqual({ inTable: 8, inJournal: 1 });
    // After a crash.
    while (writer.fold().left > 0);
    expect(counts()).toEqual({ inTable: 40, inJournal: 0 });
    expect(found('b')).toEqual(reports.filter(({ uniqueid }) => uniqueid === 'b'));
  });

  it('that another program has moved, and changed since, is left as it is', () => {
    commit(...reportsOf('a', 'b'));
    const hasty = hastyFolder();
    hasty.step();
    const other = openForWriting(path);
    while (new IntervalFolder(other).step().left > 0);
    other.exec('UPDATE intervals SET mes = 1');
    other.close();
    // The ids of the journal's rows are not given again.
    commit(...reportsOf('c'));
    expect(hasty.step()).toEqual({ moved: 0, rejected: 0, rejection: null, left: 20 });
    while (hasty.step().left > 0);
    const means = database.prepare('SELECT uniqueid, max(mes) AS mes FROM intervals GROUP BY uniqueid').raw().all();
    expect(means).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 3.19],
    ]);
  });

  it('that the table refuses is counted, with the reason, and the others are moved', () => {
    commit(intervalRecord('a', 1), intervalRecord('a', 2, { ssrc: 1.5 }), intervalRecord('a', 3));
    const { rejection, ...result } = writer.fold();
    expect(result).toEqual({ moved: 3, rejected: 1, left: 0 });
    expect(rejection).toMatch(/cannot store REAL value in INTEGER column intervals\.ssrc/);
    expect(found('a')?.map(({ reportNumber }) => reportNumber)).toEqual([1, 3]);
  });

  it('is moved in the order of the table, some thousand at a time', () => {
    const uniqueids = Array.from({ length: 1000 }, (_, index) => `c-${index}`);
    commit(...reportsOf(...uniqueids));
    const left = new Set<number>();
    for (let rest = 1; rest > 0; left.add(rest)) ({ left: rest } = writer.fold());
    expect([...left].filter((rest) => rest < 20_000)).toEqual([16_000, 12_000, 8000, 4000, 0]);
    expect(counts()).toEqual({ inTable: 20_000, inJournal: 0 });
    expect(found('c-777')).toEqual(reportsOf('c-777'));
  });
});

/** A row of the journal as any release might have written it. */
function putRow(
  columns: readonly string[],
  texts: readonly string[],
  rows: readonly (readonly number[])[],
  part: Readonly<Record<string, unknown>> = {},
): void {
  const cells = Buffer.alloc(8 * columns.length * rows.length);
  for (const [index, number] of rows.flat().entries()) cells.writeDoubleLE(number, 8 * index);
  const textColumns = ['uniqueid', 'direction', 'reporter', 'kind', 'profile'];
  const layout = JSON.stringify({ columns, texts: textColumns });
  const row = { intervals: rows.length, texts: JSON.stringify(texts), layout, cells, ...part };
  database
    .prepare(
      'INSERT INTO interval_journal (intervals, texts, layout, cells) VALUES (@intervals, @texts, @layout, @cells)',
    )
    .run(row);
}

describe('a journal of another release', () => {
  const columns = [
    'at_ms',
    'uniqueid',
    'direction',
    'reporter',
    'report_number',
    'kind',
    'clock_rate_hz',
    'duplicates',
  ];
  const all = [...columns, 'covers_reports', 'profile', 'mes', 'forgotten'];
  const texts = ['media', 'old', 'rx', 'local', 'documented'];
  const rows = [
    [START_MS, 1, 2, 3, 1, 0, 8000, 0, 1, 4, 4.25, 7],
    [START_MS + 1, 1, 2, 3, 2, 0, 8000, 0, 1, 4, Number.NaN, 7],
  ];

  it('is read by its own layout: what it does not have is not known, what we do not have is passed over', () => {
    commit(intervalRecord('old', 3));
    putRow(all, texts, rows);
    const expected = [
      { uniqueid: 'old', direction: 'rx', kind: 'media', reportNumber: 1, atMs: START_MS, mes: 4.25, codec: null },
      { uniqueid: 'old', reporter: 'local', reportNumber: 2, mes: null, rttMs: null, profile: 'documented' },
      intervalRecord('old', 3),
    ];
    expect(found('old')).toMatchObject(expected);
    expect(writer.fold()).toEqual({ moved: 3, rejected: 0, rejection: null, left: 0 });
    expect(found('old')).toMatchObject(expected);
  });

  it.each([
    [
      'of which a part is missing',
      { cells: Buffer.alloc(100) },
      /row 2 .*: 100 bytes are not 2 reports of 12 numbers$/,
    ],
    ['that is counted wrong', { intervals: 3 }, /192 bytes are not 3 reports of 12 numbers$/],
    ['without a layout', { layout: 'null' }, /it does not say which columns it has$/],
    ['with a broken layout', { layout: '{"columns":[' }, /it does not say which columns it has$/],
    ['without the columns that tell reports apart', { layout: '{"columns":["mes"],"texts":[]}' }, /columns it has$/],
    ['with other texts', { texts: '{"a":1}' }, /its texts cannot be read$/],
  ] as const)('%s is left out, with a sentence, and stops nothing', (_, part, sentence) => {
    commit(intervalRecord('old', 1));
    putRow(all, texts, rows, part);
    commit(intervalRecord('old', 2));
    expect(found('old')).toEqual([intervalRecord('old', 1), intervalRecord('old', 2)]);
    const unreadable = 'intervals' in part ? part.intervals : 2;
    const { rejection, ...result } = writer.fold();
    expect(result).toEqual({ moved: 2 + unreadable, rejected: unreadable, left: 0 });
    expect(rejection).toMatch(sentence);
    expect(rejection).toMatch(/^row 2 of interval_journal cannot be read: /);
    expect(counts()).toEqual({ inTable: 2, inJournal: 0 });
    expect(found('old')).toEqual([intervalRecord('old', 1), intervalRecord('old', 2)]);
  });
});

describe('what a killed sidecar left in the journal', () => {
  const open = (nowMs: number) =>
    openHistory({ path, keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock: { nowMs: () => nowMs } });

  it('is moved at the next start, and what cannot be read is told', async () => {
    commit(...reportsOf('a', 'b'));
    putRow([], [], [], { intervals: 1 });
    const history = await open(START_MS);
    expect(history.stats().journaled).toBe(41);
    await expect.poll(() => history.stats().journaled, { interval: 5, timeout: 5000 }).toBe(0);
    expect(history.stats()).toMatchObject({
      rejected: 1,
      rejection: expect.stringMatching(/cannot be read: it does not say which columns/),
    });
    expect(counts()).toEqual({ inTable: 40, inJournal: 0 });
    await history.close();
  });

  it('expires like any other report', async () => {
    commit(...reportsOf('a').map((interval) => ({ ...interval, uniqueid: 'gone' })));
    database.exec('UPDATE channels SET ended_at_ms = 1; UPDATE calls SET ended_at_ms = 1');
    commit(intervalRecord('up', 1));
    const history = await open(START_MS + 2 * DAY_MS);
    // Of a channel that is up nothing expires.
    await expect
      .poll(() => database.prepare('SELECT uniqueid FROM channels').pluck().all(), { interval: 5, timeout: 5000 })
      .toEqual(['up']);
    expect(database.prepare('SELECT uniqueid FROM intervals').pluck().all()).toEqual(['up']);
    expect(history.stats().journaled).toBe(0);
    await history.close();
  });
});
