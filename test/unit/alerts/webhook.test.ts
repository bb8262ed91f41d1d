import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { post } from '../../../src/alerts/webhook.ts';
import type { AlertMessage } from '../../../src/model/alert.ts';

const START_MS = 1_795_168_800_000;
const TIMEOUT_MS = 400;
const MESSAGE: AlertMessage = {
  id: 'm1',
  atMs: START_MS,
  kind: 'alerts',
  subject: 's',
  text: 't',
  html: null,
  json: '{"id":"m1"}',
};

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

/** A receiver that says what it likes as soon as somebody posts; how often anybody came, and whether the last one went. */
async function receiver(say: (socket: Socket) => void) {
  const state = { came: 0, gone: 0 };
  const server = createServer((socket) => {
    state.came++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => state.gone++);
    socket.once('data', () => say(socket));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { port, url: `http://127.0.0.1:${port}/secret-path?token=of-the-receiver` });
}

/** `timeoutMs`: long enough for a busy machine, where it is not the time that is looked at. */
const send = (url: string, timeoutMs = 20_000): Promise<void> =>
  post(MESSAGE, { url, secret: null, timeoutMs }, START_MS);

it('waits for no receiver that says nothing, or says it ever so slowly', async () => {
  const silent = await receiver(() => undefined);
  await expect(send(silent.url, TIMEOUT_MS)).rejects.toThrow(
    /^the webhook at 127\.0\.0\.1:\d+ cannot be reached \(.*timeout/,
  );
  const dripping = await receiver((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const drip = setInterval(() => socket.write('X-A: b\r\n'), 50);
    socket.on('close', () => clearInterval(drip));
  });
  await expect(send(dripping.url, TIMEOUT_MS)).rejects.toThrow(/cannot be reached \(.*timeout/);
  await expect.poll(() => dripping.gone).toBeGreaterThanOrEqual(1);
});

it('takes a 2xx for taken, and reads none of an endless answer', async () => {
  let wanted = 0;
  const endless = await receiver((socket) => {
    socket.write('HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n');
    const block = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const pour = (): void => {
      while (!socket.destroyed && socket.write(block)) wanted += block.length;
    };
    socket.on('drain', pour);
    pour();
  });
  await expect(send(endless.url)).resolves.toBeUndefined();
  await expect.poll(() => endless.gone).toBeGreaterThan(0);
  // What the sockets' buffers took.
  expect(wanted).toBeLessThan(20_000_000);
});

it('follows no receiver elsewhere, and refuses one that speaks no HTTP or says too much at once', async () => {
  const elsewhere = await receiver((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  for (const status of [301, 302, 303, 307, 308]) {
    const away = await receiver((socket) =>
      socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${elsewhere.url}\r\nContent-Length: 0\r\n\r\n`),
    );
    await expect(send(away.url)).rejects.toThrow(new RegExp(`answered ${status}$`));
  }
  expect(elsewhere.came).toBe(0);
  const babbling = await receiver((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
  await expect(send(babbling.url)).rejects.toThrow(/cannot be reached/);
  const loud = await receiver((socket) => socket.end(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(1_000_000)}\r\n\r\n`));
  await expect(send(loud.url)).rejects.toThrow(/cannot be reached/);
});

it('never says the address, which may be a secret, and knows a refusal of the message from one of the sender', async () => {
  const answering = (status: number) =>
    receiver((socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`));
  for (const [status, isRefused] of [
    [400, true],
    [413, true],
    [422, true],
    [401, false],
    [404, false],
    [429, false],
    [500, false],
    [503, false],
  ] as const) {
    const { url } = await answering(status);
    const sent = send(url);
    await expect(sent).rejects.toMatchObject({ isRefused });
    await expect(sent).rejects.not.toThrow(/secret-path|of-the-receiver/);
  }
});
