import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Spool } from '../../../src/measurements/spool.ts';
import { Uploader } from '../../../src/measurements/uploader.ts';
import { temporaryFolder } from './spooled.ts';

interface Taken {
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** A collector that answers as it is told, and what came in. */
async function collector(answer: (response: ServerResponse, index: number) => void) {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      taken.push({ url: request.url ?? '', body: Buffer.concat(parts).toString(), headers: request.headers });
      answer(response, taken.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { taken, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function uploaderFor(url: string, files: readonly string[], haste = 200, uploadTo: string | null = null) {
  const spool = new Spool(temporaryFolder(), 1_000_000);
  await spool.open();
  for (const file of files) await spool.finish(file, Buffer.from(`bytes of ${file}`));
  const states: (string | null)[] = [];
  const uploader = new Uploader({
    spool,
    collector: url,
    uploadTo,
    random: () => 0.5,
    onState: (problem) => states.push(problem),
    haste,
  });
  onTestFinished(() => uploader.stop());
  uploader.start();
  return { spool, uploader, states };
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end();

describe('the uploader', () => {
  it('sends each file once, keeps it until it is acknowledged, and tells nothing of whose it is', async () => {
    const { taken, url } = await collector(status(204));
    const { spool, uploader } = await uploaderFor(url, ['a', 'b', 'c']);
    await vi.waitFor(() => expect(uploader.counters.sent).toBe(3), 5000);
    expect(taken.map(({ body }) => body).sort()).toEqual(['bytes of a', 'bytes of b', 'bytes of c']);
    expect(new Set(taken.map((one) => one.url))).toEqual(new Set(['/v1/measurements']));
    expect(Object.keys(taken[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'connection',
      'content-length',
      'content-type',
      'host',
      'sec-fetch-mode',
      'user-agent',
    ]);
    await vi.waitFor(() => expect(spool.counters.waiting_files).toBe(0), 30_000);
  });

  it.each([
    ['is full', 503],
    ['has enough', 429],
    ['fails', 500],
    ['is not there', 404],
    ['sends elsewhere', 302],
    ['says that it is done and is not', 200],
  ])('keeps everything when the collector %s, and tries again', async (_, code) => {
    const { taken, url } = await collector((response, index) =>
      index < 2 ? status(code, { location: 'http://127.0.0.1:1/' })(response) : status(204)(response),
    );
    const { uploader, spool, states } = await uploaderFor(url, ['a'], 2000);
    await vi.waitFor(() => expect(uploader.counters).toEqual({ sent: 1, refused: 0, failed_attempts: 2 }), 5000);
    expect(taken.map(({ body }) => body)).toEqual(['bytes of a', 'bytes of a', 'bytes of a']);
    expect(states).toEqual([expect.stringContaining(url), null]);
    await vi.waitFor(() => expect(spool.counters.waiting_files).toBe(0), 30_000);
  });

  it('waits as long as Retry-After says', async () => {
    const { taken, url } = await collector(status(429, { 'retry-after': '600' }));
    // 600 s are 3 s here, the usual back-off 25 ms.
    const { uploader } = await uploaderFor(url, ['a'], 200);
    await vi.waitFor(() => expect(uploader.counters.failed_attempts).toBe(1), 30_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(taken).toHaveLength(1);
  });

  it('gives up a file that is refused for good, but not all of them', async () => {
    const { url } = await collector(status(400));
    const { uploader, spool } = await uploaderFor(url, ['a', 'b', 'c', 'd', 'e'], 1000);
    await vi.waitFor(() => expect(uploader.counters.failed_attempts).toBeGreaterThan(1), 30_000);
    expect(uploader.counters.refused).toBe(3);
    expect(spool.counters.waiting_files).toBe(2);
  });

  it('is stopped at once while a collector does not answer, and has lost nothing', async () => {
    const { taken, url } = await collector(() => undefined);
    const { uploader, spool } = await uploaderFor(url, ['a']);
    await vi.waitFor(() => expect(taken).toHaveLength(1), 30_000);
    const began = performance.now();
    await uploader.stop();
    expect(performance.now() - began).toBeLessThan(5000);
    expect(spool.counters.waiting_files).toBe(1);
  });

  it('puts a file where the collector signs an address, with what is signed, and nowhere else', async () => {
    const store = await collector(status(200));
    const elsewhere = await collector(status(200));
    const answers: unknown[] = [
      { url: `${elsewhere.url}/bucket/a?X-Amz-Signature=1`, headers: {} },
      { url: store.url.replace('http://', 'http://user:password@'), headers: {} },
      { url: 'file:///etc/passwd' },
      'no object',
      {
        url: `${store.url}/bucket/a?X-Amz-Signature=2`,
        headers: { 'x-amz-a': 'b', host: 'evil', cookie: 'c', 'x-amz-b': 'c\r\nd: e' },
      },
    ];
    const asked = await collector((response, index) =>
      response.writeHead(200).end(JSON.stringify(answers[index] ?? answers.at(-1))),
    );
    const { uploader, states } = await uploaderFor(asked.url, ['a'], 5000, store.url);
    await vi.waitFor(() => expect(uploader.counters.sent).toBe(1), 8000);
    expect(uploader.counters.failed_attempts).toBe(4);
    expect(elsewhere.taken).toEqual([]);
    expect(states[0]).toBe(`${asked.url} signed no address at ${store.url}; nothing was sent there`);
    expect(store.taken.map(({ url, body }) => [url, body])).toEqual([['/bucket/a?X-Amz-Signature=2', 'bytes of a']]);
    const headers = store.taken[0]?.headers ?? {};
    expect(headers).toMatchObject({ 'x-amz-a': 'b', 'content-length': '10' });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['cookie']));
    expect(headers).not.toHaveProperty('x-amz-b');
    expect(headers.host).toBe(new URL(store.url).host);
    // The collector learns the size and the hash, and none of the bytes.
    const wanted = JSON.parse(asked.taken[0]?.body ?? '') as object;
    expect(wanted).toEqual({ bytes: 10, sha256: createHash('sha256').update('bytes of a').digest('hex') });
    expect(asked.taken.map(({ url }) => url)).toEqual(Array.from({ length: 5 }, () => '/v1/uploads'));
  });

  it('keeps what it has while a collector signs nothing, or answers without an end', async () => {
    const store = await collector(status(200));
    const without = await collector(status(404));
    const { uploader, spool, states } = await uploaderFor(without.url, ['a'], 5000, store.url);
    await vi.waitFor(() => expect(uploader.counters.failed_attempts).toBeGreaterThan(1), 5000);
    expect(states[0]).toContain('signs no addresses');
    const endless = await collector((response) => {
      response.writeHead(200);
      const pour = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(pour));
    });
    const other = await uploaderFor(endless.url, ['a'], 5000, store.url);
    await vi.waitFor(() => expect(other.uploader.counters.failed_attempts).toBeGreaterThan(1), 5000);
    expect([spool.counters.waiting_files, other.spool.counters.waiting_files]).toEqual([1, 1]);
    expect(store.taken).toEqual([]);
  });
});
