import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rating } from '../../../src/model/people/rating.ts';
import type { Verdict } from '../../../src/model/score.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { type RatedServer, startRatedServer } from './rated-server.ts';

let server: RatedServer;

/** A call of two, who hear each other in one codec. */
function record(linkedid: string, from: string, to: string, verdict: Verdict, codec: string): void {
  const endedAtMs = START_MS + 60_000;
  for (const [uniqueid, endpoint] of [
    [linkedid, from],
    [`${linkedid}b`, to],
    [`${linkedid}l`, 'Local/200@queue'],
  ] as const) {
    const streams = [streamRecord({ direction: 'rx', codec: 'g722' }), streamRecord({ direction: 'tx', codec })];
    const channel = channelRecord(uniqueid, { linkedid, endpoint, streams, endedAtMs });
    server.history.record({ kind: 'channel', channel, resume: null });
  }
  server.history.record({ kind: 'call', call: callRecord(linkedid, { verdict, endedAtMs }) });
}

async function rate(id: string, linkedid: string, part: Partial<Rating>): Promise<void> {
  const rating: Rating = {
    id,
    linkedid,
    uniqueid: linkedid,
    endpoint: null,
    side: 'caller',
    score: 3,
    issues: [],
    answers: [],
    comment: null,
    source: 'ivr',
    asked: true,
    weight: 1,
    atMs: START_MS + 60_000,
    ...part,
  };
  await server.history.features.write('ratings', 'rate', rating);
}

const [ALICE, BOB, TRUNK] = ['PJSIP/alice', 'PJSIP/bob', 'PJSIP/trunk'];
beforeAll(async () => {
  server = await startRatedServer();
  record('a', ALICE, TRUNK, 'good', 'alaw');
  record('b', ALICE, TRUNK, 'bad', 'alaw');
  record('c', BOB, ALICE, 'good', 'opus');
  record('d', BOB, TRUNK, 'poor', 'opus');
  record('e', BOB, TRUNK, 'bad', 'opus');
  await server.history.calls({}, 1, null);
  await rate('a', 'a', { endpoint: ALICE, score: 4, weight: 20 });
  await rate('b', 'b', { endpoint: ALICE, score: 1, issues: ['stuttering'] });
  await rate('c', 'c', { endpoint: BOB, score: 2, weight: 20, issues: ['echo_of_me', 'delay'] });
  const unasked = { asked: false, weight: 0, source: 'rest', side: 'callee' } as const;
  await rate('c2', 'c', {
    ...unasked,
    uniqueid: 'cb',
    endpoint: ALICE,
    score: 1,
    issues: ['delay'],
    atMs: START_MS + 61_000,
  });
  await rate('d', 'd', { endpoint: BOB, score: 5 });
  await rate('d2', 'd', { ...unasked, uniqueid: null, score: 3 });
});
afterAll(() => server.close());

interface Summary {
  readonly [group: string]: unknown;
  readonly said_bad_measured_good: readonly { readonly rating: { readonly id: string } }[];
}
const summary = async (query = ''): Promise<Summary> => {
  const { status, body } = await server.get(`/v1/ratings/summary?from=2026-11-20T00:00:00Z${query}`);
  expect([status, body]).toEqual([200, body]);
  return body as Summary;
};
const mean = (ratings: number, asked: number, ...values: (number | null)[]): object => ({
  ratings,
  asked,
  mean_score: values[0],
  complaints_percent: values[1],
  mean_score_unasked: values[2],
});

