import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHistory, type History } from '../../../src/history/history.ts';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { batchOf, callRecord, channelRecord, intervalRecord, resumeOf, segmentRecord, START_MS } from './records.ts';

const KEPT_MS = 1e13;

let folder: string;
let path: string;
let opened: History[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mes-faults-'));
  path = join(folder, 'mes.sqlite');
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((history) => history.close()));
  await rm(folder, { recursive: true });
});

async function open(): Promise<History> {
  const history = await openHistory({
    path,
    keepIntervalsMs: KEPT_MS,
    keepCallsMs: KEPT_MS,
    clock: { nowMs: () => START_MS },
  });
  opened.push(history);
  return history;
}

describe('calls that are stored as up and of which nobody knows', () => {
  function stored(changes: readonly HistoryChange[]) {
    const database = openForWriting(path);
    const writer = new Writer(database);
    expect(writer.commit(batchOf(...changes)).rejected).toBe(0);
    return { database, writer, queries: new Queries(database) };
  }

  it('end as vanished at their last report, and what is known stays up', () => {
    const up = (uniqueid: string, linkedid = uniqueid): HistoryChange[] => [
      { kind: 'call', call: callRecord(linkedid) },
      { kind: 'channel', channel: channelRecord(uniqueid, { linkedid }), resume: resumeOf('{}') },
    ];
    const { database, writer, queries } = stored([
      ...up('lost'),
      { kind: 'interval', interval: intervalRecord('lost', 1, { atMs: START_MS + 60_000 }) },
      { kind: 'interval', interval: intervalRecord('lost', 2, { atMs: START_MS + 65_000 }) },
      ...up('silent'),
      ...up('known'),
      ...up('by-channel', 'under-another-name'),
      ...up('old'),
      ...up('new'),
      { kind: 'call-merged', fromLinkedid: 'old', intoLinkedid: 'new' },
    ]);
    const known = { linkedids: ['known', 'old'], uniqueids: ['by-channel'] };
    expect(writer.endLost(known)).toBe(2);
    expect(writer.endLost(known)).toBe(0);
    expect(queries.call('lost')).toMatchObject({
      endedAtMs: START_MS + 65_000,
      channels: [{ endedAtMs: START_MS + 65_000, endReason: 'vanished' }],
    });
    // Nothing is known of it after it was answered.
    expect(queries.call('silent')?.endedAtMs).toBe(queries.channel('silent')?.answeredAtMs);
    expect(['known', 'under-another-name', 'new'].map((linkedid) => queries.call(linkedid)?.endedAtMs)).toEqual([
      null,
      null,
      null,
    ]);
    const resumes = database.prepare('SELECT uniqueid FROM resumes ORDER BY 1').pluck().all();
    expect(resumes).toEqual(['by-channel', 'known', 'new', 'old']);
    database.close();
  });

  it('end though all their channels are hung up, 6,063 of them in steps, and are counted', () => {
    const calls = Array.from({ length: 6063 }, (_, n): HistoryChange[] => [
      { kind: 'call', call: callRecord(`c${n}`) },
      {
        kind: 'channel',
        channel: channelRecord(`c${n}`, { endedAtMs: START_MS + n, endReason: 'hangup', streams: [] }),
        resume: null,
      },
    ]);
    const { database, writer } = stored(calls.flat());
    const steps: number[] = [];
    do steps.push(writer.endLost({ linkedids: [], uniqueids: [] }));
    while (steps.at(-1) !== 0);
    expect(Math.max(...steps)).toBe(100);
    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(6063);
    expect(database.prepare('SELECT count(*) FROM calls WHERE ended_at_ms IS NULL').pluck().get()).toBe(0);
    expect(database.prepare("SELECT ended_at_ms FROM calls WHERE linkedid = 'c17'").pluck().get()).toBe(START_MS + 17);
    while (writer.countEnded() > 0);
    expect(database.prepare('SELECT count(*) FROM calls WHERE is_counted = 1').pluck().get()).toBe(6063);
    database.close();
  });
});

