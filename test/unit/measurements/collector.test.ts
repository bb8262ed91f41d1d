import { generateKeyPairSync, verify } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgeWriter } from '../../../src/measurements/age-writer.ts';
import { buildCollector, type CollectorOptions, isWellFormed } from '../../../src/measurements/collector/server.ts';
import { DirectoryStore } from '../../../src/measurements/collector/store.ts';
import { framed } from '../../../src/measurements/format/segments.ts';
import { newKeys, temporaryFolder } from './spooled.ts';

function collector(part: Partial<CollectorOptions> = {}) {
  const folder = temporaryFolder();
  const problems: string[] = [];
  const app = buildCollector({
    store: new DirectoryStore(folder),
    recipients: 1,
    perMinute: 1000,
    questions: null,
    tls: null,
    onProblem: (sentence) => problems.push(sentence),
    ...part,
  });
  onTestFinished(() => app.close());
  const post = (body: Buffer, remoteAddress = '192.0.2.7') =>
    app.inject({
      method: 'POST',
      url: '/v1/measurements',
      headers: { 'content-type': 'application/octet-stream' },
      payload: body,
      remoteAddress,
    });
  return { app, folder, problems, post };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
}

async function sealed(many = 1): Promise<Buffer> {
  const keys = await Promise.all(Array.from({ length: many }, newKeys));
  return new AgeWriter(keys.map(({ recipient }) => recipient)).newFile().encrypt(Buffer.from('words'));
}

describe('the collection server', () => {
  it('stores what it cannot read under the date and a random name, and no time of day', async () => {
    const { folder, post, app } = collector();
    const file = await sealed();
    const live = Buffer.concat([framed(file), framed(file)]);
    expect((await post(file)).statusCode).toBe(204);
    expect((await post(live)).statusCode).toBe(204);
    const names = filesIn(folder);
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(name).toMatch(/^\d{4}-\d\d-\d\d\/[0-9a-f]{32}\.age$/);
      expect(statSync(join(folder, name)).mtime.toISOString()).toMatch(/T00:00:00\.000Z$/);
    }
    expect(names.map((name) => readFileSync(join(folder, name)).length).sort((a, b) => a - b)).toEqual([
      file.length,
      live.length,
    ]);
    expect((await app.inject('/metrics')).body).toContain('asterisk_mes_collector_files_total{outcome="stored"} 2');
  });

  it('refuses by size and form, and stores none of it', async () => {
    const { folder, post, app } = collector();
    const file = await sealed();
    const refused: readonly (readonly [Buffer, number])[] = [
      [Buffer.alloc(0), 400],
      [Buffer.from('{"caller": "100"}'), 400],
      [await sealed(2), 400],
      [Buffer.concat([framed(file), framed(file).subarray(0, 50)]), 400],
      [Buffer.alloc(70_000), 413],
    ];
    for (const [body, status] of refused) expect((await post(body)).statusCode).toBe(status);
    const json = await app.inject({ method: 'POST', url: '/v1/measurements', payload: { caller: '100' } });
    expect(json.statusCode).toBe(400);
    expect(filesIn(folder)).toEqual([]);
    expect(isWellFormed(await sealed(2), 2)).toBe(true);
  });

  it('lets one address send so many a minute, a /64 of IPv6 being one, and others go on', async () => {
    const { post } = collector({ perMinute: 2 });
    const file = await sealed();
    const statuses: number[] = [];
    for (const address of [
      '192.0.2.7',
      '192.0.2.7',
      '192.0.2.7',
      '192.0.2.8',
      '2001:db8:1:2::1',
      '2001:db8:1:2::2',
      '2001:db8:1:2:ffff::3',
      '2001:db8:1:3::1',
    ]) {
      statuses.push((await post(file, address)).statusCode);
    }
    expect(statuses).toEqual([204, 204, 429, 204, 204, 204, 429, 204]);
    expect(Number((await post(file, '192.0.2.7')).headers['retry-after'])).toBeGreaterThan(0);
  });

  it('says 503 while its store fails, with when to come back, and is well again afterwards', async () => {
    const folder = temporaryFolder();
    const real = new DirectoryStore(folder);
    let isFull = true;
    const store = {
      put: (key: string, bytes: Uint8Array) =>
        isFull ? Promise.reject(new Error('no space left')) : real.put(key, bytes),
      list: () => real.list(),
      get: (key: string) => real.get(key),
      remove: (key: string) => real.remove(key),
    };
    const { post, app, problems } = collector({ store });
    const refused = await post(await sealed());
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '300']);
    expect((await app.inject('/healthz')).statusCode).toBe(503);
    isFull = false;
    expect((await post(await sealed())).statusCode).toBe(204);
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect(problems).toEqual(['cannot store: no space left']);
  });

  it('takes deletion requests by token alone', async () => {
    const { app, folder } = collector();
    const ask = (payload: object) => app.inject({ method: 'POST', url: '/v1/deletions', payload });
    expect((await ask({ token: '0'.repeat(32) })).statusCode).toBe(204);
    expect((await ask({ token: '../../etc/passwd' })).statusCode).toBe(400);
    expect((await ask({})).statusCode).toBe(400);
    const [name = '', ...others] = filesIn(folder);
    expect(others).toEqual([]);
    expect(name).toMatch(/^\d{4}-\d\d-\d\d\/[0-9a-f]{32}\.token$/);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('0'.repeat(32));
  });

  it('signs the questions that it publishes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const text = '[{"id":"was_it_late","version":3}]';
    const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { app } = collector({ questions: { text, signingKey } });
    const { signed, signature } = (await app.inject('/v1/questions')).json<{ signed: string; signature: string }>();
    expect(signed).toBe(text);
    expect(verify(null, Buffer.from(signed), publicKey, Buffer.from(signature, 'base64'))).toBe(true);
    expect(verify(null, Buffer.from(`${signed} `), publicKey, Buffer.from(signature, 'base64'))).toBe(false);
    expect((await collector().app.inject('/v1/questions')).statusCode).toBe(404);
  });
});
