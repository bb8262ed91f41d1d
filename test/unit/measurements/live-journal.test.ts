import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LiveJournal, readJournal } from '../../../src/measurements/live-journal.ts';
import { forgetMeasurements } from '../../../src/measurements/spool-visit.ts';
import { Spool } from '../../../src/measurements/spool.ts';
import { filesOf, temporaryFolder } from './spooled.ts';

const START_MS = 1_795_168_800_000;

const namesIn = (folder: string): string[] => filesOf(folder, '.live').map((path) => path.slice(folder.length + 1));

async function leftIn(folder: string): Promise<[string, string][]> {
  return [...(await new LiveJournal(folder).left())].map(([name, segment]) => [name, segment.toString()]);
}

describe('the journal of legs that are up', () => {
  it('has the last segment of each, and none of those that have ended', async () => {
    const folder = temporaryFolder();
    const journal = new LiveJournal(folder);
    journal.put('a', Buffer.from('a1'));
    journal.put('b', Buffer.from('b1'));
    await journal.flush(START_MS);
    journal.put('a', Buffer.from('a2'));
    journal.end('b');
    journal.put('c', Buffer.from('c1'));
    expect(await leftIn(folder)).toEqual([
      ['a', 'a1'],
      ['b', 'b1'],
    ]);
    await journal.flush(START_MS + 65);
    expect(await leftIn(folder)).toEqual([
      ['a', 'a2'],
      ['c', 'c1'],
    ]);
    // By hand: 1 + 1 + 4 bytes before each of five segments, four of which have 2 bytes.
    expect(readFileSync(join(folder, '1.live'))).toHaveLength(5 * 6 + 4 * 2);
    expect(journal.bytes).toBe(38);
    expect(readFileSync(join(folder, '1.live')).subarray(0, 8).toString('hex')).toBe('0161000000026131');
  });

  it('begins another file in time, and lets an old one go when none of its legs needs it', async () => {
    const folder = temporaryFolder();
    const journal = new LiveJournal(folder);
    for (const name of ['a', 'b', 'c']) journal.put(name, Buffer.from(`${name}1`));
    await journal.flush(START_MS);
    journal.put('a', Buffer.from('a2'));
    await journal.flush(START_MS + 31_000);
    expect(namesIn(folder)).toEqual(['1.live', '2.live']);
    expect(['a', 'b', 'c', 'd'].map((name) => journal.isBehind(name))).toEqual([false, true, true, false]);
    // An end stands in a newer file than what has ended.
    journal.end('b');
    await journal.flush(START_MS + 32_000);
    expect(await leftIn(folder)).toEqual([
      ['a', 'a2'],
      ['c', 'c1'],
    ]);
    journal.put('c', Buffer.from('c2'));
    await journal.flush(START_MS + 33_000);
    expect(namesIn(folder)).toEqual(['2.live']);
    expect(await leftIn(folder)).toEqual([
      ['a', 'a2'],
      ['c', 'c2'],
    ]);
    journal.end('a');
    journal.end('c');
    await journal.flush(START_MS + 34_000);
    expect(namesIn(folder)).toEqual([]);
    journal.put('d', Buffer.from('d1'));
    await journal.flush(START_MS + 35_000);
    expect(await leftIn(folder)).toEqual([['d', 'd1']]);
  });

  it('is read up to where it is torn, wherever that is', async () => {
    const folder = temporaryFolder();
    const journal = new LiveJournal(folder);
    journal.put('leg', Buffer.from('first'));
    journal.put('leg', Buffer.from('second'));
    await journal.flush(START_MS);
    const whole = readFileSync(join(folder, '1.live'));
    const first = 1 + 3 + 4 + 5;
    for (let length = 0; length <= whole.length; length++) {
      const segments = readJournal(whole.subarray(0, length)).map(([, segment]) => segment.toString());
      const expected = length < first ? [] : length < whole.length ? ['first'] : ['first', 'second'];
      expect([length, segments]).toEqual([length, expected]);
    }
  });

  it('becomes a file of each leg at the next start, in the order of its files, except of those that just had got one', async () => {
    const folder = temporaryFolder();
    const age = (text: string): Buffer => Buffer.from(`age-encryption.org/v1\n${text}`);
    const record = (name: string, segment: Buffer): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(segment.length);
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), length, segment]);
    };
    writeFileSync(join(folder, '9.live'), Buffer.concat([record('up', age('old')), record('gone', age('x'))]));
    writeFileSync(join(folder, '10.live'), Buffer.concat([record('gone', Buffer.alloc(0)), record('up', age('new'))]));
    writeFileSync(join(folder, '11.live'), record('ended', age('part')));
    writeFileSync(join(folder, 'ended.age'), age('whole'));
    const spool = new Spool(folder, 10_000);
    await spool.open();
    expect(spool.counters).toMatchObject({ waiting_files: 2, recovered: 1 });
    expect((await spool.read('up'))?.toString()).toBe(age('new').toString());
    expect((await spool.read('ended'))?.toString()).toBe(age('whole').toString());
    expect(namesIn(folder)).toEqual([]);
  });

  it('says when the disk takes nothing, and goes on with what comes next', async () => {
    const folder = temporaryFolder();
    const journal = new LiveJournal(join(folder, 'not-there'));
    journal.put('a', Buffer.from('a1'));
    await expect(journal.flush(START_MS)).rejects.toThrow('ENOENT');
    await expect(journal.flush(START_MS)).resolves.toBeUndefined();
    expect(journal.bytes).toBe(0);
  });

  it('lets its files go after the disk took the end of a leg only at the second attempt', async () => {
    const folder = temporaryFolder();
    const journal = new LiveJournal(folder);
    journal.put('a', Buffer.from('a1'));
    await journal.flush(START_MS);
    // The next file cannot be made: the place of its name is taken.
    mkdirSync(join(folder, '2.live'));
    journal.end('a');
    await expect(journal.flush(START_MS + 31_000)).rejects.toThrow('EISDIR');
    rmSync(join(folder, '2.live'), { recursive: true });
    journal.put('b', Buffer.from('b1'));
    await journal.flush(START_MS + 32_000);
    expect(await leftIn(folder)).toEqual([['b', 'b1']]);
    expect(namesIn(folder)).toHaveLength(1);
  });

  it('ends where the bytes are no leg: no file outside the spool, and a start all the same', async () => {
    const outside = temporaryFolder();
    const folder = join(outside, 'spool');
    mkdirSync(folder);
    const good = Buffer.from('026b6b000000026b31', 'hex');
    for (const [number, name] of ['../out', 'a\0b', '', 'a/b', 'x'.repeat(250)].entries()) {
      const bad = Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(0, 0, 0, 1), Buffer.from('!')]);
      writeFileSync(join(folder, `${number + 1}.live`), Buffer.concat([good, bad, good]));
    }
    const spool = new Spool(folder, 10_000);
    await spool.open();
    expect(spool.counters).toMatchObject({ waiting_files: 1, waiting_bytes: 2, recovered: 1 });
    expect(filesOf(outside, '.age')).toEqual([]);
  });
});

