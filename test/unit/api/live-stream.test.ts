import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import { PROBLEM } from '../../../src/api/answers/answers.ts';
import { LIVE_MESSAGE } from '../../../src/api/live-stream.ts';
import type { Rating } from '../../../src/model/people/rating.ts';
import { channelRecord, START_MS } from '../history/records.ts';
import { startServer, type TestServer, type TestServerOptions } from './server.ts';

type Message = z.output<typeof LIVE_MESSAGE>;

const RATING: Rating = {
  id: 'r',
  linkedid: '1.1',
  uniqueid: '1.2',
  endpoint: 'PJSIP/alice',
  side: 'callee',
  score: 2,
  issues: ['noise'],
  answers: [],
  comment: '<b>',
  source: 'link',
  asked: false,
  weight: 0,
  atMs: START_MS + 60_000,
};

let servers: TestServer[];
let server: TestServer;

async function started(token?: string, options: TestServerOptions = {}): Promise<TestServer> {
  const one = await startServer(token === undefined ? options : { ...options, token });
  servers.push(one);
  return one;
}

beforeEach(async () => {
  servers = [];
  server = await started();
});
afterEach(() => Promise.all(servers.map((one) => one.close())));

/** As JSON 16 MB: more than the system keeps for a connection. */
function longList(): TestServer['live'] {
  return Array.from({ length: 2000 }, (_, n) => channelRecord(`1795168800.${n}`, { callerName: 'x'.repeat(8000) }));
}

/** A client of the feed that reads nothing by itself. */
async function deaf(to = server): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: to.port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(
    'GET /v1/live/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  return socket;
}

interface Watcher {
  readonly socket: WebSocket;
  readonly messages: Message[];
  /** The first message, come already or yet to come, that fits. */
  readonly find: (fits: (message: Message) => boolean) => Promise<Message>;
}

interface WatchOptions {
  readonly to?: TestServer;
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
}

async function watch({ to = server, protocols = [], headers = {} }: WatchOptions = {}): Promise<Watcher> {
  const socket = new WebSocket(`ws://127.0.0.1:${to.port}/v1/live/stream`, protocols, { headers });
  const messages: Message[] = [];
  socket.on('message', (data: Buffer) => messages.push(LIVE_MESSAGE.parse(JSON.parse(data.toString()))));
  await once(socket, 'open');
  const find = async (fits: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const found = messages.find(fits);
      if (found !== undefined) return found;
      await once(socket, 'message', { signal: AbortSignal.timeout(15_000) });
    }
  };
  return { socket, messages, find };
}

