import { createHash } from 'node:crypto';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSidecarFor, withSimulator } from '../bench/simulated-pbx.ts';
import { S3Server } from '../lab/s3-server.ts';
import { asteriskMes } from '../unit/cli/command.ts';
import { channelRecord } from '../unit/history/records.ts';
import { legOf } from '../unit/measurements/documents.ts';

const ENTRY = join(import.meta.dirname, '../../src/asterisk-mes.js');

let folder = '';
let keyFile = '';
let recipient = '';
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-collect-'));
  keyFile = join(folder, 'key.txt');
  execFileSync('age-keygen', ['-o', keyFile], { stdio: 'pipe' });
  recipient = execFileSync('age-keygen', ['-y', keyFile]).toString().trim();
});
afterAll(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** `asterisk-mes collect` with these lines; resolves with its address. */
async function collector(name: string, lines: string): Promise<string> {
  const config = join(folder, `${name}.conf`);
  writeFileSync(config, `[collector]\nbind = 127.0.0.1:0\n${lines}`);
  const child = spawn(process.execPath, [ENTRY, 'collect', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  for (let tries = 0; tries < 150; tries += 1) {
    const address = /on (https?:\/\/\S+)/.exec(said)?.[1];
    if (address !== undefined) return address;
    await sleep(100);
  }
  throw new Error(`no collection server: ${said}`);
}

/** As somebody writes one who has age and gzip, and nothing of ours. */
function byAge(document: object): Buffer {
  return execFileSync('age', ['--encrypt', '--recipient', recipient], { input: gzipSync(JSON.stringify(document)) });
}

async function send(address: string, body: Uint8Array): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream' };
  return (await fetch(`${address}/v1/measurements`, { method: 'POST', headers, body: new Uint8Array(body) })).status;
}

const LEG = legOf(channelRecord('1.1'));

describe.concurrent('from a PBX to a study', () => {
  it('calls go through a collection server that cannot read them, are opened, and are taken back', async () => {
    const store = join(folder, 'store');
    const spool = join(folder, 'spool');
    const address = await collector('directory', `store = ${store}\n`);
    const extraConfig = `[measurements]\nenabled = yes\nrecipient = ${recipient}\ncollector = ${address}\nspool = ${spool}\n`;
    const study = join(folder, 'study.sqlite');
    const open = (...more: string[]) =>
      asteriskMes(['open', '--identity', keyFile, '--database', study, store, '--json', ...more]);
    await withSimulator(async (simulator) => {
      await simulator.load({ recording: '22-lossy-call', pace: { reportEveryMs: 500, callMs: 3000 }, legs: 4 });
      const sidecar = await startSidecarFor(simulator, { extraConfig });
      const config = join(folder, 'mes.conf');
      copyFileSync(sidecar.configPath, config);
      const measurements = (...words: string[]) => asteriskMes(['measurements', ...words, '--config', config]);
      try {
        for (let tries = 0; tries < 250 && stored(store).length < 4; tries += 1) await sleep(200);
        const shown = await measurements('show');
        expect(shown.stdout).toMatch(/^technology +pjsip$/m);
        expect(shown.stdout).toMatch(/^ +Codecs bear loss differently\.$/m);
        expect(`${shown.stdout}${(await measurements('show', '--json')).stdout}`).not.toMatch(
          /PJSIP\/|alice|bob|127\.0\.0\.1/,
        );
      } finally {
        await sidecar.stop();
      }
      expect(JSON.parse((await open()).stdout)).toMatchObject({ skipped: [], cut: [], deleted: [] });
      const before = JSON.parse((await asteriskMes(['study', study, '--json'])).stdout) as { legs: number };
      expect(before.legs).toBeGreaterThanOrEqual(4);
      const forgot = await measurements('forget');
      expect(forgot.stderr).toBe('');
      expect(forgot.stdout).toContain(`Asked ${address} to delete`);
      const opened = JSON.parse((await open('--delete-files')).stdout) as { deleted: string[] };
      expect(opened.deleted.length).toBeGreaterThanOrEqual(before.legs);
      expect(JSON.parse((await asteriskMes(['study', study, '--json'])).stdout)).toMatchObject({ legs: 0 });
      expect(stored(store)).toEqual([]);
    });
  });

  it('opens what Debian’s age has written, over TLS, and refuses what is for others', async () => {
    const store = join(folder, 'tls-store');
    const cert = join(folder, 'cert.pem');
    const key = join(folder, 'cert-key.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'pipe' },
    );
    const address = await collector('tls', `store = ${store}\ntls_cert = ${cert}\ntls_key = ${key}\n`);
    expect(address).toMatch(/^https:/);
    const ca = execFileSync('cat', [cert]).toString();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/octet-stream' };
      request(`${address}/v1/measurements`, { method: 'POST', ca, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end(byAge(LEG));
    });
    expect(status).toBe(204);
    const opened = await asteriskMes(['open', '--identity', keyFile, '--database', join(folder, 'tls.sqlite'), store]);
    expect([opened.stderr, opened.stdout]).toEqual(['', 'Loaded 1 measurement.\n']);
  });
});

describe.concurrent('a collection server on S3', () => {
  it('stores with signed requests, from where the recipient opens it; a wrong secret is refused', async () => {
    const s3 = await S3Server.start();
    try {
      const { endpoint, accessKey, secretKey } = s3;
      const client = new AwsClient({
        accessKeyId: accessKey,
        secretAccessKey: secretKey,
        service: 's3',
        region: 'us-east-1',
      });
      expect((await client.fetch(`${endpoint}/study`, { method: 'PUT' })).status).toBe(200);
      const lines = (secret: string): string =>
        `store = s3://study/in/here\n[s3]\nendpoint = ${endpoint}\naccess_key = ${accessKey}\nsecret_key = ${secret}\n`;
      const address = await collector('s3', lines(secretKey));
      const wrong = await collector('s3-wrong', lines(`${secretKey}x`));
      expect(await send(address, byAge(LEG))).toBe(204);
      expect(await send(address, byAge({ ...LEG, mes: 2 }))).toBe(204);
      expect(await send(wrong, byAge({ ...LEG, mes: 1 }))).toBe(503);
      const open = (secret: string) => {
        const env = {
          ...process.env,
          MES_S3_ENDPOINT: endpoint,
          MES_S3_ACCESS_KEY: accessKey,
          MES_S3_SECRET_KEY: secret,
        };
        const words = [
          ENTRY,
          'open',
          '--identity',
          keyFile,
          '--database',
          join(folder, 's3.sqlite'),
          's3://study/in/here',
        ];
        return new Promise<string>((resolve) => {
          const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
          let said = '';
          child.stdout.on('data', (text: Buffer) => (said += text.toString()));
          child.stderr.on('data', (text: Buffer) => (said += text.toString()));
          child.once('close', () => resolve(said));
        });
      };
      expect(await open(`${secretKey}x`)).toMatch(/refused a request with 403 \(SignatureDoesNotMatch\)/);
      expect(await open(secretKey)).toBe('Loaded 2 measurements.\n');
      expect(await open(secretKey)).toBe('Loaded 0 measurements; 2 loaded before.\n');

      // Bodies need not pass through the collection server: it signs an address for exactly these bytes.
      const signing = await collector('s3-signing', `uploads = presigned\n${lines(secretKey)}`);
      const body = byAge({ ...LEG, mes: 3 });
      const signedFor = async (
        server: string,
        bytes: Uint8Array,
      ): Promise<{ url: string; headers: Record<string, string> }> => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const answer = await fetch(`${server}/v1/uploads`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ bytes: bytes.length, sha256 }),
        });
        return (await answer.json()) as { url: string; headers: Record<string, string> };
      };
      const put = async (
        { url, headers }: { url: string; headers: Record<string, string> },
        bytes: Uint8Array,
      ): Promise<number> => (await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status;
      const signed = await signedFor(signing, body);
      expect(signed.url).toMatch(/\/study\/in\/here\/\d{4}-\d\d-\d\d\/[0-9a-f]{32}\.age\?.*X-Amz-Expires=300/);
      expect(JSON.stringify(signed)).not.toContain(secretKey);
      const changed = Buffer.from(body);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      expect(await put(signed, changed)).toBeGreaterThanOrEqual(400);
      expect(await put(signed, Buffer.concat([body, body]))).toBeGreaterThanOrEqual(400);
      const forged = await signedFor(
        await collector('s3-forging', `uploads = presigned\n${lines(`${secretKey}x`)}`),
        body,
      );
      expect(await put(forged, body)).toBe(403);
      expect(await open(secretKey)).toBe('Loaded 0 measurements; 2 loaded before.\n');
      expect(await put(signed, body)).toBe(200);
      expect(await open(secretKey)).toBe('Loaded 1 measurement; 2 loaded before.\n');
      // A server that does not sign says so.
      expect(await signedFor(address, body)).toEqual({ status: 404 });
      // Who does not sign gets nothing.
      expect((await fetch(`${endpoint}/study?list-type=2`)).status).toBe(403);
    } finally {
      await s3.stop();
    }
  });
});

function stored(store: string): string[] {
  try {
    return readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.age'));
  } catch {
    return [];
  }
}
