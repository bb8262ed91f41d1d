import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DeliveryError } from '../../../src/alerts/delivery-error.ts';
import { Outbox, type Sender } from '../../../src/alerts/outbox.ts';
import { readShareToken, shareToken } from '../../../src/alerts/signing.ts';
import { post } from '../../../src/alerts/webhook.ts';
import type { AlertDelivery, AlertMessage, AlertWay } from '../../../src/model/alert.ts';

const START_MS = 1_795_168_800_000;
const SECRET = 'a-secret-of-sixteen';

function message(id: string, atMs = START_MS): AlertMessage {
  return { id, atMs, kind: 'alerts', subject: 's', text: 't', html: null, json: JSON.stringify({ id }) };
}

const delivery = (messageId: string, way: AlertWay = 'webhook'): AlertDelivery => ({
  messageId,
  way,
  attempts: 0,
  nextAtMs: START_MS,
});

function outboxOf(senders: Partial<Record<AlertWay, Sender>>) {
  const stored: string[] = [];
  const problems: string[] = [];
  const outbox = new Outbox({
    senders,
    onDelivered: async ({ messageId, way }) => void stored.push(`${messageId} ${way} sent`),
    onTryAgain: async ({ messageId, attempts, nextAtMs }) =>
      void stored.push(`${messageId} try ${attempts} at ${(nextAtMs - START_MS) / 1000}`),
    onProblem: (sentence) => problems.push(sentence),
  });
  const tick = async (afterS: number): Promise<void> => {
    outbox.tick(START_MS + afterS * 1000);
    for (let count = 0; count < 3; count++) await turn();
  };
  return { outbox, stored, problems, tick };
}

it('tries again ever more slowly while a way is away for an hour, and then sends all in order, once', async () => {
  const sent: string[] = [];
  let isAway = true;
  const { outbox, stored, problems, tick } = outboxOf({
    mail: async ({ id }) => {
      if (isAway) throw new Error('away');
      sent.push(id);
    },
  });
  outbox.add(message('m1'), delivery('m1', 'mail'));
  outbox.add(message('m2'), delivery('m2', 'mail'));
  outbox.add(message('m1'), delivery('m1', 'mail'));
  for (let second = 0; second < 3600; second += 5) await tick(second);
  expect(stored).toEqual([
    'm1 try 1 at 10',
    'm1 try 2 at 40',
    'm1 try 3 at 100',
    'm1 try 4 at 400',
    'm1 try 5 at 1000',
    'm1 try 6 at 2800',
    'm1 try 7 at 6400',
  ]);
  expect(problems[0]).toBe('away; trying again in 10 s');
  isAway = false;
  for (let second = 3600; second <= 6405; second += 5) await tick(second);
  expect(sent).toEqual(['m1', 'm2']);
  expect(stored.slice(-2)).toEqual(['m1 mail sent', 'm2 mail sent']);
  expect(outbox.counters).toEqual({ sent: 2, failed: 7, given_up: 0, waiting: 0 });
});

it('lets others pass a message that is refused for itself, and none where the way is out of order', async () => {
  const sent: string[] = [];
  const sender =
    (isRefused: boolean): Sender =>
    async ({ id }) => {
      if (id === 'm1') throw new DeliveryError('no', { isRefused });
      sent.push(id);
    };
  for (const isRefused of [true, false]) {
    sent.length = 0;
    const { outbox, stored, tick } = outboxOf({ webhook: sender(isRefused) });
    outbox.add(message('m1'), delivery('m1'));
    outbox.add(message('m2'), delivery('m2'));
    for (let second = 0; second <= 10; second += 1) await tick(second);
    outbox.add(message('m3'), delivery('m3'));
    for (let second = 11; second <= 20; second += 1) await tick(second);
    expect(sent).toEqual(isRefused ? ['m2', 'm3'] : []);
    // The refused one is tried again all the same.
    expect(stored.filter((line) => line.startsWith('m1'))).toEqual(['m1 try 1 at 10', 'm1 try 2 at 40']);
  }
});