describe('the summary of ratings', () => {
  test('weighs each that we asked for by the calls that it stands for, and tells others apart', async () => {
    const { all, by_endpoint, by_codec, by_other_side, issues } = await summary();
    // (20·4 + 1·1 + 20·2 + 1·5) / 42, complaints (1 + 20) / 42; by themselves (1 + 3) / 2.
    expect(all).toEqual(mean(6, 4, 3, 50, 2));
    expect(by_endpoint).toEqual([
      // (20·4 + 1) / 21, 1 / 21
      { name: ALICE, ...mean(3, 2, 3.86, 4.8, 1) },
      // (20·2 + 5) / 21, 20 / 21
      { name: BOB, ...mean(2, 2, 2.14, 95.2, null) },
      { name: null, ...mean(1, 0, null, null, 3) },
    ]);
    expect(by_codec).toEqual([
      { name: 'opus', ...mean(3, 2, 2.14, 95.2, 1) },
      { name: 'alaw', ...mean(2, 2, 3.86, 4.8, null) },
      { name: null, ...mean(1, 0, null, null, 3) },
    ]);
    expect(by_other_side).toEqual([
      // (20·4 + 1 + 5) / 22, 1 / 22
      { name: TRUNK, ...mean(4, 3, 3.91, 4.5, 3) },
      { name: BOB, ...mean(2, 0, null, null, 2) },
      { name: ALICE, ...mean(1, 1, 2, 100, null) },
    ]);
    expect(issues).toEqual([
      { issue: 'delay', ratings: 2 },
      { issue: 'echo_of_me', ratings: 1 },
      { issue: 'stuttering', ratings: 1 },
    ]);
  });

  test('names calls of which people and figures disagree; what no figure shows comes first', async () => {
    const { said_bad_measured_good: saidBad, measured_bad_said_good: saidGood } = await summary();
    expect(saidBad.map(({ rating }) => rating.id)).toEqual(['c', 'c2']);
    expect(saidBad[0]).toMatchObject({ verdict: 'good', endpoints: [BOB, ALICE], rating: { linkedid: 'c', score: 2 } });
    expect(saidGood).toMatchObject([{ rating: { id: 'd', score: 5 }, verdict: 'poor', endpoints: [BOB, TRUNK] }]);
  });

  test('counts whom we asked, of that time only, and is empty where nobody rated', async () => {
    const asked = { endpoint: ALICE, side: 'caller', probability: 0.05 } as const;
    for (const [linkedid, askedAtMs] of [
      ['a', START_MS + 1000],
      ['e', START_MS + 1000],
      ['b', START_MS - 1000],
    ] as const)
      await server.history.features.write('ratings', 'ask', { ...asked, linkedid, uniqueid: linkedid, askedAtMs });
    expect(await summary('&to=2026-11-21T00:00:00Z')).toMatchObject({ people_asked: 3, people_answered: 2 });
    const from = new Date(START_MS).toISOString();
    const { body } = await server.get(`/v1/ratings/summary?from=${from}`);
    expect(body).toMatchObject({ people_asked: 2, people_answered: 1 });
    expect((await server.get('/v1/ratings/summary?from=2026-01-01&to=2026-02-01')).body).toMatchObject({
      people_asked: 0,
      all: mean(0, 0, null, null, null),
      by_endpoint: [],
      by_other_side: [],
      issues: [],
      said_bad_measured_good: [],
    });
    expect((await server.get('/v1/ratings/summary?from=-1h&to=-2h')).status).toBe(400);
    expect((await server.get('/v1/ratings/summary?by=codec')).status).toBe(400);
  });
});

describe('calls by what people said of them', () => {
  const found = async (query: string): Promise<string> => {
    const { status, body } = await server.get(`/v1/calls?count=yes&fields=summary&${query}`);
    expect([query, status]).toEqual([query, 200]);
    const { calls, matching } = body as { calls: readonly { readonly linkedid: string }[]; matching: number };
    expect(matching).toBe(calls.length);
    return calls
      .map(({ linkedid }) => linkedid)
      .toSorted()
      .join('');
  };

  test.each([
    ['rated', 'abcd'],
    ['rated=yes', 'abcd'],
    ['rated=no', 'e'],
    ['rating=%3C%3D2', 'bc'],
    ['rating=<=2', 'bc'],
    ['rating<=2', 'bc'],
    ['rating%3C=2', 'bc'],
    ['rating>=4', 'ad'],
    ['rating=>=4', 'ad'],
    ['rating=5', 'd'],
    ['rating=3-4', 'ad'],
    ['issue=delay', 'c'],
    ['issue=delay,stuttering', 'bc'],
    // Both in one rating: the complaint of 1 in c has no echo.
    ['issue=echo_of_me&rating=1', ''],
    ['issue=echo_of_me&rating=2', 'c'],
    ['issue=noise', ''],
    ['rated&verdict=bad', 'b'],
    ['rated=no&verdict=bad', 'e'],
    ['rated=no&verdict=good', ''],
    ['rating=1-5&endpoint=PJSIP/alice', 'abc'],
    ['rated=yes&sort=mes', 'abcd'],
    ['rated=yes&from=2026-11-21T00:00:00Z', ''],
  ])('%s', async (query, linkedids) => {
    expect(await found(query)).toBe(linkedids);
  });

  test.each([
    ['rated=maybe', 'rated'],
    ['rating=6', 'rating'],
    ['rating=4-2', 'rating'],
    ['rating<=6', 'rating'],
    ['rating<=2&rating=1', 'rating<'],
    ['mes<=2', 'mes<'],
    ['issue=smell', 'issue'],
    ['rated=no&rating=2', 'rated'],
    ['rated=no&issue=noise', 'rated'],
  ])('%s is refused', async (query, parameter) => {
    expect(await server.get(`/v1/calls?${query}`)).toMatchObject({ status: 400, body: { parameter } });
  });
});
