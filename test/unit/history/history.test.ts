import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explain } from '../../../src/history/history-error.ts';
import { openHistory, type History } from '../../../src/history/history.ts';
import { NAMED_STEPS_SCHEMA } from '../../../src/history/schema/migrations.ts';
import { callRecord, channelRecord, intervalRecord, resumeOf, START_MS, streamRecord } from './records.ts';

const DAY_MS = 86_400_000;

let folder: string;
let path: string;
let opened: History[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mes-history-'));
  path = join(folder, 'deep', 'mes.sqlite');
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((history) => history.close()));
  await rm(folder, { recursive: true });
});

async function open(part: { maxQueued?: number; nowMs?: number; at?: string } = {}): Promise<History> {
  const history = await openHistory({
    path: part.at ?? path,
    keepIntervalsMs: 30 * DAY_MS,
    keepCallsMs: 400 * DAY_MS,
    maxQueued: part.maxQueued,
    clock: { nowMs: () => part.nowMs ?? START_MS },
  });
  opened.push(history);
  return history;
}

describe('the history', () => {
  it('gives back what was recorded, at once and after it was opened again', async () => {
    const history = await open();
    const channel = channelRecord('c-1', {
      linkedid: 'call',
      streams: [
        streamRecord(),
        streamRecord({ direction: 'tx', reporter: 'remote', ssrc: null, codec: null, mes: null }),
      ],
    });
    const call = callRecord('call');
    history.record({ kind: 'interval', interval: intervalRecord('c-1', 1) });
    history.record({ kind: 'channel', channel, resume: resumeOf('{"n":1}', 12, 0) });
    history.record({ kind: 'call', call });

    expect(await history.call('call')).toEqual({ ...call, channels: [channel] });
    expect(await history.channel('c-1')).toEqual(channel);
    expect(await history.intervals('c-1')).toEqual([intervalRecord('c-1', 1)]);
    expect(await history.resumable()).toEqual([{ channel, resume: '{"n":1}', laterIntervals: [] }]);
    expect(history.stats()).toEqual({
      queued: 0,
      dropped: 0,
      rejected: 0,
      rejection: null,
      committed: 3,
      problem: null,
    });
    await history.close();

    const again = await open();
    expect(await again.call('call')).toEqual({ ...call, channels: [channel] });
    expect(await again.call('other')).toBeNull();
    expect(await again.channel('other')).toBeNull();
    expect(await again.intervals('other')).toBeNull();
  });

  it('gives with a state to go on from the reports that were stored after it, in the order in which they came', async () => {
    const history = await open();
    const streams = [streamRecord({ reports: 2 }), streamRecord({ direction: 'tx', reporter: 'remote', reports: 1 })];
    const channel = channelRecord('c-1', { linkedid: 'call', streams });
    history.record({ kind: 'channel', channel, resume: resumeOf('{}', 2, 1) });
    const reports = [
      intervalRecord('c-1', 1, { channelReportNumber: 1 }),
      intervalRecord('c-1', 1, { channelReportNumber: 2, direction: 'tx', reporter: 'remote' }),
      intervalRecord('c-1', 2, { channelReportNumber: 3 }),
      intervalRecord('c-1', 2, { channelReportNumber: 4, direction: 'tx', reporter: 'remote', sentNtpS: null }),
      intervalRecord('c-1', 3, { channelReportNumber: 5 }),
      intervalRecord('c-1', 3, { channelReportNumber: 6, direction: 'tx', reporter: 'remote' }),
    ];
    for (const interval of [...reports, intervalRecord('c-2', 9)]) history.record({ kind: 'interval', interval });
    history.record({ kind: 'call', call: callRecord('call') });
    expect(await history.resumable()).toEqual([{ channel, resume: '{}', laterIntervals: reports.slice(3) }]);
  });

  it('no longer resumes a channel that has ended', async () => {
    const history = await open();
    history.record({ kind: 'channel', channel: channelRecord('c-1'), resume: resumeOf('{}') });
    history.record({ kind: 'channel', channel: channelRecord('c-2'), resume: resumeOf('{}') });
    const ended = channelRecord('c-1', { endedAtMs: START_MS + 1, endReason: 'hangup', onHold: false });
    history.record({ kind: 'channel', channel: ended, resume: null });
    expect((await history.resumable()).map(({ channel }) => channel.uniqueid)).toEqual(['c-2']);
    expect(await history.channel('c-1')).toEqual(ended);
  });

  it('commits by itself within 250 ms', async () => {
    const history = await open();
    const tookMs: number[] = [];
    // The quickest of some: a busy machine may hold one up.
    while (tookMs.length < 20 && !tookMs.some((ms) => ms < 250)) {
      const committed = tookMs.length;
      const began = performance.now();
      history.record({ kind: 'call', call: callRecord('call') });
      expect(history.stats()).toMatchObject({ queued: 1, committed });
      await expect.poll(() => history.stats().committed, { interval: 2 }).toBe(committed + 1);
      tookMs.push(performance.now() - began);
    }
    expect(Math.min(...tookMs)).toBeGreaterThan(150);
    expect(Math.min(...tookMs)).toBeLessThan(400);
  });

  it('commits at once what is in a hurry', async () => {
    const history = await open();
    const commits: number[] = [];
    for (let n = 1; n <= 3; n++) {
      history.record({ kind: 'call', call: callRecord(`call-${n}`) });
      history.hurry();
      // Already on its way to the disk: what is recorded from now on is not part of it.
      history.record({ kind: 'call', call: callRecord(`call-${n}`) });
      commits.push(history.stats().queued);
      await history.flush();
    }
    expect(commits).toEqual([2, 2, 2]);
    expect(history.stats()).toMatchObject({ committed: 6, queued: 0 });
  });

  it('commits what waits when it is closed, and counts what comes later', async () => {
    const history = await open();
    history.record({ kind: 'call', call: callRecord('call') });
    await history.close();
    history.record({ kind: 'call', call: callRecord('late') });
    expect(history.stats()).toMatchObject({ committed: 1, dropped: 1, queued: 0 });
    const database = new Sqlite(path, { readonly: true });
    expect(database.prepare('SELECT linkedid FROM calls').pluck().all()).toEqual(['call']);
    database.close();
  });

  it('leaves out a broken record and keeps the rest of the batch', async () => {
    const history = await open();
    const broken = { ...intervalRecord('c-1', 1), clockRateHz: null as unknown as number };
    history.record({ kind: 'interval', interval: broken });
    history.record({ kind: 'interval', interval: intervalRecord('c-1', 2) });
    const brokenStream = { ...streamRecord(), reports: 'many' as unknown as number };
    history.record({ kind: 'channel', channel: channelRecord('c-2', { streams: [brokenStream] }), resume: null });
    const withoutSummary = { ...streamRecord(), rttMs: null as unknown as ReturnType<typeof streamRecord>['rttMs'] };
    const third = channelRecord('c-3', { streams: [withoutSummary] });
    history.record({ kind: 'channel', channel: third, resume: null });
    history.record({ kind: 'channel', channel: channelRecord('c-1'), resume: null });
    expect((await history.intervals('c-1'))?.map(({ reportNumber }) => reportNumber)).toEqual([2]);
    expect(await history.channel('c-2')).toBeNull();
    expect(await history.channel('c-3')).toBeNull();
    expect(history.stats()).toMatchObject({ committed: 2, rejected: 3, problem: null });
    expect(history.stats().rejection).toMatch(
      /^cannot store TEXT value in INTEGER column streams\.reports$|clock_rate_hz|Cannot read properties of null/,
    );
  });

  it('makes its folder and files for its own user only', async () => {
    const history = await open();
    history.record({ kind: 'call', call: callRecord('call') });
    await history.flush();
    const modes = await Promise.all(
      [join(folder, 'deep'), path, `${path}-wal`].map(async (name) => (await stat(name)).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  it('computes jitter by the clock rate that the stream was found to have, where it had been assumed', async () => {
    const history = await open();
    const streams = [
      streamRecord({ clockRateHz: 48_000, clockRateSource: 'sr' }),
      streamRecord({ direction: 'tx', clockRateHz: 16_000, clockRateSource: 'assumed' }),
    ];
    history.record({ kind: 'channel', channel: channelRecord('c-1', { streams }), resume: null });
    const assumed = { jitterTicks: 480, clockRateSource: 'assumed' as const, jitterMs: 60 };
    history.record({ kind: 'interval', interval: intervalRecord('c-1', 1, assumed) });
    history.record({
      kind: 'interval',
      interval: intervalRecord('c-1', 2, { ...assumed, jitterTicks: null, jitterMs: null }),
    });
    const known = { jitterTicks: 480, clockRateHz: 16_000, clockRateSource: 'codec' as const, jitterMs: 30 };
    history.record({ kind: 'interval', interval: intervalRecord('c-1', 3, known) });
    const unsure = { ...assumed, direction: 'tx' as const };
    history.record({ kind: 'interval', interval: intervalRecord('c-1', 4, unsure) });
    const intervals = await history.intervals('c-1');
    expect(
      intervals?.map(({ jitterMs, clockRateHz, clockRateSource }) => [jitterMs, clockRateHz, clockRateSource]),
    ).toEqual([
      [10, 48_000, 'sr'],
      [null, 8000, 'assumed'],
      [30, 16_000, 'codec'],
      [60, 8000, 'assumed'],
    ]);
  });
});

describe('a disk that does not take it', () => {
  it('that is locked for a while costs nothing but time', async () => {
    const history = await open();
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    for (let n = 1; n <= 10; n++) history.record({ kind: 'interval', interval: intervalRecord('c-1', n) });
    history.record({ kind: 'channel', channel: channelRecord('c-1'), resume: resumeOf('{}') });

    const began = performance.now();
    expect(await history.channel('c-1')).toBeNull();
    expect(performance.now() - began).toBeLessThan(15_000);
    await expect
      .poll(() => history.stats().problem)
      .toBe(
        `the history ${path} is locked by another program; close the program that holds it (a second asterisk-mes, a database tool) (SQLITE_BUSY)`,
      );
    expect(history.stats()).toMatchObject({ queued: 11, dropped: 0, committed: 0 });

    other.exec('ROLLBACK');
    other.close();
    await history.flush();
    expect(history.stats()).toMatchObject({ queued: 0, dropped: 0, committed: 11, problem: null });
    expect(await history.intervals('c-1')).toHaveLength(10);
  });

  it('drops the oldest intervals when the queue is full, and no ending', async () => {
    const history = await open({ maxQueued: 100 });
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    for (let n = 1; n <= 1000; n++) history.record({ kind: 'interval', interval: intervalRecord('c-1', n) });
    const ended = channelRecord('c-1', { endedAtMs: START_MS + 60_000, endReason: 'hangup' });
    history.record({ kind: 'channel', channel: ended, resume: null });
    expect(history.stats()).toMatchObject({ queued: 100, dropped: 901 });
    await sleep(1500);
    for (let n = 1001; n <= 1050; n++) history.record({ kind: 'interval', interval: intervalRecord('c-1', n) });
    await expect.poll(() => history.stats().queued, { timeout: 30_000 }).toBe(100);
    other.exec('ROLLBACK');
    other.close();
    await history.flush();
    expect(await history.channel('c-1')).toEqual(ended);
    const numbers = (await history.intervals('c-1'))?.map(({ reportNumber }) => reportNumber);
    expect(numbers).toEqual(Array.from({ length: 99 }, (_, index) => 952 + index));
    expect(history.stats()).toMatchObject({ committed: 100, dropped: 951, problem: null });
  });

  it('does not hold up the end for longer than some seconds', async () => {
    const history = await open();
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    history.record({ kind: 'call', call: callRecord('call') });
    const began = performance.now();
    await history.close();
    const tookMs = performance.now() - began;
    // The lock had a second in which to go; then the threads get half a second.
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(15_000);
    expect(history.stats()).toMatchObject({ committed: 0, queued: 1 });
    other.close();
    const again = await open();
    expect(await again.call('call')).toBeNull();
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['EACCES', /cannot be written; let the user that runs asterisk-mes write that file and its folder/],
    ['SQLITE_READONLY_DIRECTORY', /cannot be written; let the user that runs asterisk-mes write that file/],
    ['SQLITE_FULL', /cannot be written because the disk is full; free some space on it \(SQLITE_FULL\)$/],
    ['SQLITE_IOERR_WRITE', /cannot be written because the disk reports an error; check the disk/],
    ['SQLITE_CORRUPT_INDEX', /is not a whole SQLite database; move it away and start again/],
    ['ODD', /^the history \/h\.sqlite failed: the cause$/],
  ])('is explained by its code %s', (code, sentence) => {
    expect(explain(Object.assign(new Error('the cause'), { code }), '/h.sqlite')).toMatch(sentence);
  });

  it('stops the start with what to change', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'something else altogether, and long enough to be told from a database header');
    await mkdir(join(folder, 'folder'));
    const advice =
      'cannot be written; let the user that runs asterisk-mes write that file and its folder, or set another path in [history]';
    const below = join(file, 'mes.sqlite');
    await expect(open({ at: below })).rejects.toMatchObject({ message: `the history ${below} ${advice} (EEXIST)` });
    const directory = join(folder, 'folder');
    await expect(open({ at: directory })).rejects.toMatchObject({
      message: `the history ${directory} ${advice} (EISDIR)`,
    });
    await expect(open({ at: file })).rejects.toMatchObject({
      message: `the history ${file} is not a whole SQLite database; move it away and start again to get a new one (SQLITE_NOTADB)`,
    });
  });

  it('of a newer release is left alone', async () => {
    await (await open()).close();
    const database = new Sqlite(path);
    expect(database.pragma('user_version', { simple: true })).toBe(NAMED_STEPS_SCHEMA);
    database.pragma('user_version = 99');
    database.close();
    await expect(open()).rejects.toMatchObject({
      message: `the history ${path} was written by a newer asterisk-mes (it has schema 99, which this one does not know); upgrade asterisk-mes, or set another path in [history]`,
    });
  });

  it('of another program is left alone, an empty one is taken', async () => {
    const foreign = join(folder, 'foreign.sqlite');
    const database = new Sqlite(foreign);
    database.exec('CREATE TABLE calls (whose)');
    database.close();
    await expect(open({ at: foreign })).rejects.toMatchObject({
      message: `${foreign} is a database of another program; set another path in [history]`,
    });
    const empty = join(folder, 'empty.sqlite');
    await writeFile(empty, '');
    await chmod(empty, 0o640);
    const history = await open({ at: empty });
    expect(await history.calls({}, 10, null)).toEqual({ calls: [], next: null });
    expect((await stat(empty)).mode & 0o777).toBe(0o640);
  });
});
