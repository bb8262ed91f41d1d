import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { route } from '../../../src/api/route.ts';
import { NO_QUERY } from '../../../src/api/parameters.ts';
import { startServer, type TestServer } from './server.ts';

const NOTE = z.strictObject({ text: z.string().max(20) });
const said: string[] = [];
const NOTES = [
  route({
    path: '/v1/notes/:id',
    summary: 'The notes.',
    query: NO_QUERY,
    answer: z.strictObject({ notes: z.array(z.string()) }),
    handle: () => ({ notes: [...said] }),
  }),
  route({
    method: 'POST',
    path: '/v1/notes/:id',
    summary: 'A note.',
    access: 'token',
    query: NO_QUERY,
    body: NOTE,
    answer: z.strictObject({ id: z.string(), text: z.string() }),
    status: 201,
    handle: ({ id, body: { text } }) => {
      said.push(text);
      return { id, text };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/words/:id',
    summary: 'Deletes a word.',
    access: 'token',
    query: NO_QUERY,
    answer: z.strictObject({ deleted: z.string() }),
    handle: ({ id }) => ({ deleted: id }),
  }),
];

let server: TestServer;
afterEach(async () => {
  said.length = 0;
  await server.close();
});

async function post(body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/notes/7`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const answered: unknown = await response.json();
  return { status: response.status, headers: response.headers, body: answered };
}

describe('an address that takes something', () => {
  test('takes what its schema allows, with the token', async () => {
    server = await startServer({ token: 'secret', moreRoutes: NOTES });
    const authorization = 'Bearer secret';
    expect(await post('{"text":"good"}', { authorization })).toMatchObject({
      status: 201,
      body: { id: '7', text: 'good' },
    });
    expect(said).toEqual(['good']);
    expect((await server.get('/v1/notes/7', { authorization })).body).toEqual({ notes: ['good'] });
  });

  test('refuses it without a token, also where none is set and reading is free', async () => {
    server = await startServer({ moreRoutes: NOTES });
    expect(await post('{"text":"x"}')).toMatchObject({
      status: 403,
      body: {
        code: 'MES_ERR_TOKEN_NOT_SET',
        detail: 'this needs a token; set token in [http] of mes.conf, and send it',
      },
    });
    expect((await server.get('/v1/notes/7')).status).toBe(200);
    await server.close();
    server = await startServer({ token: 'secret', moreRoutes: NOTES });
    expect((await post('{"text":"x"}')).status).toBe(401);
    expect((await post('{"text":"x"}', { authorization: 'Bearer other' })).status).toBe(401);
    expect(said).toEqual([]);
  });

  test.each([
    ['{"text":1}', 400, 'MES_ERR_BODY', /^text in the body: give a text$/],
    ['{}', 400, 'MES_ERR_BODY', /^text in the body: it is missing; give a text$/],
    ['', 400, 'MES_ERR_BODY', /^the body: it is missing; give a JSON object$/],
    ['{"text":"a","more":1}', 400, 'MES_ERR_BODY', /^the body: it has the unknown key "more"; take it out$/],
    ['[]', 400, 'MES_ERR_BODY', /^the body: give a JSON object$/],
    ['{', 400, 'MES_ERR_REQUEST_UNREADABLE', /^the request cannot be read/],
    [`{"text":"${'x'.repeat(20_000)}"}`, 413, 'MES_ERR_REQUEST_UNREADABLE', /^the request cannot be read/],
  ])('refuses %.30s in one sentence', async (body, status, code, detail) => {
    server = await startServer({ token: 'secret', moreRoutes: NOTES });
    const answer = await post(body, { authorization: 'Bearer secret' });
    expect(answer).toMatchObject({ status, body: { code } });
    expect((answer.body as { readonly detail: string }).detail).toMatch(detail);
    expect(said).toEqual([]);
  });

  test('deletes for a client that names JSON as the type of no body', async () => {
    server = await startServer({ token: 'secret', moreRoutes: NOTES });
    const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
    for (const body of [undefined, '']) {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/words/7`, {
        method: 'DELETE',
        headers,
        ...(body === undefined ? {} : { body }),
      });
      expect([response.status, await response.json()]).toEqual([200, { deleted: '7' }]);
    }
  });

  test('names its methods, and describes its body', async () => {
    server = await startServer({ moreRoutes: NOTES });
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/notes/7`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    const { body } = await server.get('/openapi.json');
    const paths = (body as { readonly paths: Record<string, Record<string, object>> }).paths;
    expect(paths['/v1/notes/{id}']?.['post']).toMatchObject({
      security: [{ token: [] }],
      requestBody: { content: { 'application/json': { schema: { required: ['text'], additionalProperties: false } } } },
      responses: { '201': { description: 'The answer.' } },
    });
    expect(paths['/v1/notes/{id}']?.['get']).toMatchObject({ responses: { '200': {} } });
  });
});
