import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LAST_NUMBERED_STEP, migrate, NAMED_STEPS_SCHEMA } from '../../../src/history/schema/migrations.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import { callRecord, channelRecord, intervalRecord, streamRecord } from './records.ts';

let folder: string;
let path: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-migrations-'));
  path = join(folder, 'mes.sqlite');
  database = new Sqlite(path);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function versionOf(): unknown {
  return database.pragma('user_version', { simple: true });
}

/** Rows as the release with schema 1 wrote them. */
const VERSION_1_ROWS = `
  INSERT INTO calls VALUES ('call', 1795168800000, NULL, 4.2, 3.5, 'good', 'documented', '0.1.0');
  INSERT INTO call_aliases VALUES ('older', 'call');
  INSERT INTO channels VALUES ('c-1', 'call', 'PJSIP/alice-c-1', 'PJSIP/alice', '100', 'Alice "A" O''Hara; DROP TABLE calls',
    '200', NULL, '200', 'ulaw', 1795168800000, 1795168801500, NULL, NULL, NULL, NULL, 'b-1', 'native_rtp', NULL, 1,
    4.29, 4.2866, NULL, NULL, 4.1, 4.2, 3.5, 'good', 'documented', '0.1.0', '{"format":1}');
  INSERT INTO streams VALUES ('c-1', 'rx', 'local', 1009542964, 'ulaw', 8000, 'sr', 12, 1, 0, 600, 588, 12, 2, 2, 1,
    101.5, 100.25, 99, 104.125, 1.5, 12, NULL, NULL, NULL, NULL, NULL, 0, 1, 110.25, 87.94, 4.2866, 85.732, 3.5,
    'documented', 88.1, 'good', '2 % of the packets were lost.');
  INSERT INTO intervals VALUES ('c-1', 'rx', 'local', 1, 1795168805000, 'media', 4294967295, 5, -1, 4294967295, 160, 8000,
    3735928559, 1.25, 250, 100.5, 20, 250, 0, 1, 0, 1, 110.5, 90.4375, 4.35, 4.34, NULL, 'documented');`;

it('keep every row of a database of schema 1, with what that did not know as not known', () => {
  migrate(database, path, {}, 1);
  expect(versionOf()).toBe(1);
  database.exec(VERSION_1_ROWS);
  migrate(database, path);
  expect(versionOf()).toBe(NAMED_STEPS_SCHEMA);

  const queries = new Queries(database);
  const fault = { faultPlace: null, faultCertainty: null, faultReports: null, faultWhy: null };
  const stream = streamRecord({
    rLq: null,
    rCq: null,
    mosLq: null,
    mosCq: null,
    lossyReports: null,
    lastReportAtMs: null,
    mosLqInterval: null,
    senderPackets: null,
    senderOctets: null,
    packetJitterMeanMs: null,
    packetJitterStdevMs: null,
    fractionLostQ8: null,
    jitterTicks: null,
    unusedReports: null,
    sequenceRestarts: null,
    jitterResets: null,
  });
  const channel = channelRecord('c-1', {
    linkedid: 'call',
    lastReceivedAtMs: null,
    sipCallId: null,
    device: null,
    site: null,
    deviceDetails: null,
    phone: null,
    streams: [stream],
  });
  expect(queries.call('older')).toEqual({ ...callRecord('call', fault), channels: [channel] });
  // Where a clock rate came from is taken from the stream, where that has another than was assumed.
  const unknown = {
    channelReportNumber: null,
    beganAtMs: null,
    codec: null,
    clockRateSource: 'sr',
    sentNtpS: null,
    sentRtpTicks: null,
    sentPackets: null,
    sentOctets: null,
    sentSsrc: null,
    latePackets: null,
  } as const;
  expect(queries.intervals('c-1')).toEqual([intervalRecord('c-1', 1, unknown)]);
  expect(queries.segments('c-1')).toEqual([]);
  expect(queries.resumable()).toEqual([{ channel, resume: '{"format":1}', laterIntervals: [] }]);
});

it('count and find the ended calls of older releases once they are counted, and only once', () => {
  migrate(database, path, {}, 1);
  database.exec(VERSION_1_ROWS.replace("('call', 1795168800000, NULL,", "('call', 1795168800000, 1795168900000,"));
  migrate(database, path);
  const writer = new Writer(database);
  expect(writer.countEnded()).toBe(1);
  expect(writer.countEnded()).toBe(0);
  expect(database.prepare("SELECT calls, mes_micro FROM call_sums WHERE kind = 'endpoint'").all()).toEqual(
    Array.from({ length: 2 }, () => ({ calls: 1, mes_micro: 4_290_000 })),
  );
  expect(database.prepare('SELECT field, value FROM call_terms ORDER BY 1, 2').raw().all()).toEqual([
    ['codec', 'ulaw'],
    ['endpoint', 'PJSIP/alice'],
    ['number', '100'],
    ['number', '200'],
    // Exactly 4.2.
    ['score', '084'],
    ['verdict', 'good'],
    ['verdict_score', 'good 084'],
  ]);
});

it('end in the same schema from an empty database as from every older one, and then change nothing', () => {
  const schema = (): unknown[] => database.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all();
  migrate(database, path);
  const whole = schema();
  migrate(database, path);
  expect(schema()).toEqual(whole);
  for (let version = 1; version <= LAST_NUMBERED_STEP; version++) {
    database.close();
    database = new Sqlite(join(folder, `from-${version}.sqlite`));
    migrate(database, path, {}, version);
    migrate(database, path);
    expect(schema()).toEqual(whole);
  }
});

it('that fail leave the database as it was', () => {
  migrate(database, path, {}, 1);
  database.exec(VERSION_1_ROWS);
  // In the way of a table of the next step.
  database.exec('CREATE TABLE segments (mine)');
  const before = database.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all();
  expect(() => migrate(database, path)).toThrow(/segments already exists/);
  expect(versionOf()).toBe(1);
  expect(database.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all()).toEqual(before);
  expect(database.prepare('SELECT count(*) FROM intervals').pluck().get()).toBe(1);
});

it('tells of each step on an older database before it, and of none on a new one or one that is up to date', () => {
  const told: (readonly [step: number, steps: number, version: unknown])[] = [];
  const upgrade = (): void =>
    migrate(database, path, {}, NAMED_STEPS_SCHEMA, (step, steps) => told.push([step, steps, versionOf()]));
  migrate(database, path, {}, 1);
  database.exec(VERSION_1_ROWS);
  upgrade();
  const [, steps] = told[0] ?? [];
  expect(told.map(([step]) => step)).toEqual(Array.from({ length: Number(steps) }, (_, index) => index + 1));
  expect(new Set(told.map(([, all]) => all)).size).toBe(1);
  // Schema 1 to 8, and at least the two steps of the core that followed.
  expect(told.slice(0, 8).map(([, , version]) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(steps).toBeGreaterThanOrEqual(9);
  const before = told.length;
  upgrade();
  database.close();
  database = new Sqlite(join(folder, 'new.sqlite'));
  upgrade();
  expect([versionOf(), told.length]).toEqual([NAMED_STEPS_SCHEMA, before]);
});
