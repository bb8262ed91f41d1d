import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { describe, expect, it, vi } from 'vitest';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { AgeWriter } from '../../../src/measurements/age-writer.ts';
import type { LegDocument } from '../../../src/measurements/format/document.ts';
import { framed, recipientsOf } from '../../../src/measurements/format/segments.ts';
import { Installation, tokenHash } from '../../../src/measurements/installation.ts';
import { LegWriter } from '../../../src/measurements/leg-writer.ts';
import { readJournal } from '../../../src/measurements/live-journal.ts';
import { Spool } from '../../../src/measurements/spool.ts';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { AROUND } from './documents.ts';
import { filesOf, newKeys, opened, readSpool, temporaryFolder } from './spooled.ts';

describe('the writer of age files', () => {
  it("writes what age's own library opens, for each recipient and nobody else", async () => {
    const [one, two, stranger] = await Promise.all([newKeys(), newKeys(), newKeys()]);
    const file = new AgeWriter([one.recipient, two.recipient]).newFile();
    for (const plain of [Buffer.alloc(0), Buffer.from('é'), randomBytes(65_536)]) {
      const written = file.encrypt(plain);
      expect(recipientsOf(written)).toBe(2);
      for (const { identity } of [one, two]) {
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        expect(Buffer.from(await decrypter.decrypt(new Uint8Array(written))).equals(plain)).toBe(true);
      }
      const other = new Decrypter();
      other.addIdentity(stranger.identity);
      await expect(other.decrypt(new Uint8Array(written))).rejects.toThrow('no identity matched');
    }
    expect(() => file.encrypt(Buffer.alloc(65_537))).toThrow(RangeError);
  });

  it('never writes the same bytes twice, and another key for each file', async () => {
    const { recipient } = await newKeys();
    const writer = new AgeWriter([recipient]);
    const file = writer.newFile();
    const [a, b] = [file.encrypt(Buffer.from('same')), file.encrypt(Buffer.from('same'))];
    expect(a.equals(b)).toBe(false);
    expect(writer.newFile().encrypt(Buffer.from('same')).subarray(0, 120).equals(a.subarray(0, 120))).toBe(false);
    expect(() => new AgeWriter(['age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq'])).toThrow(
      /checksum|public key of age/,
    );
  });
});

