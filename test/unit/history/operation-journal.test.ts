import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { makeHistory, steps } from './random-history.ts';
import { callRecord, channelRecord, intervalRecord, segmentRecord, START_MS, streamRecord } from './records.ts';

const DAY_MS = 86_400_000;
const TABLES = ['calls', 'call_aliases', 'channels', 'streams', 'segments', 'call_sums', 'call_terms'];

let folder: string;
let path: string;
let database: Database;
let writer: Writer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-operations-'));
  path = join(folder, 'mes.sqlite');
  database = openForWriting(path);
  writer = new Writer(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function commit(mayDefer: boolean, ...changes: readonly HistoryChange[]) {
  const queue = new ChangeQueue(100_000);
  for (const change of changes) queue.push(change);
  return writer.commit(queue.take(), mayDefer);
}
const call = (linkedid: string, part = {}): HistoryChange => ({ kind: 'call', call: callRecord(linkedid, part) });
const channel = (uniqueid: string, part = {}): HistoryChange => ({
  kind: 'channel',
  channel: channelRecord(uniqueid, { linkedid: uniqueid, streams: [streamRecord()], ...part }),
  resume: '{"n":1}',
});
const segment = (uniqueid: string): HistoryChange => ({ kind: 'segment', segment: segmentRecord(uniqueid, 1) });

function applyAll(): void {
  while (writer.apply().left > 0);
}
function dump(of = database): unknown {
  return TABLES.map((table) => [
    table,
    of
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .map((row) => JSON.stringify(row))
      .sort(),
  ]);
}
const journalRows = (): number => Number(database.prepare('SELECT count(*) FROM operation_journal').pluck().get());

describe('what may wait', () => {
  it('waits in the journal and then is in the tables as if it had never waited', () => {
    const changes = [call('a'), channel('a', { codec: 'g722' }), segment('a'), call('b', { endedAtMs: START_MS })];
    expect(commit(true, ...changes)).toMatchObject({ applied: 4, journaled: { operations: 4, intervals: 0 } });
    expect(new Queries(database).call('a')).toBeNull();
    expect(journalRows()).toBe(1);
    expect(writer.apply()).toEqual({ moved: 4, rejected: 0, rejection: null, left: 0 });
    expect(journalRows()).toBe(0);
    const deferred = dump();
    database.exec('DELETE FROM segments; DELETE FROM calls');
    commit(false, ...changes);
    expect(dump()).toEqual(deferred);
    expect(new Queries(database).channel('a')?.codec).toBe('g722');
  });

  it('is not overtaken by what comes later', () => {
    commit(true, call('a', { mes: 1 }));
    expect(commit(false, call('a', { mes: 2 }), { kind: 'interval', interval: intervalRecord('a', 1) })).toMatchObject({
      journaled: { operations: 2, intervals: 1 },
    });
    applyAll();
    expect(new Queries(database).call('a')?.mes).toBe(2);
    expect(commit(false, call('a', { mes: 3 }))).toMatchObject({ journaled: { operations: 0 } });
    expect(new Queries(database).call('a')?.mes).toBe(3);
  });

  it('is applied for some 20 ms in one turn, in whole rows of the journal', () => {
    for (let n = 1; n <= 5; n++) commit(true, call(`a${n}`), call(`b${n}`));
    let nowMs = 0;
    const slow = new Writer(database, () => (nowMs += 8));
    expect([slow.apply(), slow.apply()]).toMatchObject([
      { moved: 6, left: 4 },
      { moved: 4, left: 0 },
    ]);
  });

  it('is known to a writer that comes later', () => {
    commit(true, call('a'), call('b'));
    writer = new Writer(database);
    expect(writer.journaled).toEqual({ operations: 2, intervals: 0 });
    expect(commit(false, call('c'))).toMatchObject({ journaled: { operations: 3 } });
  });

  it('leaves the same history, whatever waits and whenever it is applied', () => {
    const other = openForWriting(join(folder, 'other.sqlite'));
    try {
      fc.assert(
        fc.property(steps, fc.infiniteStream(fc.boolean()), (all, choices) => {
          makeHistory(other, new Writer(other), all);
          const direct = new Writer(database);
          const deferring: Pick<Writer, 'commit' | 'settle' | 'purge'> = {
            commit: (batch) => {
              if (choices.next().value === true) while (direct.apply().left > 0);
              return direct.commit(batch, choices.next().value);
            },
            // What expires is told by the tables.
            purge: (limits) => {
              while (direct.apply().left > 0);
              return direct.purge(limits);
            },
            settle: (most) => direct.settle(most),
          };
          makeHistory(database, deferring, all);
          while (direct.apply().left > 0);
          for (const each of [direct, new Writer(other)]) while (each.settle() > 0);
          expect(dump()).toEqual(dump(other));
        }),
        { numRuns: 60 },
      );
    } finally {
      other.close();
    }
  });
});

/** What an older release may have left: fewer columns, in another order. */
const OLDER = {
  kinds: ['call', 'channel', 'segment', 'call-merged'],
  columns: {
    call: ['started_at_ms', 'linkedid', 'profile', 'version'],
    channel: ['linkedid', 'uniqueid', 'name', 'endpoint', 'started_at_ms', 'on_hold', 'profile', 'version', 'resume'],
    stream: [
      'reporter',
      'direction',
      'reports',
      'idle_reports',
      'dead_reports',
      'duplicates',
      'rtt_known',
      'clock_rate_hz',
      'rtt_count',
      'jitter_count',
      'profile',
      'clock_rate_source',
    ],
    segment: ['uniqueid'],
    'call-merged': ['from_linkedid', 'into_linkedid'],
  },
};
const TEXTS = ['old', 'documented', '0.9', 'PJSIP/a-1', 'PJSIP/a', '{}', 'local', 'rx', 'codec'];
const ROWS = [
  [0, 4, START_MS, 0, 1, 2],
  // Gone.
  [-1, 3, 7, 7, 7],
  [1, 21, 0, 0, 3, 4, START_MS, 0, 1, 2, 5, 6, 7, 9, 1, 0, 0, 0, 8000, 0, 0, 1, 8],
].flat();

function putRow(part: { operations?: number; texts?: string; layout?: string; cells?: Buffer } = {}): void {
  const row = {
    operations: 2,
    texts: JSON.stringify(TEXTS),
    layout: JSON.stringify(OLDER),
    cells: Buffer.from(Float64Array.from(ROWS).buffer),
    ...part,
  };
  database
    .prepare(
      'INSERT INTO operation_journal (operations, texts, layout, cells) VALUES (@operations, @texts, @layout, @cells)',
    )
    .run(row);
  writer = new Writer(database);
}
const numbers = (...values: number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

describe('a row of the journal', () => {
  it('of an older release is read by the names of its columns', () => {
    putRow();
    expect(writer.apply()).toEqual({ moved: 2, rejected: 0, rejection: null, left: 0 });
    expect(new Queries(database).call('old')).toMatchObject({ startedAtMs: START_MS, version: '0.9', mes: null });
    expect(new Queries(database).channel('old')).toMatchObject({
      endpoint: 'PJSIP/a',
      codec: null,
      streams: [{ direction: 'rx', reporter: 'local', reports: 9, idleReports: 1, clockRateHz: 8000 }],
    });
  });

  it.each([
    ['of which a part is missing', { cells: numbers(...ROWS.slice(0, -1)) }, /its row 2 is none$/],
    ['with half a number', { cells: Buffer.alloc(12) }, /12 bytes are no whole number of numbers$/],
    ['that goes back', { cells: numbers(0, -2) }, /its row 1 is none$/],
    ['without an end', { cells: numbers(-1, Infinity) }, /its row 1 is none$/],
    ['with a kind of its own', { cells: numbers(7, 0) }, /its row 1 is none$/],
    ['that is counted wrong', { operations: 3 }, /2 rows are not 3$/],
    ['without a layout', { layout: 'null' }, /it does not say which columns it has$/],
    ['with a broken layout', { layout: '{"kinds":[' }, /it does not say which columns it has$/],
    [
      'with kinds that nobody knows',
      { layout: JSON.stringify({ ...OLDER, kinds: ['call', 'x'] }) },
      /which columns it has$/,
    ],
    [
      'with streams of nothing',
      { layout: JSON.stringify({ ...OLDER, columns: { ...OLDER.columns, stream: [] } }) },
      /which columns it has$/,
    ],
    ['with other texts', { texts: '{"a":1}' }, /its texts cannot be read$/],
  ] as const)('%s is left out, with a sentence, and stops nothing', (_, part, sentence) => {
    commit(true, call('before'));
    putRow(part);
    commit(true, call('after'));
    const unreadable = 'operations' in part ? part.operations : 2;
    const { rejection, ...result } = writer.apply();
    expect(result).toEqual({ moved: 2 + unreadable, rejected: unreadable, left: 0 });
    expect(rejection).toMatch(sentence);
    expect(rejection).toMatch(/^row 2 of operation_journal cannot be read: /);
    expect(['before', 'old', 'after'].map((id) => new Queries(database).call(id)?.linkedid)).toEqual([
      'before',
      undefined,
      'after',
    ]);
  });

  it('with a record that the table refuses is applied without that one', () => {
    const broken = { ...callRecord('broken'), startedAtMs: null as unknown as number };
    expect(commit(true, call('a'), { kind: 'call', call: broken }, call('b'))).toMatchObject({ rejected: 0 });
    expect(writer.apply()).toMatchObject({ moved: 3, rejected: 1, left: 0 });
    expect(['a', 'broken', 'b'].map((id) => new Queries(database).call(id)?.linkedid)).toEqual(['a', undefined, 'b']);
  });
});

describe('in a flood', () => {
  const opened: History[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((history) => history.close()));
  });
  async function open(): Promise<History> {
    const clock = { nowMs: () => START_MS };
    const history = await openHistory({ path, keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock });
    opened.push(history);
    return history;
  }

  it('calls wait until it is over, but for who asks for them', async () => {
    const history = await open();
    history.noteFlood(true);
    history.record(call('a'));
    await history.flush();
    expect(history.stats()).toMatchObject({ queued: 0, committed: 1, journaled: 1 });
    expect(new Queries(database).call('a')).toBeNull();
    expect((await history.call('a'))?.linkedid).toBe('a');
    expect(history.stats().journaled).toBe(0);
    history.record(call('b', { endedAtMs: START_MS }));
    await history.flush();
    expect(history.stats().journaled).toBe(1);
    history.noteFlood(false);
    await expect.poll(() => history.stats().journaled, { timeout: 5000 }).toBe(0);
    expect(new Queries(database).call('b')?.linkedid).toBe('b');
    // It is counted like any other, too.
    const settled = database.prepare("SELECT is_settled FROM calls WHERE linkedid = 'b'").pluck();
    await expect.poll(() => settled.get(), { timeout: 5000 }).toBe(1);
  });

  it('what a killed sidecar left there is gone on with', async () => {
    commit(true, call('a', { endedAtMs: null }), channel('a', { endedAtMs: null }));
    const history = await open();
    expect((await history.resumable()).map(({ channel: { uniqueid } }) => uniqueid)).toEqual(['a']);
    expect(history.stats().journaled).toBe(0);
  });

  it('a stop leaves nothing there', async () => {
    const history = await open();
    history.noteFlood(true);
    history.record(call('a'));
    await history.close();
    expect(journalRows()).toBe(0);
    expect(new Queries(database).call('a')?.linkedid).toBe('a');
  });
});
