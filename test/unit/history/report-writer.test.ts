import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Queries } from '../../../src/history/read/queries.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { IntervalRecord } from '../../../src/model/record.ts';
import { batchOf, channelRecord, intervalRecord } from './records.ts';

let folder: string;
let path: string;
let database: Database;
let writer: Writer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-reports-'));
  path = join(folder, 'mes.sqlite');
  database = openForWriting(path);
  writer = new Writer(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function commit(...intervals: readonly IntervalRecord[]): void {
  const changes = intervals.map((interval) => ({ kind: 'interval' as const, interval }));
  expect(writer.commit(batchOf(...changes))).toMatchObject({ applied: intervals.length, rejected: 0 });
}

/** Of each channel so many reports, as they come in: those of all channels together. */
function reportsOf(uniqueids: readonly string[], count: number): IntervalRecord[] {
  return Array.from({ length: count }, (_, index) =>
    uniqueids.map((uniqueid) => intervalRecord(uniqueid, index + 1, { mes: 3 + index / 100 })),
  ).flat();
}

function counts(): Record<'stored' | 'recent' | 'seen', unknown> {
  const count = (table: string): unknown => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  return { stored: count('stored_intervals'), recent: count('recent_intervals'), seen: count('intervals') };
}

it('a report is seen once by other programs: as soon as it is committed, and after it was moved', () => {
  // The first commit after a start, which may be one that comes again.
  commit(...reportsOf(['b', 'a'], 1));
  expect(counts()).toEqual({ stored: 2, recent: 0, seen: 2 });
  const later = reportsOf(['b', 'a'], 10).slice(2);
  commit(...later);
  expect(counts()).toEqual({ stored: 2, recent: 18, seen: 20 });
  const seen = database.prepare("SELECT report_number, mes FROM intervals WHERE uniqueid = 'a' ORDER BY 1").raw();
  const expected = Array.from({ length: 10 }, (_, index) => [index + 1, 3 + index / 100]);
  expect(seen.all()).toEqual(expected);
  expect(writer.move()).toBe(0);
  expect(counts()).toEqual({ stored: 20, recent: 0, seen: 20 });
  expect(seen.all()).toEqual(expected);
});

it('reports are moved in steps, the oldest first, and never gone meanwhile', () => {
  commit();
  commit(...reportsOf(['c', 'a', 'b'], 3000));
  const left: number[] = [];
  do {
    left.push(writer.move());
    expect(counts().seen).toBe(9000);
  } while (left.at(-1) !== 0);
  expect(left).toEqual([5000, 1000, 0]);
});

it('what a thread committed and died before it answered is stored once, as it comes again', () => {
  const reports = reportsOf(['a'], 5);
  commit();
  commit(...reports);
  expect(counts()).toEqual({ stored: 0, recent: 5, seen: 5 });
  writer = new Writer(database);
  expect(counts()).toEqual({ stored: 5, recent: 0, seen: 5 });
  commit(...reports);
  expect(counts()).toEqual({ stored: 5, recent: 0, seen: 5 });
});

it('another program sees a report within a second of its commit, without the product', () => {
  commit();
  writer.commit(batchOf({ kind: 'channel', channel: channelRecord('a', { streams: [] }), resume: null }));
  commit(intervalRecord('a', 1));
  const other = openForWriting(path);
  expect(other.prepare('SELECT uniqueid, report_number FROM intervals').raw().all()).toEqual([['a', 1]]);
  other.close();
  expect(new Queries(database).intervals('a')).toEqual([intervalRecord('a', 1)]);
});

it('both tables of the view have the same columns in the same order', () => {
  const columns = (table: string): unknown[] =>
    database.prepare('SELECT name, type FROM pragma_table_info(?)').all(table);
  expect(columns('recent_intervals')).toEqual(columns('stored_intervals'));
  expect(columns('recent_intervals').length).toBeGreaterThanOrEqual(36);
});

it('a question for the reports of a channel looks through no more than the recent ones', () => {
  const plan = database.prepare("EXPLAIN QUERY PLAN SELECT * FROM intervals WHERE uniqueid = 'a'").all();
  const details = (plan as { detail: string }[]).map(({ detail }) => detail);
  expect(details).toContainEqual(expect.stringMatching(/^SEARCH stored_intervals USING PRIMARY KEY \(uniqueid=\?\)/));
  expect(details.filter((detail) => detail.startsWith('SCAN'))).toEqual(['SCAN recent_intervals']);
});
