import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { LIVE_ANSWER, LIVE_SUMMARY_ANSWER } from '../../../src/api/answers/answers.ts';
import { channelRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const CROWD = fileURLToPath(new URL('../../lab/crowd.ts', import.meta.url));
const CHANNELS = 2000;

let server: TestServer;
afterEach(async () => {
  await server.close();
});

function manyChannels(): ReturnType<typeof channelRecord>[] {
  return Array.from({ length: CHANNELS }, (_, n) =>
    channelRecord(`1795168800.${n}`, {
      endpoint: `PJSIP/${n % 7}`,
      mes: n % 10 === 0 ? null : 1 + (n % 8) / 4,
      verdict: n % 2 === 0 ? 'good' : 'bad',
    }),
  );
}

/** How long one turn of the event loop takes, in processor time of this thread: what a hang-up would wait for. */
class Holds {
  longestMs = 0;
  turns = 0;
  #before = process.threadCpuUsage();
  #isOver = false;

  constructor() {
    const turn = (): void => {
      const { user, system } = process.threadCpuUsage(this.#before);
      this.#before = process.threadCpuUsage();
      this.longestMs = Math.max(this.longestMs, (user + system) / 1000);
      this.turns++;
      if (!this.#isOver) setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): void {
    this.#isOver = true;
  }
}

async function opened(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: server.port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('a crowd', () => {
  it('never holds the event loop for 50 ms, and others get their answers', async () => {
    server = await startServer();
    server.live = manyChannels();
    // Made once, and compiled by then.
    await server.get('/v1/live');
    const alone = new Holds();
    await sleep(300);
    alone.stop();
    const holds = new Holds();
    const crowd = promisify(execFile)(process.execPath, [CROWD, `127.0.0.1:${server.port}`, '4']);
    await sleep(1000);
    const { status } = await server.get('/healthz');
    const { stdout } = await crowd;
    holds.stop();
    expect(status).toBe(200);
    expect(Number(stdout)).toBeGreaterThan(0);
    // What the same loop takes when nobody asks is the machine's and the test's own.
    expect(holds.turns).toBeGreaterThan(100);
    expect(holds.longestMs - alone.longestMs).toBeLessThan(50);
    expect(holds.longestMs).toBeGreaterThan(0);
  });

  it('that does not read is dropped, and its memory with it', async () => {
    server = await startServer({ unreadMs: 300 });
    // More than the system keeps for a connection.
    server.live = manyChannels().map((channel) => ({ ...channel, callerName: 'x'.repeat(8000) }));
    const sockets = await Promise.all(Array.from({ length: 10 }, () => opened()));
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) {
      socket.pause();
      socket.write('GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    }
    await expect.poll(async () => connections(), { timeout: 20_000 }).toBe(10);
    await expect.poll(async () => connections(), { timeout: 20_000 }).toBe(0);
    for (const socket of sockets) socket.resume();
    await Promise.all(closed);
  });

  it('that asks again before it has its answer is closed after the first, and one that does not is not', async () => {
    server = await startServer();
    const patient = await opened();
    let answers = '';
    patient.on('data', (bytes: Buffer) => (answers += bytes.toString()));
    const ask = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    for (let n = 1; n <= 3; n++) {
      patient.write(ask);
      await expect.poll(() => answers.split('HTTP/1.1 200').length - 1).toBe(n);
    }
    const hasty = await opened();
    const closed = once(hasty, 'close');
    hasty.resume();
    hasty.write(ask.repeat(20));
    await closed;
    expect(patient.destroyed).toBe(false);
    patient.destroy();
  });

  it('of connections that are never closed by the other side does not shut REST for good', async () => {
    server = await startServer();
    const stubborn = connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
    stubborn.on('error', () => {});
    await once(stubborn, 'connect');
    stubborn.resume();
    stubborn.write('HELLO\r\n\r\n');
    await expect.poll(() => connections(), { timeout: 15_000 }).toBe(0);
    stubborn.destroy();
  });
});

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.api.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

describe('the list of channels that are up', () => {
  it('is told by endpoint, verdict and score, the worst first, some of them, and in short', async () => {
    server = await startServer();
    server.live = manyChannels();
    const whole = LIVE_ANSWER.parse((await server.get('/v1/live')).body);
    expect(whole.channels).toHaveLength(CHANNELS);
    expect(whole.matching).toBeUndefined();
    const bad = LIVE_ANSWER.parse((await server.get('/v1/live?verdict=bad&endpoint=PJSIP/3&limit=10')).body);
    // Every second of every seventh: 3, 17, 31, …
    expect(bad.matching).toBe(Math.ceil((CHANNELS - 3) / 14));
    expect(bad.channels.map(({ uniqueid }) => Number(uniqueid.split('.')[1]))).toEqual(
      Array.from({ length: 10 }, (_, n) => 3 + 14 * n),
    );
    const worst = LIVE_SUMMARY_ANSWER.parse((await server.get('/v1/live?fields=summary&sort=mes&limit=300')).body);
    expect(worst.channels).toHaveLength(300);
    expect(new Set(worst.channels.map(({ mes }) => mes))).toEqual(new Set([1, 1.25]));
    expect(worst.channels[0]).not.toHaveProperty('streams');
    const scored = LIVE_ANSWER.parse((await server.get('/v1/live?min_mes=2.5&max_mes=2.5')).body);
    expect(scored.channels.length).toBeGreaterThan(100);
    expect(scored.channels.every(({ mes }) => mes === 2.5)).toBe(true);
    expect((await server.get('/v1/live?limit=0')).status).toBe(400);
    expect((await server.get('/v1/live?sort=best')).status).toBe(400);
  });

  it('comes compressed to who takes that, and says the same', async () => {
    server = await startServer();
    server.live = manyChannels();
    const ask = async (coding: string): Promise<{ encoding: string | null; bytes: number; text: string }> => {
      const answer = await server.api.inject({ url: '/v1/live', headers: { 'accept-encoding': coding } });
      const encoding = answer.headers['content-encoding'];
      expect(answer.headers['vary']).toBe('accept-encoding');
      const { gunzipSync } = process.getBuiltinModule('node:zlib');
      const text = (encoding === undefined ? answer.rawPayload : gunzipSync(answer.rawPayload)).toString();
      return { encoding: encoding ?? null, bytes: answer.rawPayload.length, text };
    };
    const plain = await ask('identity');
    const small = await ask('br, gzip');
    expect([plain.encoding, small.encoding]).toEqual([null, 'gzip']);
    expect(small.text).toBe(plain.text);
    expect(small.bytes).toBeLessThan(plain.bytes / 10);
  });
});
