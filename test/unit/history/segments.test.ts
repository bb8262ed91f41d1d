import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { HistoryChange, SegmentRecord } from '../../../src/model/record.ts';
import { START_MS, batchOf, callRecord, channelRecord, segmentRecord } from './records.ts';

let folder: string;
let database: Database;
let writer: Writer;
let queries: Queries;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-segments-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
  writer = new Writer(database);
  queries = new Queries(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function segment(uniqueid: string, segmentNumber: number, part: Partial<SegmentRecord> = {}): HistoryChange {
  return { kind: 'segment', segment: segmentRecord(uniqueid, segmentNumber, part) };
}

function commit(...changes: HistoryChange[]) {
  return writer.commit(batchOf(...changes));
}

it('come back whole, by direction and number, those of other channels left out', () => {
  const tx = { direction: 'tx', reporter: 'remote', ssrc: null, codec: null, mes: null, openedBy: 'ssrc' } as const;
  commit(segment('a', 2), segment('a', 1, tx), segment('a', 10), segment('b', 1), segment('a', 1));
  expect(queries.segments('a')).toEqual([
    segmentRecord('a', 1),
    segmentRecord('a', 2),
    segmentRecord('a', 10),
    segmentRecord('a', 1, tx),
  ]);
  expect(queries.segments('nobody')).toEqual([]);
});

it('that go on are overwritten, in the same batch or a later one; storing twice changes nothing', () => {
  expect(commit(segment('a', 1, { reports: 1 }), segment('a', 1, { reports: 2 })).applied).toBe(1);
  expect(queries.segments('a')).toEqual([segmentRecord('a', 1, { reports: 2 })]);
  const later = { reports: 3, mes: null, endedAtMs: START_MS + 30_000 };
  commit(segment('a', 1, later));
  commit(segment('a', 1, later));
  expect(queries.segments('a')).toEqual([segmentRecord('a', 1, later)]);
});

it('wait in the queue as one, the last state behind the others', () => {
  const queue = new ChangeQueue(100);
  const tx = { direction: 'tx', reporter: 'remote' } as const;
  const others = [segment('a', 2), segment('a', 1, tx), segment('b', 1)];
  const last = segment('a', 1, { reports: 9 });
  for (const change of [segment('a', 1), ...others, last]) queue.push(change);
  expect(queue.size).toBe(4);
  expect(queue.take().states).toEqual([...others, last]);
});

it('are stored before their channel is, and one that is broken does not hold up the others', () => {
  const broken = segment('a', 2, { startedAtMs: Number.NaN, reports: 'many' as unknown as number });
  expect(commit(segment('a', 1), broken, segment('a', 3))).toMatchObject({ applied: 2, rejected: 1 });
  expect(queries.segments('a').map(({ segmentNumber }) => segmentNumber)).toEqual([1, 3]);
});

it('go with their call when it is too old, and only with it', () => {
  const old = START_MS - 100_000;
  for (const id of ['old', 'kept', 'up']) {
    const endedAtMs = id === 'up' ? null : id === 'old' ? old : START_MS;
    commit(
      { kind: 'call', call: callRecord(id, { endedAtMs }) },
      { kind: 'channel', channel: channelRecord(`${id}-1`, { linkedid: id, endedAtMs }), resume: null },
      segment(`${id}-1`, 1, { endedAtMs: old }),
      segment(`${id}-1`, 2),
    );
  }
  const limits = { intervalsBeforeMs: 0, callsBeforeMs: START_MS - 1000 };
  while (writer.purge(limits) > 0);
  expect(queries.call('old')).toBeNull();
  expect(database.prepare('SELECT uniqueid, count(*) FROM segments GROUP BY 1').raw().all()).toEqual([
    ['kept-1', 2],
    ['up-1', 2],
  ]);
});