it('a state that cannot be read comes once more without it: with all reports, and its segments are forgotten', async () => {
  const history = await open();
  history.record({ kind: 'channel', channel: channelRecord('c', { linkedid: 'c' }), resume: resumeOf('odd', 6, 0) });
  history.record({ kind: 'segment', segment: segmentRecord('c', 1) });
  for (let n = 1; n <= 8; n++) history.record({ kind: 'interval', interval: intervalRecord('c', n) });
  history.record({ kind: 'call', call: callRecord('c') });
  const numbers = async (unreadable: string[]) =>
    (await history.resumable(unreadable)).map(({ resume, laterIntervals }) => [
      resume,
      laterIntervals.map(({ reportNumber }) => reportNumber),
    ]);
  expect(await numbers([])).toEqual([['odd', [7, 8]]]);
  expect(await numbers(['c'])).toEqual([[null, [1, 2, 3, 4, 5, 6, 7, 8]]]);
  expect(await history.segments('c')).toEqual([]);
});

describe('a second sidecar on the same history', () => {
  const refusal = (): string =>
    `the history ${path} is in use by another asterisk-mes; stop that one, or set another path in [history]`;

  it('is refused in one sentence, and comes in when the first one has stopped', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({ message: refusal() });
    first.record({ kind: 'call', call: callRecord('before') });
    await first.close();
    expect(await (await open()).call('before')).toMatchObject({ linkedid: 'before' });
  });

  it('is refused while another process has it, and comes in as soon as that was killed', async () => {
    const child = fork(join(import.meta.dirname, 'write-until-killed.ts'), [path], { execArgv: [] });
    await once(child, 'message');
    await expect(open()).rejects.toMatchObject({ message: refusal() });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const history = await open();
    history.record({ kind: 'call', call: callRecord('after') });
    await history.flush();
    expect(await history.call('after')).toMatchObject({ linkedid: 'after' });
    expect(await history.call('never')).toBeNull();
  });
});

describe('a database that is gone while it is open', () => {
  const said = (): string =>
    `the history ${path} was deleted or replaced while it was open; it was opened anew, without what was stored before`;

  async function storedIn(history: History, linkedid: string): Promise<unknown[]> {
    history.record({ kind: 'call', call: callRecord(linkedid) });
    await history.flush();
    const database = new Sqlite(path, { readonly: true });
    const linkedids = database.prepare('SELECT linkedid FROM calls ORDER BY 1').pluck().all();
    database.close();
    return linkedids;
  }

  it('deleted: it is noticed within seconds, said, and opened anew; the reader goes over to it, too', async () => {
    const history = await open();
    expect(await storedIn(history, 'before')).toEqual(['before']);
    expect(await history.call('before')).toMatchObject({ linkedid: 'before' });
    for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
    await expect.poll(() => history.reopened, { timeout: 30_000, interval: 50 }).toBe(1);
    expect(history.stats().problem).toBe(said());
    expect(await storedIn(history, 'after')).toEqual(['after']);
    expect(await history.call('before')).toBeNull();
    expect(await history.call('after')).toMatchObject({ linkedid: 'after' });
    await expect.poll(() => history.stats().problem, { timeout: 30_000 }).toBeNull();
  });

  it('replaced by another one: that one is written to from then on', async () => {
    const other = join(folder, 'other.sqlite');
    const database = openForWriting(other);
    new Writer(database).commit(batchOf({ kind: 'call', call: callRecord('of-the-other') }));
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    const history = await open();
    expect(await storedIn(history, 'before')).toEqual(['before']);
    await rename(other, path);
    for (const suffix of ['-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
    await expect.poll(() => history.reopened, { timeout: 30_000, interval: 50 }).toBe(1);
    expect(await storedIn(history, 'after')).toEqual(['after', 'of-the-other']);
  });
});
