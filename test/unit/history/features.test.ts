import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, expectTypeOf, it } from 'vitest';
import { HistoryError } from '../../../src/history/history-error.ts';
import {
  callFeature,
  type Feature,
  featureClient,
  type FeatureCall,
  type Features,
} from '../../../src/history/schema/feature.ts';
import { migrate } from '../../../src/history/schema/migrations.ts';
import { Statements } from '../../../src/history/schema/statements.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import { batchOf, callRecord } from './records.ts';

interface Note {
  readonly linkedid: string;
  readonly text: string;
}

const NOTES = {
  steps: ['CREATE TABLE notes (linkedid TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT'],
  writes: {
    put(statements: Statements, { linkedid, text }: Note): number {
      return statements.run('INSERT INTO notes VALUES (?, ?)', linkedid, text);
    },
    putTwice(statements: Statements, { linkedid, text }: Note): void {
      statements.run('INSERT INTO notes VALUES (?, ?)', `${linkedid}-first`, text);
      statements.run('INSERT INTO notes VALUES (?, ?)', linkedid, text);
    },
  },
  reads: {
    all(statements: Statements): readonly Note[] {
      return statements.prepared('SELECT linkedid, text FROM notes ORDER BY linkedid').all() as Note[];
    },
  },
  forget(statements, linkedids) {
    for (const linkedid of linkedids) statements.run('DELETE FROM notes WHERE linkedid = ?', linkedid);
  },
  join(statements, from, into) {
    statements.run('UPDATE OR REPLACE notes SET linkedid = ? WHERE linkedid = ?', into, from);
  },
} as const satisfies Feature;

const FEATURES = { notes: NOTES };

let folder: string;
let path: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-features-'));
  path = join(folder, 'mes.sqlite');
  database = new Sqlite(path);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function opened(features: Features = FEATURES): Writer {
  migrate(database, path, features);
  return new Writer(database, features);
}

function clientOf(statements: Statements) {
  const answer = (kind: 'reads' | 'writes') => (call: FeatureCall) =>
    Promise.resolve(callFeature(FEATURES, kind, statements, call));
  return featureClient<typeof FEATURES>({ reads: answer('reads'), writes: answer('writes') });
}

it('are written and read by name, with their own types, and a write is whole or nothing', async () => {
  opened();
  const client = clientOf(new Statements(database));
  const changed = await client.write('notes', 'put', { linkedid: 'a', text: 'echo' });
  expectTypeOf(changed).toEqualTypeOf<number>();
  expect(changed).toBe(1);
  await expect(async () => client.write('notes', 'putTwice', { linkedid: 'a', text: 'again' })).rejects.toThrow(
    /UNIQUE/,
  );
  const all = await client.read('notes', 'all', undefined);
  expectTypeOf(all).toEqualTypeOf<readonly Note[]>();
  expect(all).toEqual([{ linkedid: 'a', text: 'echo' }]);
});

it('have no other methods than those that they name', () => {
  opened();
  const statements = new Statements(database);
  const call = { feature: 'notes', method: 'toString', input: null };
  expect(() => callFeature(FEATURES, 'writes', statements, call)).toThrow(RangeError);
  expect(() => callFeature(FEATURES, 'reads', statements, { ...call, method: 'put' })).toThrow(
    /no put among its reads/,
  );
  expect(() => callFeature(FEATURES, 'writes', statements, { ...call, feature: 'tags' })).toThrow(
    /tags has no toString/,
  );
});

it('follow a call that is joined into another, and go with one that has expired', async () => {
  const writer = opened();
  const client = clientOf(new Statements(database));
  const ended = { startedAtMs: 1000, endedAtMs: 2000 };
  writer.commit(
    batchOf(
      { kind: 'call', call: callRecord('old', ended) },
      { kind: 'call', call: callRecord('kept', { ...ended, endedAtMs: 9000 }) },
      { kind: 'call', call: callRecord('left', ended) },
    ),
  );
  for (const linkedid of ['old', 'kept', 'left'])
    await client.write('notes', 'put', { linkedid, text: `of ${linkedid}` });
  writer.commit(batchOf({ kind: 'call-merged', fromLinkedid: 'left', intoLinkedid: 'old' }));
  expect(await client.read('notes', 'all', undefined)).toEqual([
    { linkedid: 'kept', text: 'of kept' },
    { linkedid: 'old', text: 'of left' },
  ]);
  while (writer.purge({ callsBeforeMs: 5000, intervalsBeforeMs: 0 }) > 0);
  expect(await client.read('notes', 'all', undefined)).toEqual([{ linkedid: 'kept', text: 'of kept' }]);
});

