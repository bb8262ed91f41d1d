import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callRecord, channelRecord, intervalRecord, START_MS } from '../history/records.ts';
import { type RatedServer, startRatedServer, TOKEN } from './rated-server.ts';

const ENDED_MS = START_MS + 3_600_000 - 60_000;
const CALLER = channelRecord('1.1', {
  endpoint: 'PJSIP/alice',
  answeredAtMs: START_MS,
  endedAtMs: ENDED_MS,
});
const CALLEE = channelRecord('1.2', {
  linkedid: '1.1',
  name: 'PJSIP/bob-00000002',
  endpoint: 'PJSIP/bob',
  startedAtMs: START_MS + 100,
  answeredAtMs: START_MS + 1000,
  endedAtMs: ENDED_MS,
});

let server: RatedServer;
beforeAll(async () => {
  server = await startRatedServer();
  for (const channel of [CALLER, CALLEE]) server.history.record({ kind: 'channel', channel, resume: null });
  server.history.record({ kind: 'call', call: callRecord('1.1', { endedAtMs: ENDED_MS }) });
  for (const [number, direction] of [
    [1, 'rx'],
    [2, 'tx'],
    [3, 'rx'],
  ] as const)
    server.history.record({
      kind: 'interval',
      interval: intervalRecord('1.1', number, { direction, mes: number, atMs: START_MS + number * 5000 }),
    });
});
afterAll(() => server.close());

const rate = (body: object, id = '1.1', headers?: Record<string, string>) =>
  server.post(`/v1/calls/${encodeURIComponent(id)}/ratings`, body, headers);

