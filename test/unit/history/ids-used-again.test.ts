import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { batchOf, callRecord, channelRecord, intervalRecord, segmentRecord, START_MS } from './records.ts';

let folder: string;
let database: Database;
let writer: Writer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-again-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
  writer = new Writer(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** A call of two channels, 1.1 and 1.2, with reports of both. */
function call(startedAtMs: number, endedAtMs: number | null, reports: number): HistoryChange[] {
  const channels = ['1.1', '1.2'].flatMap((uniqueid): HistoryChange[] => [
    {
      kind: 'channel',
      channel: channelRecord(uniqueid, {
        linkedid: '1.1',
        startedAtMs,
        endedAtMs,
        endReason: endedAtMs === null ? null : 'vanished',
        peerUniqueid: uniqueid === '1.1' ? '1.2' : '1.1',
      }),
      resume: null,
    },
    { kind: 'segment', segment: segmentRecord(uniqueid, 1, { startedAtMs }) },
  ]);
  const intervals = ['1.1', '1.2'].flatMap((uniqueid) =>
    Array.from({ length: reports }, (_, n): HistoryChange => {
      return { kind: 'interval', interval: intervalRecord(uniqueid, n + 1, { atMs: startedAtMs + 5000 * (n + 1) }) };
    }),
  );
  return [...channels, { kind: 'call', call: callRecord('1.1', { startedAtMs, endedAtMs }) }, ...intervals];
}

const all = (sql: string): unknown[] => database.prepare(sql).raw().all();
const OLD = `~${START_MS}`;

it.each([
  ['a week later', 604_800_000],
  ['by a clock that began at the same time again', 40],
])('two calls with the same ids, %s, are two calls', (_, laterMs) => {
  writer.commit(batchOf(...call(START_MS, START_MS + 60_000, 8)));
  while (writer.move() > 0);
  while (writer.countEnded() > 0);
  const again = START_MS + laterMs;
  expect(writer.commit(batchOf(...call(again, null, 2)))).toMatchObject({ rejected: 0, rejection: null });
  writer.commit(batchOf(...call(again, again + 15_000, 3).slice(0, 5)));
  while (writer.countEnded() > 0);
  expect(all('SELECT linkedid, started_at_ms, ended_at_ms FROM calls ORDER BY length(linkedid)')).toEqual([
    ['1.1', again, again + 15_000],
    [`1.1${OLD}`, START_MS, START_MS + 60_000],
  ]);
  expect(
    all('SELECT uniqueid, linkedid, started_at_ms, peer_uniqueid FROM channels ORDER BY length(uniqueid), 1'),
  ).toEqual([
    ['1.1', '1.1', again, '1.2'],
    ['1.2', '1.1', again, '1.1'],
    [`1.1${OLD}`, `1.1${OLD}`, START_MS, `1.2${OLD}`],
    [`1.2${OLD}`, `1.1${OLD}`, START_MS, `1.1${OLD}`],
  ]);
  expect(all('SELECT uniqueid, count(*), max(at_ms) FROM intervals GROUP BY 1 ORDER BY length(uniqueid), 1')).toEqual([
    ['1.1', 2, again + 10_000],
    ['1.2', 2, again + 10_000],
    [`1.1${OLD}`, 8, START_MS + 40_000],
    [`1.2${OLD}`, 8, START_MS + 40_000],
  ]);
  expect(all('SELECT uniqueid, count(*) FROM segments GROUP BY 1 ORDER BY length(uniqueid), 1')).toEqual([
    ['1.1', 1],
    ['1.2', 1],
    [`1.1${OLD}`, 1],
    [`1.2${OLD}`, 1],
  ]);
  // Both are counted, and found.
  expect(all('SELECT is_counted FROM calls')).toEqual([[1], [1]]);
  expect(all('SELECT DISTINCT linkedid FROM call_terms ORDER BY length(linkedid)')).toEqual([['1.1'], [`1.1${OLD}`]]);
});

it('a call that was joined into another one takes no new call of its linkedid with it', () => {
  writer.commit(batchOf(...call(START_MS, START_MS + 60_000, 2)));
  const into = channelRecord('0.9', { startedAtMs: START_MS, endedAtMs: START_MS + 70_000, endReason: 'hangup' });
  writer.commit(
    batchOf(
      { kind: 'channel', channel: into, resume: null },
      { kind: 'call-merged', fromLinkedid: '1.1', intoLinkedid: '0.9' },
      { kind: 'call', call: callRecord('0.9', { startedAtMs: START_MS, endedAtMs: START_MS + 70_000 }) },
    ),
  );
  writer.commit(batchOf(...call(START_MS + 1_000_000, null, 1)));
  expect(all('SELECT uniqueid, linkedid FROM channels ORDER BY started_at_ms, 1')).toEqual([
    ['0.9', '0.9'],
    [`1.1${OLD}`, '0.9'],
    [`1.2${OLD}`, '0.9'],
    ['1.1', '1.1'],
    ['1.2', '1.1'],
  ]);
});

it.each([
  ['told again', 0],
  ['told again after the clock was set', 3_600_000],
])('the same call %s is the same call', (_, byMs) => {
  writer.commit(batchOf(...call(START_MS, START_MS + 60_000, 2)));
  writer.commit(batchOf(...call(START_MS + byMs, START_MS + 60_000 + byMs, 2)));
  expect(all('SELECT uniqueid, started_at_ms FROM channels ORDER BY 1')).toEqual([
    ['1.1', START_MS + byMs],
    ['1.2', START_MS + byMs],
  ]);
  expect(all('SELECT linkedid FROM calls')).toEqual([['1.1']]);
});