describe('the installation', () => {
  it('is another one each month and after a reset, and remembers what it has to show to take back what it sent', async () => {
    const spool = temporaryFolder();
    const november = Date.UTC(2026, 10, 30, 23, 59);
    const installation = await Installation.open(spool, november);
    const first = installation.identity(november);
    expect(installation.identity(november)).toBe(first);
    expect(first.callHash('1.1')).toMatch(/^[0-9a-f]{32}$/);
    expect(first.callHash('1.1')).toBe(first.callHash('1.1'));
    expect(first.callHash('1.2')).not.toBe(first.callHash('1.1'));
    const second = installation.identity(november + 120_000);
    expect(second.sender.installation).not.toBe(first.sender.installation);
    expect(second.callHash('1.1')).not.toBe(first.callHash('1.1'));
    // As another process reads it, once it is stored.
    await vi.waitFor(
      () => expect(readFileSync(join(spool, 'installation.json'), 'utf8')).toContain(second.sender.installation),
      30_000,
    );
    const again = await Installation.open(spool, november + 120_000);
    expect(again.identity(november + 120_000).sender).toEqual(second.sender);
    await again.reset(november + 120_000);
    await installation.reload();
    const third = installation.identity(november + 120_000);
    expect(third.sender.installation).not.toBe(second.sender.installation);
    expect(installation.tokens.map(tokenHash)).toEqual([third, second, first].map(({ sender }) => sender.forget));
  });

  it('begins another one when its file is broken', async () => {
    const spool = temporaryFolder();
    writeFileSync(join(spool, 'installation.json'), '{"now": {"month": "2026-11"');
    const installation = await Installation.open(spool, START_MS);
    expect(installation.identity(START_MS).sender.installation).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the spool', () => {
  it('gives up the oldest when it is full, and counts it', async () => {
    const folder = temporaryFolder();
    const spool = new Spool(folder, 10_000);
    await spool.open();
    for (let index = 0; index < 5; index += 1) await spool.finish(`file-${index}`, Buffer.alloc(3000));
    expect(filesOf(folder, '.age').sort()).toEqual([2, 3, 4].map((index) => join(folder, `file-${index}.age`)));
    expect(spool.counters).toEqual({ waiting_files: 3, waiting_bytes: 9000, dropped: 2, recovered: 0 });
    // A call that is up counts as well, gathered or written, and is not written where there is no room at all.
    await spool.append('up', Buffer.alloc(9990));
    expect(filesOf(folder, '.age')).toEqual([]);
    expect(spool.counters).toMatchObject({ waiting_files: 0, waiting_bytes: 9997, dropped: 5 });
    await spool.flush(START_MS);
    expect(spool.counters).toMatchObject({ waiting_files: 0, waiting_bytes: 9997, dropped: 5 });
    await spool.append('other', Buffer.alloc(100));
    expect(spool.counters).toMatchObject({ dropped: 6 });
  });

  it('takes over what a sidecar left that ended in mid-call', async () => {
    const folder = temporaryFolder();
    const segment = framed(Buffer.from(`age-encryption.org/v1\n${'x'.repeat(50)}`));
    writeFileSync(join(folder, 'a.live'), Buffer.concat([segment, segment.subarray(0, 30)]));
    writeFileSync(join(folder, 'b.live'), segment.subarray(0, 30));
    writeFileSync(join(folder, 'installation.json'), '{}');
    const spool = new Spool(folder, 10_000);
    await spool.open();
    expect(spool.counters).toEqual({ waiting_files: 1, waiting_bytes: segment.length, dropped: 0, recovered: 1 });
    expect(spool.pick(() => 0.99)).toBe('a');
    expect((await spool.read('a'))?.equals(segment)).toBe(true);
    await spool.remove('a');
    expect(spool.pick(() => 0)).toBeNull();
    expect(filesOf(folder, '.live')).toEqual([]);
    expect(filesOf(folder, '.age')).toEqual([]);
  });
});

/** A writer with one leg, and a clock that only the test moves. */
async function bookWith(first: ChannelRecord) {
  const keys = await newKeys();
  const folder = temporaryFolder();
  const spool = new Spool(folder, 1_000_000);
  await spool.open();
  const installation = await Installation.open(folder, START_MS);
  const documents: LegDocument[] = [];
  const problems: unknown[] = [];
  let channel: ChannelRecord | null = first;
  const legs = new LegWriter({
    live: {
      liveCount: 1,
      liveUniqueids: () => (channel === null ? [] : [channel.uniqueid]),
      liveChannel: () => channel,
      liveMedia: () => channel,
    },
    spool,
    writer: new AgeWriter([keys.recipient]),
    identity: (nowMs) => installation.identity(nowMs),
    takesPart: (endpoint) => endpoint !== 'PJSIP/private',
    around: () => AROUND,
    onDocument: (document) => documents.push(document),
    onProblem: (error) => problems.push(error),
  });
  return {
    keys,
    folder,
    legs,
    documents,
    problems,
    at: async (seconds: number, next: ChannelRecord | null): Promise<void> => {
      channel = next;
      legs.tick(START_MS + seconds * 1000);
      legs.tick(START_MS + seconds * 1000 + 1100);
      await legs.written();
    },
  };
}

function upWith(reports: number, part: Partial<ChannelRecord> = {}): ChannelRecord {
  return channelRecord('1795168800.1', {
    streams: [streamRecord({ reports, packetsExpected: reports * 250, packetsLost: reports })],
    ...part,
  });
}

describe('a leg', () => {
  it('is written as it goes on, in clear nowhere, and in one piece when it has ended', async () => {
    const { at, legs, folder, keys, documents, problems } = await bookWith(upWith(1));
    for (const report of [1, 2, 3]) await at(report * 6, upWith(report));
    const [live = Buffer.alloc(0), ...newer] = readSpool(folder, '.live');
    expect(newer).toEqual([]);
    const records = readJournal(live);
    expect(new Set(records.map(([name]) => name)).size).toBe(1);
    const texts = await Promise.all(records.map(([, segment]) => opened(segment, keys.identity)));
    const segments = texts.flat().map((text) => JSON.parse(text) as LegDocument);
    expect(segments.map(({ course, is_whole }) => [course.length, is_whole])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(live.includes('ulaw') || live.includes('alice')).toBe(false);
    legs.channelEnded(upWith(4, { endedAtMs: START_MS + 21_000, mes: 3 }), START_MS + 21_000);
    // Its final scores.
    legs.channelEnded(upWith(4, { endedAtMs: START_MS + 21_000, mes: 2 }), START_MS + 22_000);
    await at(25, null);
    expect(readSpool(folder, '.age')).toEqual([]);
    await at(32, null);
    legs.channelEnded(upWith(4, { endedAtMs: START_MS + 21_000, mes: 1 }), START_MS + 40_000);
    await at(60, null);
    expect(filesOf(folder, '.live')).toEqual([]);
    const [file = Buffer.alloc(0), ...others] = readSpool(folder, '.age');
    expect(others).toEqual([]);
    const [text = '', ...more] = await opened(file, keys.identity);
    expect(more).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({ mes: 2, is_whole: true, points_left_out: 0, duration_s: 20 });
    expect((JSON.parse(text) as LegDocument).course.map(({ at_s }) => at_s)).toEqual([6, 12, 18, 21]);
    expect(JSON.parse(text)).toEqual(documents[0]);
    expect(problems).toEqual([]);
  });

  it('of hours keeps the whole span in 30 points a direction, says what is left out, and its file stays below 64 KB', async () => {
    const { at, legs, folder, keys } = await bookWith(upWith(1));
    let largest = 0;
    for (let report = 1; report <= 120; report += 1) {
      legs.tick(START_MS + report * 6000);
      await at(report * 6, upWith(report));
      if (report % 20 === 0) largest = Math.max(largest, ...readSpool(folder, '.live').map(({ length }) => length));
    }
    expect(largest).toBeGreaterThan(2000);
    expect(largest).toBeLessThan(65_536);
    legs.channelEnded(upWith(120, { endedAtMs: START_MS + 720_000 }), START_MS + 720_000);
    await at(800, null);
    const [text = '{}'] = await opened(readSpool(folder, '.age')[0] ?? Buffer.alloc(0), keys.identity);
    const { course, points_left_out } = JSON.parse(text) as LegDocument;
    expect(course).toHaveLength(30);
    expect(course.length + Number(points_left_out)).toBe(120);
    expect(course[0]?.at_s).toBeLessThan(10);
    expect(course.at(-1)?.at_s).toBeGreaterThan(710);
  });

  it.each([
    ['of an endpoint that does not take part', { endpoint: 'PJSIP/private' }],
    ['of a Local channel', { endpoint: 'Local/200@internal' }],
    ['that nobody answered', { answeredAtMs: null }],
  ])('%s is not written at all', async (_, part) => {
    const { at, legs, folder, documents } = await bookWith(upWith(3, part));
    await at(10, upWith(3, part));
    legs.channelEnded(upWith(3, { ...part, endedAtMs: START_MS + 12_000 }), START_MS + 12_000);
    await at(30, null);
    expect([filesOf(folder, '.live'), filesOf(folder, '.age'), documents]).toEqual([[], [], []]);
  });
});
