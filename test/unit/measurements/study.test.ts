import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgeWriter } from '../../../src/measurements/age-writer.ts';
import { DirectoryStore } from '../../../src/measurements/collector/store.ts';
import { framed } from '../../../src/measurements/format/segments.ts';
import type { LegDocument, RatingDocument } from '../../../src/measurements/format/document.ts';
import { tokenHash } from '../../../src/measurements/installation.ts';
import { StudyDatabase } from '../../../src/measurements/study/database.ts';
import { identitiesIn, openAll } from '../../../src/measurements/study/open.ts';
import { studyOf } from '../../../src/measurements/study/study.ts';
import { studyHtml } from '../../../src/measurements/study/study-html.ts';
import { studyCsv, studyText } from '../../../src/measurements/study/study-text.ts';
import { channelRecord } from '../history/records.ts';
import { CALL, legOf, SENDER } from './documents.ts';
import { newKeys, temporaryFolder } from './spooled.ts';

function installation(number: number): string {
  return `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

const LEG = legOf(channelRecord('1.1'));

function rating(score: number, of: LegDocument): RatingDocument {
  const { installation: who, forget, call, hour } = of;
  return {
    schema: 1,
    kind: 'rating',
    installation: who,
    forget,
    call,
    hour,
    side: 'caller',
    score,
    issues: [],
    asked: true,
    weight: 1,
    source: 'ivr',
    answers: [],
  };
}

/** A store of a collection server in a folder, and how to put files there. */
async function sourceWith() {
  const keys = await newKeys();
  const folder = temporaryFolder();
  const store = new DirectoryStore(folder);
  const writer = new AgeWriter([keys.recipient]);
  const seal = (document: unknown): Buffer => writer.newFile().encrypt(gzipSync(JSON.stringify(document)));
  return { keys, folder, store, seal, path: join(temporaryFolder(), 'study.sqlite') };
}

describe('open', () => {
  it('loads what is whole, names what is cut, changed, for others or no measurement, and can be repeated', async () => {
    const { keys, store, seal, path } = await sourceWith();
    const stranger = new AgeWriter([(await newKeys()).recipient]).newFile();
    const good = seal(LEG);
    const changed = Buffer.from(good);
    changed[changed.length - 20] = (changed.at(-20) ?? 0) ^ 1;
    const live = Buffer.concat([
      framed(seal({ ...LEG, mes: 3, is_whole: false })),
      framed(seal({ ...LEG, mes: 2, is_whole: false })),
    ]);
    const files: Readonly<Record<string, Buffer>> = {
      'good.age': good,
      'again.age': good,
      'killed.age': Buffer.concat([live, live.subarray(0, 80)]),
      'changed.age': changed,
      'half.age': good.subarray(0, good.length / 2),
      'stranger.age': stranger.encrypt(gzipSync(JSON.stringify(LEG))),
      'leaky.age': seal({ ...LEG, caller_number: '+4915550100' }),
      'bomb.age': new AgeWriter([keys.recipient]).newFile().encrypt(gzipSync(Buffer.alloc(30_000_000))),
      'plain.age': new AgeWriter([keys.recipient]).newFile().encrypt(Buffer.from('{}')),
      'nothing.age': Buffer.alloc(0),
    };
    for (const [name, bytes] of Object.entries(files)) await store.put(`2026-11-30/${name}`, bytes);
    const database = new StudyDatabase(path);
    const outcome = await openAll(store, [keys.identity], database);
    expect(outcome).toMatchObject({ loaded: 2, known: 0, doubles: 1, deleted: [], cut: ['2026-11-30/killed.age'] });
    expect(Object.fromEntries(outcome.skipped.map(({ name, why }) => [name.slice(11), why]))).toEqual({
      'bomb.age': 'what is in it is no gzip of JSON, or too large',
      'changed.age': 'it was cut or changed on the way',
      'half.age': 'it was cut or changed on the way',
      'leaky.age': 'the document has a field that is not known',
      'nothing.age': 'it is no measurement, or cut before the first segment was whole',
      'plain.age': 'what is in it is no gzip of JSON, or too large',
      'stranger.age': 'it is encrypted for somebody else',
    });
    expect(database.all('SELECT mes, is_whole FROM legs ORDER BY mes')).toEqual([
      { mes: 2, is_whole: 0 },
      { mes: 4.29, is_whole: 1 },
    ]);
    expect(await openAll(store, [keys.identity], database)).toMatchObject({ loaded: 0, known: 3, doubles: 0 });
    database.close();
    // As another process finds it.
    const again = new StudyDatabase(path, { readonly: true });
    expect(again.all('SELECT count(*) AS count FROM streams')).toEqual([{ count: 2 }]);
    again.close();
  });

  it('deletes what belongs to a token that was shown, also what comes later, and nothing else', async () => {
    const { keys, store, seal, path } = await sourceWith();
    const token = 'ab'.repeat(16);
    const theirs = { ...LEG, forget: tokenHash(token) };
    await store.put('2026-11-29/theirs.age', seal(theirs));
    await store.put('2026-11-29/other.age', seal(LEG));
    const database = new StudyDatabase(path);
    expect(await openAll(store, [keys.identity], database)).toMatchObject({ loaded: 2, deleted: [] });
    await store.put('2026-11-30/request.token', Buffer.from(token));
    await store.put('2026-11-30/late.age', seal({ ...theirs, mes: 1 }));
    // Who knows a document cannot have it deleted: its hash is no token.
    await store.put('2026-11-30/false.token', Buffer.from(LEG.forget as string));
    const { loaded, deleted } = await openAll(store, [keys.identity], database);
    expect([loaded, [...deleted].sort()]).toEqual([0, ['2026-11-29/theirs.age', '2026-11-30/late.age']]);
    expect(database.all('SELECT forget FROM legs')).toEqual([{ forget: LEG.forget }]);
    expect(database.all('SELECT count(*) AS count FROM streams')).toEqual([{ count: 1 }]);
    database.close();
  });

  it('takes no other file for a study or a key', () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'these are my notes, and no database '.repeat(40));
    expect(() => new StudyDatabase(path)).toThrow('cannot be opened as a study');
    expect(() => identitiesIn('age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p', 'key.txt')).toThrow(
      'key.txt holds no private key',
    );
  });
});

describe('study', () => {
  /** Twelve installations with ten calls each of one phone, half of them bad; twelve with another, of which one in ten is bad; nine with a third. */
  async function studied() {
    const { path } = await sourceWith();
    const database = new StudyDatabase(path);
    let file = 0;
    const load = (document: LegDocument | RatingDocument): void =>
      void database.load({ name: `${(file += 1)}`, digest: String(file) }, document);
    const phone = (model: string, first: number, many: number, badOfTen: number): void => {
      for (let number = first; number < first + many; number += 1) {
        for (let call = 0; call < 10; call += 1) {
          const isBad = call < badOfTen;
          const leg: LegDocument = {
            ...LEG,
            installation: installation(number),
            call: String(number * 100 + call).padStart(32, '0'),
            device_make: 'snom',
            device_model: model,
            verdict: isBad ? 'bad' : 'good',
            mes: isBad ? 2 + call / 10 : 4,
          };
          load(leg);
          if (call === 0) load(rating(isBad ? 1 : 5, leg));
        }
      }
    };
    phone('d1', 0, 12, 5);
    phone('d2', 20, 12, 1);
    phone('d3', 40, 9, 10);
    return database;
  }

  it('holds each group against the rest, and shows none of fewer than ten installations', async () => {
    const database = await studied();
    const study = studyOf(database);
    expect(study).toMatchObject({ legs: 330, installations: 33, ratings: 33 });
    const device = study.dimensions.find(({ dimension }) => dimension === 'device');
    expect(device?.cohorts_left_out).toBe(1);
    // 60 of 120 against 12 + 90 of 210; 12 of 120 against 60 + 90 of 210.
    expect(device?.cohorts).toMatchObject([
      {
        value: 'snom d1',
        installations: 12,
        calls: 120,
        mes_p5: 2,
        bad_percent: 50,
        bad_percent_rest: 48.57,
        rating_mean: 1,
        ratings: 12,
        judgement: 'chance',
      },
      {
        value: 'snom d2',
        installations: 12,
        calls: 120,
        mes_p5: 2,
        bad_percent: 10,
        bad_percent_rest: 71.43,
        rating_mean: 1,
        judgement: 'better',
      },
    ]);
    expect(device?.cohorts[1]?.p_value).toBeLessThan(1e-20);
    const texts = [studyText(study), studyCsv(study), studyHtml(study), JSON.stringify(study)];
    for (const text of texts) {
      expect(text).toContain('snom d2');
      expect(text).not.toContain('d3');
      expect(text).not.toContain(installation(1));
    }
    expect(
      Math.max(
        ...(texts[0] ?? '')
          .split('\n')
          .slice(1)
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(80);
    database.close();
  });

  it('counts an installation once, though it has another name each month', async () => {
    const { path } = await sourceWith();
    const database = new StudyDatabase(path);
    for (let month = 1; month <= 12; month += 1) {
      const hour = `2026-${String(month).padStart(2, '0')}-01T10:00Z`;
      database.load({ name: `${month}`, digest: `${month}` }, { ...LEG, hour, installation: installation(month) });
    }
    expect(studyOf(database)).toMatchObject({ legs: 12, installations: 1 });
    expect(studyOf(database).dimensions.flatMap(({ cohorts }) => cohorts)).toEqual([]);
    database.close();
  });

  it('writes a page that loads nothing and runs nothing', async () => {
    const database = await studied();
    const html = studyHtml(studyOf(database));
    expect(html).toContain("default-src 'none'");
    expect(html.match(/<script|https?:|url\(|<img|<link/g)).toBeNull();
    expect(html.match(/<rect class="better"/g)).not.toBeNull();
    expect(CALL.length).toBe(SENDER.forget.length);
    database.close();
  });
});
