import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callRecord, channelRecord, intervalRecord, streamRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

interface Operation {
  readonly summary: string;
  readonly security?: readonly object[];
  readonly parameters: readonly { name: string; in: string; required: boolean; description?: string }[];
  readonly responses: Record<string, { content: Record<string, { schema: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, { get: Operation }>;
  readonly components: { schemas: Record<string, object> };
}

let server: TestServer;
let document: Document;

beforeAll(async () => {
  server = await startServer();
  const channel = channelRecord('c.1', {
    linkedid: 'call',
    streams: [streamRecord(), streamRecord({ direction: 'tx', reporter: 'remote', ssrc: null })],
  });
  server.history.record({ kind: 'channel', channel, resume: null });
  server.history.record({ kind: 'call', call: callRecord('call') });
  server.history.record({ kind: 'interval', interval: intervalRecord('c.1', 1) });
  server.live = [channel];
  document = (await server.get('/openapi.json')).body as Document;
});
afterAll(() => server.close());

/** The errors of a value by a schema of the document, judged by another library than the one that made it. */
function errorsOf(schema: object, value: unknown): unknown {
  // References are to the document's own components.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile({ ...schema, components: document.components });
  return validate(value) ? [] : validate.errors;
}

const IDS: Readonly<Record<string, string>> = { linkedid: 'call', uniqueid: 'c.1' };

function address(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => IDS[name] ?? '');
}

describe('the description of the API', () => {
  it('names every address', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual(
      expect.arrayContaining([
        '/healthz',
        '/metrics',
        '/readyz',
        '/v1/calls',
        '/v1/calls/{linkedid}',
        '/v1/channels/{uniqueid}',
        '/v1/channels/{uniqueid}/audio-statistics',
        '/v1/channels/{uniqueid}/intervals',
        '/v1/endpoints',
        '/v1/live',
        '/v1/live/stream',
        '/v1/summary',
      ]),
    );
    expect(document.paths['/healthz']?.get.security).toEqual([]);
    expect(document.paths['/v1/calls']?.get).not.toHaveProperty('security');
  });

  it('holds for the real answer of every address', async () => {
    const checked: string[] = [];
    for (const [path, { get }] of Object.entries(document.paths)) {
      const { status, body } = await server.get(address(path));
      const response = get.responses[status === 200 ? '200' : 'default'];
      const [schema] = Object.values(response?.content ?? {});
      expect([path, errorsOf(schema?.schema ?? { not: {} }, body)]).toEqual([path, []]);
      if (status === 200) checked.push(path);
    }
    // The web socket answers a plain request with a problem.
    expect(Object.keys(document.paths).filter((path) => !checked.includes(path))).toEqual(['/v1/live/stream']);
  });

  it('holds for an endpoint with its trend', async () => {
    const { body } = await server.get('/v1/endpoints?endpoint=PJSIP/alice&from=2026-11-20');
    const schema = { $ref: '#/components/schemas/Endpoints' };
    expect(errorsOf(schema, body)).toEqual([]);
    const { endpoints } = body as { endpoints: { trend: object }[] };
    expect(endpoints).toHaveLength(1);
    const wrong = endpoints.map((endpoint) => ({ ...endpoint, trend: { ...endpoint.trend, course: 'good' } }));
    expect(errorsOf(schema, { ...(body as object), endpoints: wrong })).not.toEqual([]);
  });

  it('would see a wrong answer', async () => {
    const { body } = await server.get('/v1/calls/call');
    const schema = { $ref: '#/components/schemas/CallWithRatings' };
    expect(errorsOf(schema, body)).toEqual([]);
    expect(errorsOf(schema, { ...(body as object), mes: 'four' })).not.toEqual([]);
    expect(errorsOf(schema, { ...(body as object), surprise: 1 })).not.toEqual([]);
  });

  it('has for each query parameter what the server takes, and for nothing else', async () => {
    for (const [path, { get }] of Object.entries(document.paths)) {
      const names = get.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      // Every known parameter is refused for its value, never as unknown.
      for (const name of names) {
        const { status, body } = await server.get(`${address(path)}?${name}=%00`);
        expect([status, (body as { detail: string }).detail]).toEqual([
          400,
          expect.stringMatching(new RegExp(`^parameter ${name}: .* is not allowed; give `)),
        ]);
      }
      expect((await server.get(`${address(path)}?surprise=1`)).status).toBe(400);
      expect(get.parameters.filter(({ in: place, required }) => (place === 'path') !== required)).toEqual([]);
      for (const parameter of get.parameters.filter(({ in: place }) => place === 'query')) {
        expect(parameter.description?.length).toBeGreaterThan(5);
      }
    }
  });

  it('says where CSV is to be had, and is right', async () => {
    const tabular = Object.entries(document.paths).filter(
      ([, { get }]) => 'text/csv' in (get.responses['200']?.content ?? {}),
    );
    expect(tabular.map(([path]) => path)).toEqual([
      '/v1/calls',
      '/v1/channels/{uniqueid}/intervals',
      '/v1/endpoints',
      '/v1/groups',
      '/v1/summary',
    ]);
    for (const [path] of tabular) {
      const response = await fetch(`http://127.0.0.1:${server.port}${address(path)}`, {
        headers: { accept: 'text/csv' },
      });
      expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      await response.text();
    }
  });
});
