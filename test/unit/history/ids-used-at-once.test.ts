import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { encodeBatch } from '../../../src/history/write/batch.ts';
import { ChangeQueue } from '../../../src/history/write/change-queue.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { ExistingChannel } from '../../../src/model/event.ts';
import { local, reportBlock, Script, snapshot } from '../calls/script.ts';

let folder: string;
let database: Database;
let writer: Writer;
let script: Script;
let queue: ChangeQueue;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-again-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
  writer = new Writer(database);
  script = new Script();
  queue = new ChangeQueue(1000);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** As the history does it: what has changed is queued, and what waits is committed together. */
function store(nowMs = script.atMs): void {
  for (const change of script.drain(nowMs)) queue.push(change);
  expect(writer.commit(encodeBatch(queue.take()))).toMatchObject({ rejected: 0 });
}

function made(uniqueid: string, linkedid = '1'): void {
  const channel = snapshot(uniqueid, { linkedid });
  script.board.handle({ type: 'channel', atMs: script.atMs, channel, isNew: true });
}

function listed(...channels: (readonly [uniqueid: string, ageS?: number | undefined])[]): void {
  const rows = channels.map(([uniqueid, ageS]): ExistingChannel => {
    const codecs = { rx: 'ulaw', tx: 'ulaw' };
    return { ...snapshot(uniqueid, { linkedid: '1' }), codecs, ...(ageS === undefined ? {} : { ageS }) };
  });
  script.board.handle({ type: 'resync', atMs: script.atMs, channels: rows });
}

/** So many reports of both channels, 250 packets each, of which some are lost. */
function reports(count: number, lost: number): void {
  for (let n = 1; n <= count; n++) {
    script.wait(5);
    for (const uniqueid of ['1', '2']) script.rtcp(uniqueid, local(reportBlock(250 * n, lost * n)), { linkedid: '1' });
    store();
  }
}

/** A call of the channels 1 and 2, until Asterisk is gone for 8 s. Returns when it began. */
function formerCall(): number {
  const startedAtMs = script.atMs;
  made('1');
  made('2');
  store();
  reports(3, 10);
  script.board.handle({ type: 'link-lost', atMs: script.atMs });
  store();
  script.wait(8);
  return startedAtMs;
}

/** The other call of the same ids, until it ends. */
function otherCall(): void {
  reports(2, 0);
  for (const uniqueid of ['2', '1']) script.hangup(uniqueid, { linkedid: '1' });
  script.wait(6);
  store(Number.POSITIVE_INFINITY);
  expect(script.board.counters).toMatchObject({ reports: 10, lateReports: 0 });
}

const all = (sql: string): unknown[] => database.prepare(sql).raw().all();

function expectTwoCalls(firstMs: number, otherMs: number): void {
  const old = `~${firstMs}`;
  const lastSeenMs = firstMs + 15_000;
  expect(all('SELECT linkedid, started_at_ms, ended_at_ms FROM calls ORDER BY started_at_ms')).toEqual([
    [`1${old}`, firstMs, lastSeenMs],
    ['1', otherMs, otherMs + 10_000],
  ]);
  expect(
    all(
      'SELECT uniqueid, linkedid, end_reason, hangup_cause, mes_rx < 4 FROM channels ORDER BY started_at_ms, uniqueid',
    ),
  ).toEqual([
    [`1${old}`, `1${old}`, 'vanished', null, 1],
    [`2${old}`, `1${old}`, 'vanished', null, 1],
    ['1', '1', 'hangup', 16, 0],
    ['2', '1', 'hangup', 16, 0],
  ]);
  expect(
    all(
      'SELECT uniqueid, max(report_number), count(*), sum(packets_lost) FROM intervals GROUP BY 1 ORDER BY min(at_ms), 1',
    ),
  ).toEqual([
    [`1${old}`, 3, 3, 30],
    [`2${old}`, 3, 3, 30],
    ['1', 2, 2, 0],
    ['2', 2, 2, 0],
  ]);
}

it.each([0, 0.05, 4])(
  'channels that are made %d s after Asterisk has begun anew, with former ids, are others',
  (waitS) => {
    const firstMs = formerCall();
    listed();
    if (waitS > 1) store();
    script.wait(waitS);
    const otherMs = script.atMs;
    made('1');
    made('2');
    otherCall();
    expectTwoCalls(firstMs, otherMs);
    expect(script.reopened).toEqual(['1', '2', '1', '2']);
  },
);

it.each([
  ['1', '2'],
  ['2', '1'],
])('channels that are listed by former ids, but too young, are others (%s first)', (...order) => {
  const firstMs = formerCall();
  listed(...order.map((uniqueid) => [uniqueid, 0] as const));
  const otherMs = script.atMs;
  expect(script.board.liveCount).toBe(2);
  otherCall();
  expectTwoCalls(firstMs, otherMs);
});

it.each([
  ['whose age is right', 23],
  ['whose age is not told', undefined],
])('channels that are listed again, %s, are the same', (_, ageS) => {
  formerCall();
  listed(['1', ageS], ['2', ageS]);
  store();
  made('1');
  reports(1, 40);
  expect(all('SELECT uniqueid, count(*), max(report_number) FROM intervals GROUP BY 1')).toEqual([
    ['1', 4, 4],
    ['2', 4, 4],
  ]);
  expect(all('SELECT uniqueid, ended_at_ms FROM channels')).toEqual([
    ['1', null],
    ['2', null],
  ]);
});

it('channels are the same after the clock was set back by more than their age', () => {
  formerCall();
  script.atMs -= 60_000;
  script.board.clockStepped(-60_000);
  // Asterisk reckons the age by the new clock; it never prints less than 0.
  listed(['1', 0], ['2', 0]);
  expect(script.board.liveCount).toBe(2);
  store();
  expect(all('SELECT uniqueid FROM channels')).toEqual([['1'], ['2']]);
});

it('what comes late of a former channel makes no other one of it', () => {
  formerCall();
  listed();
  script.wait(0.05).hangup('1', { linkedid: '1' }).up('2', { linkedid: '1' });
  expect(script.board.liveCount).toBe(0);
  expect(script.channel('1')).toMatchObject({ endReason: 'hangup', hangupCause: 16 });
});