describe('a spool whose disk takes nothing for a while', () => {
  it('counts the leg that ended then as dropped, and keeps no room for it', async () => {
    const folder = temporaryFolder();
    const spool = new Spool(folder, 10_000);
    await spool.open();
    await spool.append('leg', Buffer.alloc(100));
    await spool.flush(START_MS);
    mkdirSync(join(folder, 'leg.age.new'));
    await expect(spool.finish('leg', Buffer.alloc(200))).rejects.toThrow('EISDIR');
    await spool.append('other', Buffer.alloc(50));
    await spool.flush(START_MS + 31_000);
    await spool.finish('other', Buffer.alloc(60));
    await spool.flush(START_MS + 32_000);
    expect(namesIn(folder)).toEqual([]);
    expect(spool.counters).toMatchObject({ waiting_files: 1, waiting_bytes: 60, dropped: 1 });
  });

  it('has nothing left of a file whose writing a kill cut off', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'leg.age.new'), 'part');
    await new Spool(folder, 10_000).open();
    expect(filesOf(folder, '.new')).toEqual([]);
  });
});

it('forgets the legs of a journal that a sidecar left as well', async () => {
  const folder = temporaryFolder();
  const journal = new LiveJournal(folder);
  journal.put('leg', Buffer.from('segment'));
  await journal.flush(START_MS);
  writeFileSync(join(folder, 'ready.age'), 'segment');
  expect(await forgetMeasurements(folder, null, START_MS)).toMatchObject({ emptied: 1 });
  const spool = new Spool(folder, 10_000);
  await spool.open();
  expect(spool.counters).toMatchObject({ waiting_files: 0, recovered: 0 });
  expect([...filesOf(folder, '.age'), ...namesIn(folder)]).toEqual([]);
});