/** Asks for a web socket and gives the plain answer. */
async function refusal(to: TestServer, path: string, headers: readonly string[] = []) {
  const socket = connect(to.port, '127.0.0.1');
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${to.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return { head, problem: PROBLEM.parse(JSON.parse(body)) };
}

function uniqueids(message: Message): string[] {
  return !('channels' in message) ? [] : message.channels.map(({ uniqueid }) => uniqueid);
}

const isChange = ({ type }: Message): boolean => type === 'changes';

describe('the live stream', () => {
  it('begins with all channels that are up, and goes on with what changed, coalesced', async () => {
    server.live = [channelRecord('a'), channelRecord('b')];
    const { messages, find } = await watch();
    const full = await find(({ type }) => type === 'full');
    expect(messages[0]).toBe(full);
    expect(uniqueids(full)).toEqual(['a', 'b']);
    expect(full.at).toBe('2026-11-20T11:00:00.000Z');

    for (let n = 1; n <= 20; n++) server.liveStream.note(channelRecord('a', { mes: n / 10 + 1 }));
    server.liveStream.note(channelRecord('b', { endedAtMs: START_MS + 5000, endReason: 'hangup' }));
    const changes = await find(isChange);
    await sleep(150);
    expect(messages.filter(isChange)).toEqual([changes]);
    expect(changes.type === 'changes' && changes.channels).toMatchObject([
      { uniqueid: 'a', mes: 3, ended_at: null },
      { uniqueid: 'b', ended_at: '2026-11-20T10:00:05.000Z' },
    ]);
  });

  it('tells of ratings and marks, behind the list, and of no more than fifty at once', async () => {
    server.liveStream.tell({ moment: { linkedid: '0.1', uniqueid: '0.1', atMs: START_MS } });
    const { messages, find } = await watch();
    const { find: findToo } = await watch();
    server.liveStream.tell({ moment: { linkedid: '1.1', uniqueid: '1.2', atMs: START_MS + 5000 } });
    for (let n = 1; n <= 60; n++) server.liveStream.tell({ rating: { ...RATING, id: `r${n}` } });
    const isLast = (message: Message): boolean => message.type === 'rating' && message.rating.id === 'r49';
    await find(isLast);
    await findToo(isLast);
    const told = messages.filter(({ type }) => type !== 'heartbeat');
    expect(told).toHaveLength(51);
    expect(told.slice(0, 3)).toMatchObject([
      { type: 'full' },
      { type: 'mark', at: '2026-11-20T10:00:05.000Z', linkedid: '1.1', uniqueid: '1.2' },
      {
        type: 'rating',
        at: '2026-11-20T10:01:00.000Z',
        rating: {
          id: 'r1',
          linkedid: '1.1',
          score: 2,
          issues: ['noise'],
          comment: '<b>',
          at: '2026-11-20T10:01:00.000Z',
        },
      },
    ]);
    expect(server.liveStream.counters.news_left_out).toBe(11);
    // What nobody watched is not told later.
    expect(JSON.stringify(messages)).not.toContain('"0.1"');
  });

  it('sends many channels in parts, and what changes meanwhile behind them', async () => {
    server.live = Array.from({ length: 250 }, (_, n) => channelRecord(`c${n}`));
    const { messages, find } = await watch();
    await find(({ type }) => type === 'full');
    server.liveStream.note(channelRecord('c249', { endedAtMs: START_MS + 1, endReason: 'hangup' }));
    await find((message) => message.type === 'changes' && message.channels[0]?.ended_at !== null);
    // A busy machine leaves gaps long enough for a heartbeat.
    const told = messages.filter(({ type }) => type !== 'heartbeat');
    expect(told.map(({ type }) => type)).toEqual(['full', 'changes', 'changes', 'changes']);
    expect(told.map((message) => uniqueids(message).length)).toEqual([100, 100, 50, 1]);
    expect(new Set(told.flatMap(uniqueids)).size).toBe(250);
  });

  it('tells every client the same, at most once a gap', async () => {
    const watchers = await Promise.all([watch(), watch(), watch()]);
    await Promise.all(watchers.map(({ find }) => find(({ type }) => type === 'full')));
    expect(server.liveStream.counters.clients).toBe(3);
    const startMs = performance.now();
    let n = 0;
    while (performance.now() < startMs + 500) {
      server.liveStream.note(channelRecord('a', { callerNumber: String(++n) }));
      await sleep(2);
    }
    const isLast = (message: Message): boolean =>
      message.type === 'changes' && message.channels[0]?.caller_number === String(n);
    await Promise.all(watchers.map(({ find }) => find(isLast)));
    const tookMs = performance.now() - startMs;
    const [first, ...others] = watchers.map(({ messages }) => messages.filter(isChange));
    expect(first?.length).toBeGreaterThanOrEqual(2);
    // The first goes out at once, each of the others a gap of 50 ms behind the one before.
    expect(first?.length).toBeLessThanOrEqual(1 + tookMs / 50);
    for (const other of others) expect(other).toEqual(first);
  });

  it('beats when there is nothing to say, and lets go of a client that leaves', async () => {
    const { socket, find } = await watch();
    expect(await find(({ type }) => type === 'heartbeat')).toEqual({
      type: 'heartbeat',
      at: '2026-11-20T11:00:00.000Z',
    });
    socket.close();
    await expect
      .poll(() => server.liveStream.counters)
      .toEqual({ clients: 0, dropped: 0, refused: 0, news_left_out: 0 });
  });

  it('gives the full list again to a client that fell behind, not the changes that it missed', async () => {
    // However long these megabytes take, in which the client answers no ping.
    server = await started(undefined, { silenceMs: 600_000 });
    const accepted: Socket[] = [];
    server.api.server.on('connection', (socket: Socket) => accepted.push(socket));
    const slow = await watch();
    const well = await watch();
    await Promise.all([slow, well].map(({ find }) => find(({ type }) => type === 'full')));
    const hasSaid = (name: string) => (message: Message) =>
      message.type === 'changes' && message.channels[0]?.caller_name?.startsWith(`${name} `) === true;
    slow.socket.pause();
    const large = 'x'.repeat(1_000_000);
    for (let n = 0; accepted.every(({ writableLength }) => writableLength === 0); n++) {
      server.liveStream.note(channelRecord('a', { callerName: `${n} ${large}` }));
      await well.find(hasSaid(String(n)));
    }
    // Between two looks at it, the client was passed by for certain.
    for (const name of ['missed', 'missed-too']) {
      server.liveStream.note(channelRecord('a', { callerName: `${name} ${large}` }));
      await well.find(hasSaid(name));
    }
    server.live = [channelRecord('now')];
    slow.socket.resume();
    const again = await slow.find((message) => message.type === 'full' && uniqueids(message)[0] === 'now');
    expect(uniqueids(again)).toEqual(['now']);
    // What fits into the system's socket buffers was sent; the rest was not kept.
    expect(slow.messages.some(hasSaid('0'))).toBe(true);
    expect(slow.messages.some(hasSaid('missed-too'))).toBe(false);
    expect(well.messages.filter(({ type }) => type === 'full')).toHaveLength(1);
    expect(server.liveStream.counters).toMatchObject({ clients: 2, dropped: 0 });
  });

  it('drops a client that does not read, and never waits for it', async () => {
    // So long that the well one answers in time on a busy machine too.
    server = await started(undefined, { silenceMs: 5000 });
    const dead = await watch();
    const well = await watch();
    dead.socket.pause();
    const large = 'x'.repeat(100_000);
    const tookMs: number[] = [];
    const untilMs = performance.now() + 60_000;
    while (server.liveStream.counters.dropped === 0 && performance.now() < untilMs) {
      const startedAtMs = performance.now();
      server.liveStream.note(channelRecord('a', { callerName: large }));
      tookMs.push(performance.now() - startedAtMs);
      await sleep(20);
    }
    // The usual one: a busy machine may hold up some, a client that does not read would hold up all.
    expect(tookMs.length).toBeGreaterThan(20);
    expect(tookMs.toSorted((one, other) => one - other)[tookMs.length >> 1]).toBeLessThan(20);
    await expect
      .poll(() => server.liveStream.counters)
      .toEqual({ clients: 1, dropped: 1, refused: 0, news_left_out: 0 });
    await expect.poll(() => well.messages.filter(isChange).length).toBeGreaterThan(20);
    dead.socket.terminate();
  });

  it('drops a client that answers pings and reads next to nothing', async () => {
    server.live = longList();
    const socket = await deaf();
    // A pong that nobody asked for, with a mask of zeros.
    const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
    const trickle = setInterval(() => {
      socket.write(pong);
      socket.read(1000);
    }, 100);
    await expect.poll(() => server.liveStream.counters.clients, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => server.liveStream.counters.dropped, { timeout: 10_000 }).toBe(1);
    clearInterval(trickle);
    expect(server.liveStream.counters.clients).toBe(0);
    socket.destroy();
  });

  it('takes no message, and no more clients than it can serve', async () => {
    const talkative = await watch();
    talkative.socket.send('{"type":"hello"}');
    await talkative.find(({ type }) => type === 'heartbeat');
    talkative.socket.send('x'.repeat(2000));
    const [code] = await once(talkative.socket, 'close');
    expect(code).toBe(1009);

    await Promise.all(Array.from({ length: 50 }, () => watch()));
    const { head, problem } = await refusal(server, '/v1/live/stream');
    expect(head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(problem.detail).toBe('50 clients watch already; close one of them');
    expect(server.liveStream.counters).toEqual({ clients: 50, dropped: 0, refused: 1, news_left_out: 0 });
  });

  it('says goodbye when the sidecar stops', async () => {
    const stopping = await startServer();
    const { socket } = await watch({ to: stopping });
    const [[code]] = await Promise.all([once(socket, 'close'), stopping.close()]);
    expect(code).toBe(1001);
  });
});

describe('a web socket that is not for this client', () => {
  it.each([
    ['/v1/live/stream?all=1', [], 400, 'unknown parameter "all"; this address takes none'],
    ['/v1/live/streams', [], 404, 'the only web socket is at /v1/live/stream'],
    [
      '/v1/live/stream',
      ['Origin: https://evil.example'],
      403,
      'a page of another site may not read this; open the dashboard of this server',
    ],
    [
      '/v1/live/stream',
      ['Origin: null'],
      403,
      'a page of another site may not read this; open the dashboard of this server',
    ],
  ])('such as %s with %j is refused with a problem document', async (path, headers, status, detail) => {
    const { head, problem } = await refusal(server, path, headers);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nContent-Type: application/problem\\+json\\r\\n`));
    expect(problem).toMatchObject({ status, detail });
  });

  it('is opened to a page of this very server', async () => {
    const { find } = await watch({ headers: { origin: `http://127.0.0.1:${server.port}` } });
    expect((await find(({ type }) => type === 'full')).type).toBe('full');
  });

  it('is told 426 when it did not ask for one, and other upgrades get their plain answer', async () => {
    const plain = await server.get('/v1/live/stream');
    expect(plain.headers.get('upgrade')).toBe('websocket');
    expect(PROBLEM.parse(plain.body)).toMatchObject({ status: 426 });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('needs the token, in a header or as a subprotocol, which is all that a page can set', async () => {
    const guarded = await started('open sesame/+ü');
    const wrong = Buffer.from('open').toString('base64url');
    for (const headers of [
      [],
      ['Authorization: Bearer wrong'],
      [`Sec-WebSocket-Protocol: bearer.${wrong}`],
      ['Sec-WebSocket-Protocol: bearer.'],
    ]) {
      const { head, problem } = await refusal(guarded, '/v1/live/stream', headers);
      expect(head).toContain('\r\nWWW-Authenticate: Bearer realm="asterisk-mes"');
      expect(problem.status).toBe(401);
    }
    const right = Buffer.from('open sesame/+ü').toString('base64url');
    const { socket, find } = await watch({ to: guarded, protocols: ['asterisk-mes', `bearer.${right}`] });
    expect(socket.protocol).toBe('asterisk-mes');
    expect((await find(({ type }) => type === 'full')).type).toBe('full');

    const simple = await started('simple');
    await watch({ to: simple, headers: { authorization: 'Bearer simple' } });
    expect(simple.liveStream.counters.clients).toBe(1);
  });
});
