import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLS_ANSWER, PROBLEM } from '../../../src/api/answers/answers.ts';
import { NOTE } from '../../../src/api/remarks.ts';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { remarksCompanion } from '../../../src/app/companions/remarks.ts';
import { textHider } from '../../../src/app/numbers/hidden-text.ts';
import { callRecord, channelRecord, START_MS } from '../history/records.ts';
import { NOW_MS, startServer, type TestServer } from './server.ts';

const TOKEN = 'the-token-of-this-test';
const MASKED = { numbers: 'masked', numbersKey: null } as const;

let server: TestServer;

beforeAll(async () => {
  server = await startServer({
    token: TOKEN,
    storedText: textHider(MASKED).text,
    routesOf: (context) =>
      remarksCompanion({ ...context, settings: { history: MASKED } } as unknown as CompanionContext).routes ?? [],
  });
  for (const linkedid of ['1.1', '1.2']) {
    const times = { startedAtMs: START_MS, endedAtMs: START_MS + 60_000 };
    server.history.record({
      kind: 'channel',
      channel: channelRecord(linkedid, { linkedid, ...times }),
      resume: null,
    });
    server.history.record({ kind: 'call', call: callRecord(linkedid, times) });
  }
});
afterAll(() => server.close());

async function send(method: string, path: string, body?: unknown, token: string | null = TOKEN) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const get = async (path: string) => (await server.get(path, { authorization: `Bearer ${TOKEN}` })).body;
async function found(query: string): Promise<string[]> {
  const answer = CALLS_ANSWER.parse(await get(`/v1/calls?${query}`));
  return answer.calls.map(({ linkedid }) => linkedid).toSorted();
}