describe('ratings over REST', () => {
  test('are kept, shown with the call and told to Asterisk', async () => {
    server.live.set('1.1', CALLER);
    const { status, body } = await rate({
      score: 2,
      issues: ['noise', 'noise', 'delay'],
      comment: 'a\r\nVariable: x\u2028b',
    });
    server.live.clear();
    expect(status).toBe(201);
    const rating = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      linkedid: '1.1',
      uniqueid: '1.1',
      endpoint: 'PJSIP/alice',
      side: 'caller',
      score: 2,
      issues: ['noise', 'delay'],
      answers: [],
      comment: 'a Variable: x b',
      source: 'rest',
      asked: false,
      weight: 0,
      at: '2026-11-20T11:00:00.000Z',
    };
    expect(body).toEqual(rating);
    expect((await server.get('/v1/calls/1.1')).body).toMatchObject({ linkedid: '1.1', ratings: [rating], moments: [] });
    expect((await server.get('/v1/ratings')).body).toEqual({
      ratings: [rating],
      next_cursor: null,
      asked: 0,
      answered: 0,
    });
    expect(server.sent).toEqual([
      [
        'UserEvent',
        {
          UserEvent: 'MESRating',
          Linkedid: '1.1',
          Uniqueid: '1.1',
          Endpoint: 'PJSIP/alice',
          Side: 'caller',
          Score: '2',
          Source: 'rest',
          Issues: 'noise,delay',
          RateURL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:8090\/r\/[\w-]+\.[\w-]{22}$/) as string,
        },
      ],
      ['1.1', { MES_RATING: '2', 'CDR(mes_rating)': '2' }],
    ]);
  });

  test('are of the side or channel that is named', async () => {
    expect((await rate({ score: 5, side: 'callee' })).body).toMatchObject({ uniqueid: '1.2', endpoint: 'PJSIP/bob' });
    expect((await rate({ score: 5, uniqueid: '1.2' })).body).toMatchObject({ side: 'callee' });
    expect((await rate({ score: 5, uniqueid: '7.7' })).body).toMatchObject({ status: 404, code: 'MES_ERR_NO_SUCH_ID' });
    expect((await rate({ score: 5 }, '7.7')).body).toMatchObject({
      status: 404,
      detail: 'no call of this id is known',
    });
  });

  test("are of an endpoint's last call, for ten minutes", async () => {
    expect((await server.post('/v1/calls/last:PJSIP/bob/ratings', { score: 4 })).body).toMatchObject({
      linkedid: '1.1',
      uniqueid: '1.2',
      side: 'callee',
    });
    // Written by people, and by the libraries of clients; of nobody.
    const ways = ['last:PJSIP/bob', 'last:PJSIP%2Fbob', 'last%3APJSIP%2Fbob', 'a/b/c'];
    const answers = await Promise.all(ways.map((id) => server.post(`/v1/calls/${id}/ratings`, { score: 9 })));
    expect(answers.map(({ body }) => (body as { parameter?: string }).parameter)).toEqual(ways.map(() => 'score'));
    expect((await server.post('/v1/calls/a/b/c/ratings', { score: 4 })).body).toMatchObject({
      code: 'MES_ERR_NO_SUCH_ID',
    });
    expect(await server.post('/v1/calls/last:PJSIP/bob/ratings?id=/ratings', { score: 4 })).toMatchObject({
      status: 400,
      body: { parameter: 'id' },
    });
    expect((await rate({ score: 4, side: 'caller' }, 'last:PJSIP/bob')).status).toBe(400);
    expect((await rate({ score: 4 }, 'last:PJSIP/carol')).status).toBe(404);
    const before = server.nowMs;
    server.nowMs = ENDED_MS + 600_001;
    expect((await rate({ score: 4 }, 'last:PJSIP/bob')).status).toBe(404);
    server.nowMs = before;
  });

  test('need the token, also on loopback', async () => {
    expect((await rate({ score: 4 }, '1.1', {})).status).toBe(401);
    expect((await rate({ score: 4 }, '1.1', { authorization: `Bearer ${TOKEN}x` })).status).toBe(401);
  });

  test.each([
    [{}, 'score'],
    [{ score: 0 }, 'score'],
    [{ score: 6 }, 'score'],
    [{ score: 3.5 }, 'score'],
    [{ score: '3' }, 'score'],
    [{ score: 3, issues: ['bad'] }, 'issues.0'],
    [{ score: 3, answers: [{ question: '<b>', version: 1, answer: true }] }, 'answers.0.question'],
    [{ score: 3, comment: 'x'.repeat(1001) }, 'comment'],
    [{ score: 3, weight: 100 }, 'weight'],
  ])('%j is refused, and names the field', async (body, field) => {
    expect((await rate(body)).body).toMatchObject({
      status: 400,
      code: 'MES_ERR_BODY',
      detail: expect.stringContaining(field) as string,
    });
  });

  test('are found by endpoint, score and issue, page by page', async () => {
    const scores = async (query: string): Promise<number[]> => {
      const { body } = await server.get(`/v1/ratings?${query}`);
      return (body as { readonly ratings: readonly { readonly score: number }[] }).ratings.map(({ score }) => score);
    };
    expect(await scores('endpoint=PJSIP/alice')).toEqual([2]);
    expect((await scores('endpoint=PJSIP/b*')).toSorted((a, b) => a - b)).toEqual([4, 5, 5]);
    expect(await scores('score=%3C%3D2')).toEqual([2]);
    expect((await scores('score=4-5')).toSorted((a, b) => a - b)).toEqual([4, 5, 5]);
    expect(await scores('issue=delay')).toEqual([2]);
    expect(await scores('issue=dropped')).toEqual([]);
    expect(await scores('to=2026-11-20T10:00:00Z')).toEqual([]);
    const first = (await server.get('/v1/ratings?limit=3')).body as { ratings: object[]; next_cursor: string };
    const second = (await server.get(`/v1/ratings?limit=3&cursor=${first.next_cursor}`)).body as typeof first;
    expect([first.ratings.length, second.ratings.length, second.next_cursor]).toEqual([3, 1, null]);
    for (const wrong of ['score=6', 'score=2-1', 'issue=bad', 'cursor=xx', 'colour=red', 'from=-1h&to=-2h'])
      expect((await server.get(`/v1/ratings?${wrong}`)).status).toBe(400);
  });

  test('a comment is data in CSV too', async () => {
    await rate({ score: 3, comment: '=HYPERLINK("http://x")' });
    const response = await fetch(`${server.origin}/v1/ratings?score=3`, {
      headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/csv' },
    });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head, row] = (await response.text()).split('\r\n');
    expect(head).toBe('id,linkedid,uniqueid,endpoint,side,score,issues,answers,comment,source,asked,weight,at');
    expect(row).toContain(`,"'=HYPERLINK(""http://x"")",rest,`);
  });

  test('a marked moment stands with the reports before and after it', async () => {
    const channel = {
      ...CALLER,
      stateNumber: 6,
      callerNumber: '100',
      callerName: '',
      connectedNumber: '',
      connectedName: '',
      exten: '',
    };
    const refused = Number(server.companion.counters?.()['refused']);
    // Of a channel that is not up nothing is marked.
    server.companion.take?.({ type: 'mark', atMs: START_MS + 11_000, channel });
    server.live.set('1.1', channelRecord('1.1', { linkedid: '1.1', endedAtMs: null }));
    server.companion.take?.({ type: 'mark', atMs: START_MS + 12_000, channel });
    server.live.delete('1.1');
    await expect
      .poll(async () => (await server.get('/v1/calls/1.1')).body)
      .toMatchObject({
        moments: [
          {
            at: '2026-11-20T10:00:12.000Z',
            uniqueid: '1.1',
            directions: [
              {
                uniqueid: '1.1',
                direction: 'rx',
                before: { mes: 1, at: '2026-11-20T10:00:05.000Z' },
                after: { mes: 3 },
              },
              { uniqueid: '1.1', direction: 'tx', before: { mes: 2 }, after: null },
            ],
          },
        ],
      });
    expect(server.companion.counters?.()).toMatchObject({ marks: 1, refused: refused + 1 });
    expect(server.told.at(-1)).toEqual({ moment: { linkedid: '1.1', uniqueid: '1.1', atMs: START_MS + 12_000 } });
    expect(
      server.told
        .filter((news) => 'rating' in news)
        .map(({ rating }) => rating.score)
        .toSorted((a, b) => a - b),
    ).toEqual([2, 3, 4, 5, 5]);
    const metrics = (await server.get('/metrics')).body;
    for (const [score, count] of [0, 1, 1, 1, 2].entries())
      expect(metrics).toContain(`asterisk_mes_ratings_total{score="${score + 1}",source="rest"} ${count}\n`);
    expect(metrics).toContain('asterisk_mes_ratings_total{score="5",source="ivr"} 0\n');
    expect(String(metrics).match(/^asterisk_mes_ratings_total\{/gm)).toHaveLength(25);
  });

  test('a flood of them is refused, and the rest goes on', async () => {
    const statuses: number[] = [];
    for (let round = 0; round < 62; round++) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => rate({ score: 1 }, 'unknown')));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(new Set(statuses)).toEqual(new Set([404, 429]));
    server.nowMs += 60_000;
    expect((await rate({ score: 1 })).status).toBe(201);
  });
});

describe('masked numbers', () => {
  test('are masked in comments and endpoints, as everywhere', async () => {
    const masked = await startRatedServer('enabled = yes', '[history]\nnumbers = masked');
    try {
      masked.history.record({ kind: 'channel', channel: CALLER, resume: null });
      masked.history.record({ kind: 'call', call: callRecord('1.1', { endedAtMs: ENDED_MS }) });
      const { body } = await masked.post('/v1/calls/1.1/ratings', { score: 1, comment: 'call me at 0155 501002' });
      expect(body).toMatchObject({ comment: 'call me at ********002' });
    } finally {
      await masked.close();
    }
  });
});
