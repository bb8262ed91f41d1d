import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { MEASUREMENT_STATUS } from '../../../src/api/measurements.ts';
import type { MeasurementStatus } from '../../../src/dashboard/client/rest/measurement-answers.ts';
import type { ALERTS_ANSWER } from '../../../src/api/alerts/alerts.ts';
import type { CALLS_ANSWER, INTERVALS_ANSWER, LIVE_ANSWER } from '../../../src/api/answers/answers.ts';
import type { LIVE_MESSAGE } from '../../../src/api/live-stream.ts';
import type { ENDPOINTS_ANSWER, SUMMARY_ANSWER } from '../../../src/api/answers/quality.ts';
import type { AlertsAnswer } from '../../../src/dashboard/client/rest/alert-answers.ts';
import type {
  CallsAnswer,
  EndpointsAnswer,
  IntervalsAnswer,
  LiveAnswer,
  LiveMessage,
  SummaryAnswer,
} from '../../../src/dashboard/client/rest/answers.ts';
import { dashboardAssets } from '../../../src/dashboard/assets.ts';
import { startServer, type TestServer } from '../api/server.ts';

const LARGEST_BYTES = 150_000;

describe('the files of the dashboard', () => {
  const assets = dashboardAssets();

  test('are under 150 KB together, as they are sent', () => {
    const bytes = assets.reduce((sum, { gzip }) => sum + gzip.length, 0);
    expect(bytes).toBeGreaterThan(25_000);
    expect(bytes).toBeLessThan(LARGEST_BYTES);
  });

  test('name nothing that is not among them, and no other place', () => {
    const paths = new Set(assets.map(({ path }) => path));
    const [page] = assets;
    const named = [...String(page?.body).matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !paths.has(path))).toEqual([]);
    const scripts = assets.filter(({ path }) => path.endsWith('.js'));
    const imports = scripts.flatMap(({ path, body }) =>
      [...String(body).matchAll(/^(?:import|export)\b[^;'"]*from\s*'([^']+)'/gm)].map(
        ([, name = '']) => new URL(name, `http://x${path}`).pathname,
      ),
    );
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter((path) => !paths.has(path))).toEqual([]);
  });

  test('have an address that changes with what they hold', () => {
    const folders = new Set(assets.slice(1).map(({ path }) => path.split('/').slice(0, 3).join('/')));
    expect([...folders]).toEqual([expect.stringMatching(/^\/assets\/[0-9a-f]{16}$/)]);
    expect(assets.filter(({ isImmutable }) => !isImmutable).map(({ path }) => path)).toEqual(['/']);
  });

  test('know the answers of REST as its own schemas describe them', () => {
    expectTypeOf<z.output<typeof MEASUREMENT_STATUS>>().toExtend<MeasurementStatus>();
    expectTypeOf<z.output<typeof ALERTS_ANSWER>>().toExtend<AlertsAnswer>();
    expectTypeOf<z.output<typeof CALLS_ANSWER>>().toExtend<CallsAnswer>();
    expectTypeOf<z.output<typeof LIVE_ANSWER>>().toExtend<LiveAnswer>();
    expectTypeOf<z.output<typeof INTERVALS_ANSWER>>().toExtend<IntervalsAnswer>();
    expectTypeOf<z.output<typeof ENDPOINTS_ANSWER>>().toExtend<EndpointsAnswer>();
    expectTypeOf<z.output<typeof SUMMARY_ANSWER>>().toExtend<SummaryAnswer>();
    expectTypeOf<z.output<typeof LIVE_MESSAGE>>().toExtend<LiveMessage>();
  });
});

interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

describe('as they are served', () => {
  const assets = dashboardAssets();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ files: assets, token: 'a-token' });
  });
  afterAll(async () => server.close());

  /** Not by `fetch`, which unpacks on its own. */
  const get = async (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: server.port, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      })
        .on('error', reject)
        .end();
    });

  test('the page comes without the token, and may load only what is here', async () => {
    const { status, headers, body } = await get('/');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';img-src 'self' data:;base-uri 'none';frame-ancestors 'none';form-action 'none'",
    });
    expect(body.toString()).toMatch(/^<!doctype html>/);
    expect((await get('/v1/live')).status).toBe(401);
  });

  test.each([
    ['gzip, deflate, br', true],
    ['gzip;q=0.5', true],
    ['gzip;q=0, br', false],
    ['gzip;q=0.0', false],
    ['br', false],
    ['', false],
  ])('accept-encoding %j gives it compressed: %s', async (encoding, isCompressed) => {
    const { headers, body } = await get('/', { 'accept-encoding': encoding });
    expect(headers['content-encoding']).toBe(isCompressed ? 'gzip' : undefined);
    expect(headers['vary']).toBe('accept-encoding');
    expect((isCompressed ? gunzipSync(body) : body).toString()).toBe(String(assets[0]?.body));
  });

  test('what the browser has already is not sent again, what it has of an older release is', async () => {
    const script = assets.find(({ path }) => path.endsWith('/main.js'));
    const first = await get(script?.path ?? '');
    expect(first.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    const again = await get(script?.path ?? '', { 'if-none-match': String(first.headers['etag']) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const older = await get(script?.path ?? '', { 'if-none-match': '"0123"' });
    expect([older.status, older.body.length]).toEqual([200, script?.body.length]);
  });

  test('there is nothing else below /assets', async () => {
    for (const path of [
      '/assets/',
      '/assets/0000000000000000/main.js',
      '/assets/../package.json',
      '/assets/%2e%2e/x',
    ]) {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, { authorization: 'Bearer a-token' })).status).toBe(404);
    }
  });
});
