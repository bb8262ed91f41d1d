import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { Rating } from '../../../src/model/people/rating.ts';
import { callRecord, channelRecord, START_MS } from './records.ts';

const DAY_MS = 86_400_000;
let folder = '';
let history: History;
let nowMs = START_MS;

function open(): Promise<History> {
  const clock = { nowMs: () => nowMs };
  return openHistory({ path: join(folder, 'mes.sqlite'), keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mes-ratings-'));
  nowMs = START_MS;
  history = await open();
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true });
});

function rating(id: string, part: Partial<Rating> = {}): Rating {
  return {
    id,
    linkedid: '1.1',
    uniqueid: '1.2',
    endpoint: 'PJSIP/214',
    side: 'callee',
    score: 2,
    issues: ['echo_of_me', 'noise'],
    answers: [{ question: 'echo', version: 1, answer: true }],
    comment: "it's <b>bad</b>",
    source: 'link',
    asked: true,
    weight: 20,
    atMs: START_MS + 5000,
    ...part,
  };
}

test('what people said of a call comes back as it was, with whom we asked and what they marked', async () => {
  const request = {
    linkedid: '1.1',
    uniqueid: '1.2',
    endpoint: 'PJSIP/214',
    side: 'callee',
    probability: 0.05,
    askedAtMs: START_MS,
  } as const;
  await history.features.write('ratings', 'rate', rating('a'));
  await history.features.write('ratings', 'ask', request);
  await history.features.write('ratings', 'mark', { linkedid: '1.1', uniqueid: '1.2', atMs: START_MS + 1 });
  await history.features.write('ratings', 'rate', rating('b', { linkedid: '9.9' }));
  expect(await history.features.read('ratings', 'ofCall', '1.1')).toEqual({
    ratings: [rating('a')],
    requests: [request],
    moments: [{ linkedid: '1.1', uniqueid: '1.2', atMs: START_MS + 1 }],
  });
  expect(await history.features.read('ratings', 'answered', { fromMs: START_MS, toMs: START_MS + 86_400_000 })).toEqual(
    { asked: 1, answered: 1 },
  );
  expect(await history.features.read('ratings', 'lastAsked', START_MS)).toEqual([
    { endpoint: 'PJSIP/214', atMs: START_MS },
  ]);
});

test('a call has its first hundred marks, and another its own', async () => {
  for (let atMs = 1; atMs <= 105; atMs++)
    await history.features.write('ratings', 'mark', { linkedid: '1.1', uniqueid: '1.2', atMs });
  await history.features.write('ratings', 'mark', { linkedid: '2.1', uniqueid: '2.1', atMs: 7 });
  const { moments } = await history.features.read('ratings', 'ofCall', '1.1');
  expect(moments.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect((await history.features.read('ratings', 'ofCall', '2.1')).moments).toHaveLength(1);
});

test('the list is newest first, in pages, and filtered', async () => {
  for (let index = 0; index < 5; index++) {
    const part = { score: index + 1, atMs: START_MS + Math.floor(index / 2), endpoint: `PJSIP/21${index}` };
    await history.features.write(
      'ratings',
      'rate',
      rating(`r${index}`, { ...part, issues: index === 3 ? ['delay'] : [] }),
    );
  }
  const list = async (filter: object, limit = 10, cursor: { atMs: number; id: string } | null = null) => {
    const { ratings, next } = await history.features.read('ratings', 'list', { filter, limit, cursor });
    return { ids: ratings.map(({ id }) => id), next };
  };
  const first = await list({}, 3);
  expect(first.ids).toEqual(['r4', 'r3', 'r2']);
  expect(await list({}, 3, first.next)).toEqual({ ids: ['r1', 'r0'], next: null });
  expect((await list({ highestScore: 2 })).ids).toEqual(['r1', 'r0']);
  expect((await list({ issue: 'delay' })).ids).toEqual(['r3']);
  expect((await list({ endpoint: 'PJSIP/212' })).ids).toEqual(['r2']);
  expect((await list({ endpoint: 'PJSIP/2*', fromMs: START_MS + 1, toMs: START_MS + 2 })).ids).toEqual(['r3', 'r2']);
});

test('a rating of the same id is replaced', async () => {
  await history.features.write('ratings', 'rate', rating('a'));
  await history.features.write('ratings', 'rate', rating('a', { score: 5, issues: [] }));
  const { ratings } = await history.features.read('ratings', 'ofCall', '1.1');
  expect(ratings.map(({ score, issues }) => [score, issues])).toEqual([[5, []]]);
});

test('the channel of an endpoint that ended last is found', async () => {
  for (const [index, endpoint] of ['PJSIP/214', 'PJSIP/214', 'PJSIP/300'].entries()) {
    const linkedid = `1.${index}`;
    const endedAtMs = START_MS + 1000 * (index + 1);
    const channel = channelRecord(`${linkedid}-a`, { linkedid, endpoint, startedAtMs: START_MS, endedAtMs });
    history.record({ kind: 'call', call: callRecord(linkedid, { startedAtMs: START_MS, endedAtMs }) });
    history.record({ kind: 'channel', channel, resume: null });
  }
  const last = (endpoint: string, sinceMs: number) =>
    history.features.read('ratings', 'lastEnded', { endpoint, sinceMs });
  await expect.poll(() => last('PJSIP/300', START_MS)).not.toBeNull();
  expect(await last('PJSIP/214', START_MS)).toEqual({ linkedid: '1.1', uniqueid: '1.1-a', endedAtMs: START_MS + 2000 });
  expect(await last('PJSIP/214', START_MS + 2001)).toBeNull();
  expect(await last('PJSIP/999', START_MS)).toBeNull();
});

test('rated calls are found newest first, whatever came first, and through joins and the end of keeping', async () => {
  const call = (linkedid: string, minute: number): void =>
    history.record({
      kind: 'call',
      call: callRecord(linkedid, {
        startedAtMs: START_MS + minute * 60_000,
        endedAtMs: START_MS + minute * 60_000 + 1,
      }),
    });
  const found = async (wish: object = {}): Promise<string[]> => {
    const { calls } = await history.calls({ rating: wish }, 10, null);
    return calls.map(({ linkedid }) => linkedid);
  };
  await history.features.write('ratings', 'rate', rating('early', { linkedid: 'b', score: 1, issues: ['noise'] }));
  for (const [linkedid, minute] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
    ['d', 4],
  ] as const)
    call(linkedid, minute);
  await history.calls({}, 1, null);
  await history.features.write('ratings', 'rate', rating('late', { linkedid: 'a', score: 5, issues: [] }));
  await history.features.write('ratings', 'rate', rating('joined', { linkedid: 'c', score: 3, issues: ['delay'] }));
  expect(await found()).toEqual(['c', 'b', 'a']);
  expect(await found({ lowestScore: 1, highestScore: 3 })).toEqual(['c', 'b']);
  expect(await found({ lowestScore: 4, highestScore: 5, issues: ['noise'] })).toEqual([]);
  expect(
    (await history.calls({ rating: {} }, 1, { startedAtMs: START_MS + 120_000, linkedid: 'b' })).calls,
  ).toMatchObject([{ linkedid: 'a' }]);
  history.record({ kind: 'call-merged', fromLinkedid: 'c', intoLinkedid: 'd' });
  // A call that is found to have begun earlier goes behind the others.
  call('b', 0);
  await expect.poll(() => found()).toEqual(['d', 'a', 'b']);
  nowMs = START_MS + DAY_MS + 90_000;
  // What is too old goes at the next start.
  await history.close();
  history = await open();
  await expect.poll(() => found(), { timeout: 8000 }).toEqual(['d']);
});
