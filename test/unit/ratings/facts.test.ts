import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, openHistory } from '../../../src/history/history.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';

let folder: string;
let history: History;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mes-facts-'));
  const yearMs = 365 * 86_400_000;
  history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: yearMs,
    keepCallsMs: yearMs,
    clock: { nowMs: () => START_MS + 3_600_000 },
  });
});
afterEach(async () => {
  await history.close();
  await rm(folder, { recursive: true });
});

/** Resolves when it is committed. */
async function record(
  linkedid: string,
  endpoints: Readonly<Record<string, string>>,
  endedAtMs: number | null,
): Promise<void> {
  for (const [uniqueid, endpoint] of Object.entries(endpoints)) {
    const streams = [streamRecord({ direction: 'tx', codec: 'opus' })];
    history.record({
      kind: 'channel',
      channel: channelRecord(uniqueid, { linkedid, endpoint, endedAtMs, streams }),
      resume: null,
    });
  }
  history.record({ kind: 'call', call: callRecord(linkedid, { endedAtMs }) });
  await history.calls({}, 1, null);
}

const rate = (id: string, linkedid: string, endpoint: string): Promise<unknown> =>
  history.features.write('ratings', 'rate', {
    id,
    linkedid,
    uniqueid: linkedid,
    endpoint,
    side: 'caller',
    score: 2,
    issues: [],
    answers: [],
    comment: null,
    source: 'ivr',
    asked: false,
    weight: 0,
    atMs: START_MS + 1000,
  });

/** Who else was in rated calls, and what was heard. */
async function told(): Promise<unknown[]> {
  const range = { fromMs: START_MS, toMs: START_MS + 60_000 };
  const { byOtherSide, byCodec } = await history.features.read('ratings', 'summary', range);
  return [byOtherSide, byCodec].map((groups) => groups.map(({ name, ratings }) => `${name} ${ratings}`));
}

/** As they are stored: id, codec, other sides. */
function kept(): unknown[] {
  const database = new Database(join(folder, 'mes.sqlite'), { readonly: true });
  const rows = database.prepare('SELECT id, heard_codec, other_sides FROM ratings ORDER BY id').raw().all();
  database.close();
  return rows;
}

test('whom a rating was about is right while the call is up, and kept with the first rating or question after its end', async () => {
  await record('1', { 1: 'PJSIP/alice', 2: 'PJSIP/trunk', 3: 'Local/9@x' }, null);
  await rate('a', '1', 'PJSIP/alice');
  const both = [['PJSIP/trunk 1'], ['opus 1']];
  expect(await told()).toEqual(both);
  expect(kept()).toEqual([['a', null, null]]);
  // Somebody joins the call before it ends.
  await record('1', { 1: 'PJSIP/alice', 2: 'PJSIP/trunk', 4: 'PJSIP/bob' }, START_MS + 30_000);
  const three = [['PJSIP/bob 1', 'PJSIP/trunk 1'], ['opus 1']];
  expect(await told()).toEqual(three);
  const request = { linkedid: '1', uniqueid: '2', endpoint: 'x', side: 'callee', probability: 1 } as const;
  await history.features.write('ratings', 'ask', { ...request, askedAtMs: START_MS + 1000 });
  const [[id, codec, others]] = kept() as [[string, string, string]];
  expect([id, codec, (JSON.parse(others) as string[]).toSorted()]).toEqual(['a', 'opus', ['PJSIP/bob', 'PJSIP/trunk']]);
  expect(await told()).toEqual(three);
});

test('a rating whose call is joined into another, or that is given anew, is looked at anew', async () => {
  const endedAtMs = START_MS + 30_000;
  await record('1', { 1: 'PJSIP/alice', 2: 'PJSIP/trunk' }, endedAtMs);
  await record('5', { 5: 'PJSIP/carol', 6: 'PJSIP/bob' }, endedAtMs);
  await rate('a', '1', 'PJSIP/alice');
  expect(kept()).toEqual([['a', 'opus', '["PJSIP/trunk"]']]);
  history.record({ kind: 'call-merged', fromLinkedid: '1', intoLinkedid: '5' });
  await history.calls({}, 1, null);
  expect(kept()).toEqual([['a', null, null]]);
  await rate('b', '5', 'PJSIP/carol');
  const whole = (await told())[0] as string[];
  expect(whole).toContain('PJSIP/bob 2');
  expect(kept()).toEqual([
    ['a', 'opus', expect.stringContaining('PJSIP/bob') as string],
    ['b', 'opus', expect.stringContaining('PJSIP/bob') as string],
  ]);
});
