import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Queries } from '../../../src/history/read/queries.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Writer } from '../../../src/history/write/writer.ts';

/** Each was made by the release that wrote that schema, and killed: 7 has states and reports in its journals, 6 reports. */
const SCHEMAS = [1, 2, 3, 4, 5, 6, 7];
const GOLDEN = join(import.meta.dirname, '../../golden/history');
const STARTED_AT_MS = 1_795_168_800_000;

let folder: string;
let database: Database | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-older-'));
});
afterEach(() => {
  database?.close();
  database = undefined;
  rmSync(folder, { recursive: true });
});

function unpacked(schema: number): string {
  const path = join(folder, 'mes.sqlite');
  writeFileSync(path, gunzipSync(readFileSync(join(GOLDEN, `schema-${schema}.sqlite.gz`))));
  return path;
}

describe.each(SCHEMAS)('a database of schema %i', (schema) => {
  const ended = Array.from({ length: schema === 7 ? 6 : 5 }, (_, index) => `ended-${index + 1}`);

  it('has every call, channel and report after it was opened, and nothing of the journals is left', () => {
    const path = unpacked(schema);
    const before = new Sqlite(path, { readonly: true });
    expect(before.pragma('user_version', { simple: true })).toBe(schema);
    before.close();
    database = openForWriting(path);
    const queries = new Queries(database);
    const { calls } = queries.calls({ filter: {}, limit: 100, cursor: null });
    expect(calls.map(({ linkedid }) => linkedid).toSorted()).toEqual([...ended, 'up']);
    for (const linkedid of ended) {
      const call = queries.call(linkedid);
      const number = Number(linkedid.slice('ended-'.length));
      expect(call).toMatchObject({ startedAtMs: STARTED_AT_MS + number, mes: 4.2, verdict: 'good' });
      expect(call?.endedAtMs).toBe(STARTED_AT_MS + number * 60_000);
      expect(call?.channels).toHaveLength(1);
      expect(call?.channels[0]?.streams.map(({ direction, reports }) => [direction, reports])).toEqual([
        ['rx', 3],
        ['tx', 3],
      ]);
      const reports = queries.intervals(linkedid)?.map(({ direction, reportNumber }) => `${direction} ${reportNumber}`);
      expect(reports?.toSorted()).toEqual(['rx 1', 'rx 2', 'rx 3', 'tx 1', 'tx 2', 'tx 3']);
      expect(queries.segments(linkedid)).toHaveLength(schema === 1 ? 0 : 1);
    }
    expect(queries.call('joined')?.channels.map(({ uniqueid }) => uniqueid)).toEqual(['joined-1', 'up-1']);
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE '%journal%'").pluck().all();
    expect(tables).toEqual([]);
  });

  it('goes on from what was stored: the state of the call that was up, and the reports that it does not count', () => {
    database = openForWriting(unpacked(schema));
    void new Writer(database);
    const resumable = new Queries(database).resumable();
    expect(resumable.map(({ channel, resume }) => [channel.uniqueid, resume])).toEqual([
      ['joined-1', '{"format":0}'],
      ['up-1', '{"format":0}'],
    ]);
    const later = resumable[1]?.laterIntervals.map(({ direction, reportNumber }) => `${direction} ${reportNumber}`);
    expect(later).toEqual(['rx 4', 'tx 4']);
  });

  it('ends in the schema that a new one has', () => {
    database = openForWriting(unpacked(schema));
    const fresh = openForWriting(join(folder, 'new.sqlite'));
    const schemaOf = (of: Database): unknown[] =>
      of.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all();
    expect(schemaOf(database)).toEqual(schemaOf(fresh));
    fresh.close();
  });
});
