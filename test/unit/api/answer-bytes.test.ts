import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AnswerBytes } from '../../../src/api/gate/answer-bytes.ts';
import { LIVE_ANSWER } from '../../../src/api/answers/answers.ts';
import { channelRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const MB = 1024 * 1024;
/** What there may be before questions are refused, and at most: README. */
const [ADMITTING, ADMITTING_SHORT, MOST] = [24 * MB, 40 * MB, 48 * MB];

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe('the bytes of answers', () => {
  it('of one block of memory count once, however many get it, and until the last has it', () => {
    const bytes = new AnswerBytes();
    const block = Buffer.allocUnsafeSlow(10 * MB);
    const [one, other] = [bytes.hold(), bytes.hold()];
    one.add(block.subarray(0, 100));
    one.add(block.subarray(200, 300));
    other.add(block.subarray(0, MB));
    expect(bytes.counters.answer_bytes).toBe(10 * MB);
    one.end();
    expect(bytes.counters.answer_bytes).toBe(10 * MB);
    other.end();
    expect(bytes.counters.answer_bytes).toBe(0);
    // What is made for a client that has gone is nobody's.
    one.add(block);
    one.reserve(MB);
    expect(bytes.counters.answer_bytes).toBe(0);
  });

  it('are bounded: who asks for more is refused, and what was made of it given back', () => {
    const bytes = new AnswerBytes();
    const held = bytes.hold();
    held.add(Buffer.allocUnsafeSlow(ADMITTING));
    held.admit();
    held.reserve(ADMITTING_SHORT - ADMITTING + 1);
    expect(() => bytes.hold().admit()).toThrow(expect.objectContaining({ status: 503 }));
    held.reserve(ADMITTING - ADMITTING_SHORT);
    const long = bytes.hold();
    expect(() => {
      for (let n = 0; n < 100; n++) long.add(Buffer.allocUnsafeSlow(MB));
    }).toThrow(expect.objectContaining({ code: 'MES_ERR_TOO_MANY_ANSWERS' }));
    expect(bytes.counters.answer_bytes).toBeGreaterThan(MOST);
    expect(bytes.counters.answer_bytes).toBeLessThanOrEqual(MOST + MB + 1);
    expect(bytes.counters.answers_refused).toBe(2);
    long.end();
    held.end();
    bytes.hold().admit();
    expect(bytes.counters.answer_bytes).toBe(0);
  });

  it('leave room for short ones, whatever a long one that is read slowly takes', () => {
    const bytes = new AnswerBytes();
    const slow = bytes.hold();
    slow.admit();
    slow.add(Buffer.allocUnsafeSlow(33 * MB));
    const short = bytes.hold();
    short.admit();
    short.add(Buffer.allocUnsafeSlow(MB));
    // It is sent compressed, in place of what was made first.
    short.release();
    short.add(Buffer.allocUnsafeSlow(MB));
    expect(() => short.add(Buffer.allocUnsafeSlow(1))).toThrow(
      expect.objectContaining({ code: 'MES_ERR_TOO_MANY_ANSWERS' }),
    );
    short.end();
    const crowd = Array.from({ length: 12 }, () => bytes.hold());
    const taken = crowd.filter((one) => {
      try {
        one.admit();
      } catch {
        return false;
      }
      one.add(Buffer.allocUnsafeSlow(MB));
      return true;
    });
    expect(taken).toHaveLength(8);
    expect(bytes.counters.answer_bytes).toBe(41 * MB);
    for (const one of [slow, ...crowd]) one.end();
    expect(bytes.counters.answer_bytes).toBe(0);
  });

  it('make room by cutting off who does not read before anybody is refused', () => {
    const bytes = new AnswerBytes();
    const held = [1, 2, 3].map(() => bytes.hold());
    bytes.onTooMuch((isEnough) => {
      while (!isEnough()) held.shift()?.end();
    });
    for (const one of held) one.add(Buffer.allocUnsafeSlow(10 * MB));
    expect(held).toHaveLength(3);
    bytes.hold().admit();
    expect(held).toHaveLength(2);
    expect(bytes.counters).toEqual({ answer_bytes: 20 * MB, answers_refused: 0, answers_dropped: 0 });
  });
});

async function asking(path: string, port: number, headers = ''): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
  return socket;
}

describe('a server with too much that is not read', () => {
  it('refuses what costs memory with one sentence and a time to wait, and answers the rest', async () => {
    const answers = new AnswerBytes();
    server = await startServer({ answers });
    const held = answers.hold();
    held.add(Buffer.allocUnsafeSlow(ADMITTING_SHORT + 1));
    for (const path of ['/v1/live', '/v1/calls', '/metrics', '/openapi.json']) {
      const { status, headers, body } = await server.get(path);
      expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '1']);
      expect(body).toMatchObject({ code: 'MES_ERR_TOO_MANY_ANSWERS', status: 503 });
    }
    expect((await server.get('/healthz')).status).toBe(200);
    held.end();
    const { status, headers } = await server.get('/v1/live');
    expect([status, headers.get('retry-after')]).toEqual([200, null]);
    expect(answers.counters.answers_refused).toBe(4);
    expect(answers.counters.answer_bytes).toBe(0);
  });

  it('counts an answer while it is unread, and no longer than until its client is cut off', async () => {
    const answers = new AnswerBytes();
    server = await startServer({ answers, unreadMs: 300 });
    // More than the system keeps for a connection.
    server.live = Array.from({ length: 2000 }, (_, n) =>
      channelRecord(`1795168800.${n}`, { callerName: 'x'.repeat(8000) }),
    );
    const sockets = await Promise.all(['', '', ''].map(() => asking('/v1/live', server?.port ?? 0)));
    await expect.poll(() => answers.counters.answer_bytes, { timeout: 20_000 }).toBeGreaterThan(16 * MB);
    // The three share one list.
    expect(answers.counters.answer_bytes).toBeLessThan(MOST);
    await expect
      .poll(() => answers.counters, { timeout: 20_000 })
      .toMatchObject({ answer_bytes: 0, answers_dropped: 3 });
    for (const socket of sockets) socket.destroy();
    const { body } = await server.get('/v1/live?limit=3&sort=mes');
    expect(LIVE_ANSWER.parse(body).channels).toHaveLength(3);
  });

  it('answers short questions beside one that reads a long answer slowly', async () => {
    const answers = new AnswerBytes();
    server = await startServer({ answers });
    // As long as the list of 10,000 legs, which nobody has asked for before.
    server.live = Array.from({ length: 2000 }, (_, n) =>
      channelRecord(`1795168800.${n}`, { callerName: 'x'.repeat(16_000) }),
    );
    const plain = { 'accept-encoding': 'identity' };
    const whole = await server.get('/v1/live', plain);
    expect([whole.status, Number(whole.headers.get('content-length')) > ADMITTING]).toEqual([200, true]);
    const slow = answers.hold();
    slow.add(Buffer.allocUnsafeSlow(33 * MB));
    for (const path of ['/v1/live?limit=3', '/v1/calls', '/metrics', '/openapi.json', '/v1/live?limit=10&sort=mes'])
      expect([path, (await server.get(path, plain)).status]).toEqual([path, 200]);
    expect((await server.get('/v1/live?limit=300', plain)).status).toBe(503);
    slow.end();
    expect((await server.get('/v1/live?limit=300', plain)).status).toBe(200);
    expect(answers.counters).toEqual({ answer_bytes: 0, answers_refused: 1, answers_dropped: 0 });
  });
});