it('holds up no way by another, and sends what is stored for a way that is gone nowhere', async () => {
  const sent: string[] = [];
  const { outbox, tick } = outboxOf({
    mail: () => new Promise(() => {}),
    webhook: async ({ id }) => void sent.push(id),
  });
  outbox.add(message('m1'), delivery('m1', 'mail'));
  outbox.add(message('m1'), delivery('m1'));
  outbox.add(message('m2'), delivery('m2', 'ami'));
  await tick(0);
  await tick(1);
  expect(sent).toEqual(['m1']);
  expect(outbox.counters.waiting).toBe(1);
});

it('gives up after a week, and says so', async () => {
  const { outbox, problems, tick } = outboxOf({
    webhook: async () => {
      throw new Error('away');
    },
  });
  outbox.add(message('m1'), delivery('m1'));
  for (let hour = 0; hour < 24 * 7; hour++) await tick(hour * 3600);
  expect(outbox.counters).toMatchObject({ waiting: 1, given_up: 0 });
  for (let hour = 24 * 7; hour < 24 * 7 + 3; hour++) await tick(hour * 3600);
  expect(outbox.counters).toMatchObject({ waiting: 0, given_up: 1 });
  expect(problems.at(-1)).toMatch(/given up after a week$/);
});

it('posts JSON that its receiver can tell to be ours, and takes only 2xx for an answer', async () => {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 500;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`;
  await expect(post(message('m1'), { url, secret: SECRET }, START_MS)).rejects.toThrow(
    /^the webhook at 127\.0\.0\.1:\d+ answered 500$/,
  );
  status = 307;
  await expect(post(message('m1'), { url, secret: SECRET }, START_MS)).rejects.toThrow(/answered 307$/);
  status = 204;
  await post(message('m1'), { url, secret: SECRET }, START_MS + 5000);
  await post(message('m1'), { url, secret: null }, START_MS + 5000);
  server.close();
  const [, , signed, unsigned] = seen;
  expect(signed?.body).toBe('{"id":"m1"}');
  expect(signed?.headers).toMatchObject({
    'webhook-id': 'm1',
    'webhook-timestamp': '1795168805',
    'content-type': 'application/json',
  });
  const expected = createHmac('sha256', SECRET).update('m1.1795168805.{"id":"m1"}').digest('base64');
  expect(signed?.headers['webhook-signature']).toBe(`v1,${expected}`);
  expect(unsigned?.headers).not.toHaveProperty('webhook-signature');
  await expect(post(message('m1'), { url, secret: SECRET }, START_MS)).rejects.toThrow(
    /^the webhook at 127\.0\.0\.1:\d+ cannot be reached \(.+\)$/,
  );
});

it('shares one thing until it expires, and nothing that was changed', () => {
  const shared = { kind: 'call', id: '1795168800.7', share: 'a1', expiresAtMs: START_MS + 1000 } as const;
  const token = shareToken(shared, SECRET);
  expect(readShareToken(token, SECRET, START_MS + 999)).toEqual(shared);
  expect(readShareToken(token, SECRET, START_MS + 1000)).toBeUndefined();
  expect(readShareToken(token, 'another-key-of-16', START_MS)).toBeUndefined();
  const [content = '', mac = ''] = token.split('.');
  const other = Buffer.from(JSON.stringify(['call', '1795168800.8', START_MS])).toString('base64url');
  for (const wrong of [
    `${other}.${mac}`,
    `${content}.`,
    content,
    '',
    '.',
    `${content}.${mac.slice(0, -2)}`,
    `${token}=`,
    // The last of 22 digits has four bits that mean nothing.
    ...['A', 'B', 'C', 'D', 'Q', 'R', 'g', 'h', 'w', 'x', '0', '_']
      .filter((digit) => !token.endsWith(digit))
      .map((digit) => token.slice(0, -1) + digit),
    'x'.repeat(700),
  ]) {
    expect(readShareToken(wrong, SECRET, START_MS)).toBeUndefined();
  }
});