describe('notes and tags', () => {
  it('are written with the token, shown with who and when, and change the answer that a client has', async () => {
    const before = await server.get('/v1/calls/1.1', { authorization: `Bearer ${TOKEN}` });
    expect(before.body).toMatchObject({ notes: [], tags: [], tagged: [] });
    const { status, body } = await send('POST', '/v1/calls/1.1/notes', {
      text: ' Told <b>carrier</b>\nat 9 ',
      author: 'Ada',
    });
    expect([status, { ...body, id: '' }]).toEqual([
      201,
      { id: '', text: 'Told <b>carrier</b>\nat 9', author: 'Ada', at: new Date(NOW_MS).toISOString() },
    ]);
    expect((await send('POST', '/v1/calls/1.1/tags', { add: ['carrier', 'Größe'] })).body).toEqual({
      tags: ['Größe', 'carrier'].toSorted().map((tag) => ({ tag, author: null, at: new Date(NOW_MS).toISOString() })),
    });
    const headers = { authorization: `Bearer ${TOKEN}`, 'if-none-match': before.headers.get('etag') ?? '' };
    const after = await server.get('/v1/calls/1.1', headers);
    expect(after.status).toBe(200);
    expect(after.body).toMatchObject({ notes: [{ author: 'Ada' }], tags: ['Größe', 'carrier'].toSorted() });
    const list = (await get('/v1/calls?fields=summary')) as { calls: { linkedid: string; tags: string[] }[] };
    expect(Object.fromEntries(list.calls.map(({ linkedid, tags }) => [linkedid, tags.length]))).toEqual({
      '1.1': 2,
      '1.2': 0,
    });
    const csv = await server.get('/v1/calls', { authorization: `Bearer ${TOKEN}`, accept: 'text/csv' });
    expect(csv.body).toContain(',Größe carrier,'.replace('Größe carrier', ['Größe', 'carrier'].toSorted().join(' ')));
    const { id } = NOTE.parse(body);
    expect((await send('DELETE', `/v1/notes/${id}`)).body).toEqual({ deleted: true });
    expect((await send('DELETE', `/v1/notes/${id}`)).status).toBe(404);
    expect(await get('/v1/calls/1.1')).toMatchObject({ notes: [] });
  });

  it('find their calls, alone and among others', async () => {
    await send('POST', '/v1/calls/1.1/tags', { add: ['a'] });
    await send('POST', '/v1/calls/1.2/tags', { add: ['a', 'b'] });
    expect(await found('tag=a')).toEqual(['1.1', '1.2']);
    expect(await found('tag=b')).toEqual(['1.2']);
    expect(await found('tag=b,nothing')).toEqual(['1.2']);
    expect(await found('tag=a&endpoint=PJSIP/bob')).toEqual([]);
    await send('POST', '/v1/calls/1.2/tags', { remove: ['a'], add: ['c'] });
    expect(await found('tag=a')).toEqual(['1.1']);
    const { tags } = (await get('/v1/tags')) as { tags: { tag: string; calls: number }[] };
    expect(await get('/v1/tags?limit=1')).toEqual({ tags: tags.slice(0, 1) });
    expect(tags.length).toBeGreaterThan(1);
    expect(tags).toEqual(
      expect.arrayContaining([
        { tag: 'a', calls: 1 },
        { tag: 'c', calls: 1 },
      ]),
    );
  });

  it('hide numbers as the call does, and are found by the number and by what is shown of it', async () => {
    const { body } = await send('POST', '/v1/calls/1.2/notes', {
      text: 'asked for +49 30 123456 back',
      author: 'desk 0155501234',
    });
    expect([body['text'], body['author']]).toEqual(['asked for **********456 back', 'desk *******234']);
    const { body: tagged } = await send('POST', '/v1/calls/1.2/tags', { add: ['ticket-4711234'] });
    expect(tagged['tags']).toEqual(expect.arrayContaining([expect.objectContaining({ tag: 'ticket-****234' })]));
    expect(await found('tag=ticket-4711234')).toEqual(['1.2']);
    expect(await found('tag=ticket-****234')).toEqual(['1.2']);
    expect(await found('tag=ticket-4711235')).toEqual([]);
  });

  it.each<[method: string, path: string, given: object, status: number, parameter: string | undefined]>([
    ['POST', '/v1/calls/1.1/notes', { text: '   ' }, 400, 'text'],
    ['POST', '/v1/calls/1.1/notes', { text: 'a'.repeat(2001) }, 400, 'text'],
    ['POST', '/v1/calls/1.1/notes', { text: 'a\u0007b' }, 400, 'text'],
    ['POST', '/v1/calls/1.1/notes', { text: 'a', author: 'b\nc' }, 400, 'author'],
    ['POST', '/v1/calls/1.1/notes', { text: 'a', at: 'now' }, 400, undefined],
    ['POST', '/v1/calls/1.1/tags', { add: ['two words'] }, 400, 'add.0'],
    ['POST', '/v1/calls/1.1/tags', { add: ['a,b'] }, 400, 'add.0'],
    ['POST', '/v1/calls/1.1/tags', { add: ['a'.repeat(41)] }, 400, 'add.0'],
    ['POST', '/v1/calls/1.1/tags', {}, 400, undefined],
    ['POST', '/v1/calls/9.9/tags', { add: ['a'] }, 404, undefined],
    ['POST', '/v1/calls/9.9/notes', { text: 'a' }, 404, undefined],
  ])('refuse %s %s %o, case %#', async (method, path, given, status, parameter) => {
    const answer = await send(method, path, given);
    const problem = PROBLEM.parse(answer.body);
    expect([answer.status, problem.parameter]).toEqual([status, parameter]);
  });

  it('need the token for every change', async () => {
    expect((await send('POST', '/v1/calls/1.1/notes', { text: 'a' }, null)).status).toBe(401);
    expect((await send('POST', '/v1/calls/1.1/tags', { add: ['x'] }, 'wrong')).status).toBe(401);
    expect(await found('tag=x')).toEqual([]);
    const { status, body } = await send('POST', '/v1/calls/1.1/tags', {
      add: Array.from({ length: 20 }, (_, n) => `t${n}`),
    });
    expect([status, PROBLEM.parse(body).detail]).toEqual([400, 'the call would have more than 20 tags; take some off']);
  });
});