it('are added to a database that was made without them, once, and keep what they have', async () => {
  opened({});
  opened();
  await clientOf(new Statements(database)).write('notes', 'put', { linkedid: 'a', text: 'echo' });
  opened({
    notes: { ...NOTES, steps: [...NOTES.steps, 'ALTER TABLE notes ADD COLUMN author TEXT'] },
    tags: { steps: [] },
  });
  expect(database.prepare('SELECT * FROM notes').all()).toEqual([{ linkedid: 'a', text: 'echo', author: null }]);
  expect(database.prepare("SELECT name FROM schema_steps WHERE name LIKE 'notes%'").pluck().all()).toEqual([
    'notes 1',
    'notes 2',
  ]);
});

it.each([
  [
    'a feature',
    { notes: { ...NOTES, steps: [...NOTES.steps, 'ALTER TABLE notes ADD COLUMN author TEXT'] } },
    'notes 2',
  ],
  ['a feature', {}, 'tags 1'],
])('of a newer release make an older one refuse the database: %s that it does not know', (_, features, unknown) => {
  opened({
    ...features,
    ...(unknown === 'tags 1' ? { notes: NOTES, tags: { steps: ['CREATE TABLE tags (a TEXT)'] } } : {}),
  });
  const refused = `the history ${path} was written by a newer asterisk-mes (it has ${unknown}, which this one does not know); upgrade asterisk-mes, or set another path in [history]`;
  expect(() => opened()).toThrow(new HistoryError(refused));
});

it('and columns of a newer release do, too, and its number', () => {
  opened();
  database.exec("INSERT INTO schema_steps VALUES ('column streams.from_the_future')");
  expect(() => opened()).toThrow(/newer asterisk-mes \(it has column streams\.from_the_future,/);
  database.pragma('user_version = 9');
  expect(() => opened()).toThrow(/newer asterisk-mes \(it has schema 9,/);
});

it('a column of a record that the table lacks is added, with null in the rows that were there', () => {
  opened();
  database.exec(`INSERT INTO segments (uniqueid, segment_number, opened_by, started_at_ms, ended_at_ms, direction, reporter,
    clock_rate_hz, clock_rate_source, reports, idle_reports, dead_reports, duplicates, rtt_count, jitter_count, rtt_known, profile)
    VALUES ('c', 1, 'start', 1, 2, 'rx', 'local', 8000, 'sr', 1, 0, 0, 0, 0, 0, 0, 'documented')`);
  database.exec('ALTER TABLE segments DROP COLUMN mos_cq; ALTER TABLE segments DROP COLUMN codec');
  opened();
  expect(database.prepare('SELECT uniqueid, mos_cq, codec FROM segments').all()).toEqual([
    { uniqueid: 'c', mos_cq: null, codec: null },
  ]);
  const types = database.prepare(
    "SELECT name, type FROM pragma_table_info('segments') WHERE name IN ('mos_cq', 'codec') ORDER BY name",
  );
  expect(types.all()).toEqual([
    { name: 'codec', type: 'TEXT' },
    { name: 'mos_cq', type: 'REAL' },
  ]);
  expect(database.prepare("SELECT name FROM schema_steps WHERE name LIKE 'column %'").pluck().all()).toEqual([
    'column calls.ended_by_uniqueid',
    'column calls.findings',
    'column channels.device',
    'column channels.device_details',
    'column channels.hangup_at_ms',
    'column channels.hangup_by',
    'column channels.hangup_ended_talk',
    'column channels.phone',
    'column channels.sip_call_id',
    'column channels.site',
    'column segments.codec',
    'column segments.mos_cq',
    'column streams.last_report_at_ms',
    'column streams.lossy_reports',
  ]);
});
