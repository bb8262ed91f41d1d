import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEM } from '../../../src/api/answers/answers.ts';
import { startServer, type TestServer } from './server.ts';

const TOKEN = 'open-sesame';
const STRANGER = '192.0.2.7';

let server: TestServer;
let guarded: TestServer;

beforeAll(async () => {
  server = await startServer();
  guarded = await startServer({ token: TOKEN });
});
afterAll(async () => {
  await server.close();
  await guarded.close();
});

async function ask(
  to: TestServer,
  { url = '/v1/live', host = 'localhost', remoteAddress = '127.0.0.1', authorization = '' } = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const answer = await to.api.inject({ method: 'GET', url, remoteAddress, headers: { host, authorization } });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };
}

/** Statuses and how often each came. */
async function askOften(times: number, options: Parameters<typeof ask>[1]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let n = 0; n < times; n++) {
    const { status } = await ask(guarded, options);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** Asks for a web socket and gives the first line of the answer. */
async function upgrade(to: TestServer, host: string): Promise<string> {
  const socket = connect(to.port, '127.0.0.1');
  const lines = [
    'GET /v1/live/stream HTTP/1.1',
    `Host: ${host}`,
    `Origin: http://${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => {
      socket.destroy();
      resolve(chunk.toString().split('\r\n', 1)[0] ?? '');
    });
  });
}

describe('every answer', () => {
  it.each(['/v1/live', '/healthz', '/metrics', '/nowhere', '/v1/calls?nonsense=1'])(
    'has the headers of helmet: %s',
    async (url) => {
      const { headers } = await ask(server, { url });
      // https://helmetjs.github.io: its defaults, but for the framing, which is denied, and for HSTS.
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none';/),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'origin-agent-cluster': '?1',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'x-download-options': 'noopen',
        'x-frame-options': 'DENY',
        'x-permitted-cross-domain-policies': 'none',
        'x-xss-protection': '0',
        'cache-control': 'no-store',
      });
      // RFC 6797 §7.2
      expect(headers).not.toHaveProperty('strict-transport-security');
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  it('has them also when it is a refusal', async () => {
    for (const refused of [await ask(guarded), await ask(server, { host: 'evil.example' })]) {
      expect([401, 403]).toContain(refused.status);
      expect(refused.headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' });
    }
  });
});

describe('without a token', () => {
  it.each(['localhost', 'LOCALHOST:8090', '127.0.0.1', '127.0.0.1:8090', '127.8.9.10:1', '[::1]:8090'])(
    'a request to %s is answered',
    async (host) => {
      expect((await ask(server, { host })).status).toBe(200);
    },
  );

  it.each(['evil.example', 'evil.example:8090', 'localhost.evil.example', '127.0.0.1.evil.example', '192.0.2.1'])(
    'a request to %j is none of ours: its name may have been made to lead here',
    async (host) => {
      const { status, body } = await ask(server, { host });
      expect(status).toBe(403);
      expect(PROBLEM.parse(JSON.parse(body)).detail).toBe(
        'without a token only requests to localhost are answered; use http://127.0.0.1 or set token in [http] of mes.conf',
      );
    },
  );

  it('not even a web socket, an open address or the page is given to a strange name', async () => {
    expect(await upgrade(server, 'evil.example')).toBe('HTTP/1.1 403 Forbidden');
    expect(await upgrade(server, `127.0.0.1:${server.port}`)).toBe('HTTP/1.1 101 Switching Protocols');
    expect((await ask(server, { host: 'evil.example', url: '/healthz' })).status).toBe(403);
  });

  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'Cross-Site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { origin: 'https://evil.example' },
    { origin: 'http://127.0.0.1:1' },
    { origin: 'null' },
    { origin: 'null', 'sec-fetch-site': 'same-origin' },
  ])('a page of another site gets nothing, and no work is done for it: %j', async (headers) => {
    let asked = 0;
    const { history } = server;
    const calls = history.calls.bind(history);
    history.calls = (...query) => {
      asked++;
      return calls(...query);
    };
    for (const url of ['/v1/calls', '/v1/live', '/healthz', '/metrics']) {
      const { statusCode, body } = await server.api.inject({ url, headers: { host: '127.0.0.1', ...headers } });
      expect([statusCode, PROBLEM.parse(JSON.parse(body)).detail]).toEqual([
        403,
        'a page of another site may not read this; open the dashboard of this server',
      ]);
    }
    expect(asked).toBe(0);
    const own = { host: '127.0.0.1', origin: 'http://127.0.0.1', 'sec-fetch-site': 'same-origin' };
    expect((await server.api.inject({ url: '/v1/calls', headers: own })).statusCode).toBe(200);
    const typed = { host: '127.0.0.1', 'sec-fetch-site': 'none' };
    expect((await server.api.inject({ url: '/v1/calls', headers: typed })).statusCode).toBe(200);
    expect(asked).toBe(2);
    history.calls = calls;
  });

  it('a link from elsewhere may lead to the page, which holds nothing of any call', async () => {
    const page = { path: '/', type: 'text/html', body: Buffer.from('x'), gzip: Buffer.from('x'), etag: '"x"' };
    const shown = await startServer({ files: [{ ...page, isImmutable: false }] });
    const ask_ = async (headers: Record<string, string>): Promise<number> =>
      (await shown.api.inject({ url: '/', headers: { host: '127.0.0.1', 'sec-fetch-site': 'cross-site', ...headers } }))
        .statusCode;
    expect(await ask_({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).toBe(200);
    expect(await ask_({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(await ask_({ 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' })).toBe(403);
    await shown.close();
  });

  it('whoever sends no Host is no browser', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('with a token', () => {
  it('any name is good, for no page can know the token', async () => {
    const authorization = `Bearer ${TOKEN}`;
    expect((await ask(guarded, { host: 'pbx.example.org', authorization })).status).toBe(200);
    expect((await ask(guarded, { host: 'pbx.example.org' })).status).toBe(401);
  });

  it('a program of another site that has it is answered, a page that has not is refused at an open address too', async () => {
    const headers = { host: 'pbx.example.org', origin: 'https://grafana.example.org', 'sec-fetch-site': 'cross-site' };
    const authorization = `Bearer ${TOKEN}`;
    const statusOf = async (url: string, more = {}): Promise<number> =>
      (await guarded.api.inject({ url, headers: { ...headers, ...more } })).statusCode;
    expect(await statusOf('/v1/calls', { authorization })).toBe(200);
    expect(await statusOf('/v1/calls')).toBe(403);
    expect(await statusOf('/v1/calls', { authorization: 'Bearer wrong' })).toBe(401);
    expect(await statusOf('/healthz')).toBe(403);
  });

  it('counts only in the header, never in the address', async () => {
    for (const url of [`/v1/live?token=${TOKEN}`, `/v1/live?access_token=${TOKEN}`]) {
      const { status, body } = await ask(guarded, { url });
      expect(status).toBe(401);
      expect(body).not.toContain(TOKEN);
    }
  });

  it('600 requests a minute are taken from an address, right or wrong, and then a sentence says when to come back', async () => {
    expect(await askOften(610, { remoteAddress: STRANGER })).toEqual({ 401: 600, 429: 10 });
    const late = await ask(guarded, { remoteAddress: STRANGER, authorization: `Bearer ${TOKEN}` });
    expect(late.status).toBe(429);
    const waitS = Number(late.headers['retry-after']);
    expect(waitS).toBeGreaterThan(0);
    expect(waitS).toBeLessThanOrEqual(60);
    expect(PROBLEM.parse(JSON.parse(late.body))).toMatchObject({
      title: 'Too Many Requests',
      detail: `too many requests from your address; ask again in ${waitS} s, and then more slowly`,
    });
    // Somebody else is not held up.
    expect((await ask(guarded, { remoteAddress: '192.0.2.8', authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('counts the whole of a /64, of which one machine has every address', async () => {
    const mine = (n: number): string => `2001:db8:1:2::${n.toString(16)}`;
    for (let n = 0; n < 600; n++) await ask(guarded, { remoteAddress: mine(n) });
    expect((await ask(guarded, { remoteAddress: mine(601) })).status).toBe(429);
    expect((await ask(guarded, { remoteAddress: '2001:db8:1:3::1' })).status).toBe(401);
  });

  it('is generous on this machine', async () => {
    for (const remoteAddress of ['127.0.0.1', '::1']) {
      expect(await askOften(700, { remoteAddress, authorization: `Bearer ${TOKEN}` })).toEqual({ 200: 700 });
    }
  });
});

describe('a client', () => {
  it('finds limits to its header, its body, its time, and its connections', async () => {
    const { server: http, initialConfig } = server.api;
    expect(initialConfig).toMatchObject({ bodyLimit: 16_384, requestTimeout: 10_000, keepAliveTimeout: 15_000 });
    expect([http.headersTimeout, http.requestTimeout, http.maxConnections]).toEqual([10_000, 10_000, 512]);
    const manyHeaders = connect(server.port, '127.0.0.1');
    manyHeaders.write(`GET /v1/live HTTP/1.1\r\nHost: localhost\r\n${'x-y: z\r\n'.repeat(2000)}\r\n`);
    expect(await text(manyHeaders)).toMatch(/^HTTP\/1\.1 431 /);
    const body = await fetch(`http://127.0.0.1:${server.port}/v1/live`, {
      method: 'POST',
      body: 'x'.repeat(1_000_000),
    });
    expect(body.status).toBe(405);
  });
});

it('does not wait for a client in the middle of its request when it stops', async () => {
  const stopping = await startServer();
  const slow = connect(stopping.port, '127.0.0.1');
  slow.on('error', () => {});
  slow.write('GET /v1/live HTTP/1.1\r\nHost: localh');
  await new Promise((resolve) => slow.once('connect', resolve));
  const began = performance.now();
  await stopping.close();
  expect(performance.now() - began).toBeLessThan(20_000);
  slow.destroy();
});
