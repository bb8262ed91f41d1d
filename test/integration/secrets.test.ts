import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../lab/addresses.ts';
import { asterisk as answers, block, FakeManager } from '../lab/fake-manager.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { readRecording } from '../lab/recording.ts';
import { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';

const HOST = '127.0.0.1';
const SECRETS = {
  ami: 'top-secret',
  ari: 'ari-pass/word+1',
  token: 'bearer-token~9',
  numbersKey: 'a key for numbers, 24 ch',
};
const PATHS = [
  '/',
  '/v1/calls',
  '/v1/calls?from=-1h&limit=500',
  '/v1/calls/nobody',
  '/v1/calls?nonsense=1',
  '/v1/live',
  '/v1/live/stream',
  '/v1/endpoints',
  '/v1/summary',
  '/healthz',
  '/readyz',
  '/metrics',
  '/openapi.json',
  '/nowhere',
  '/%zz',
];

let folder = '';
let ari: Server;
/** What the server that plays ARI answers now; it is none, and the web socket is refused in any case. */
let ariStatus = 200;
const children: ChildProcess[] = [];
/** Everything that anybody could see of the sidecars. */
let seen = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mes-secrets-'));
  ari = createServer((request, response) => {
    const isList = request.url?.includes('resources.json') === true;
    const body = isList ? '{"swaggerVersion":"1.1","apiVersion":"1","basePath":"/","apis":[]}' : 'surprise';
    response.writeHead(ariStatus, { 'content-type': 'application/json' }).end(body);
  });
  ari.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 500 No\r\n\r\n'));
  await new Promise<void>((resolve) => void ari.listen(0, HOST, resolve));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  ari.closeAllConnections();
  await new Promise((resolve) => ari.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

interface Sidecar {
  readonly url: string;
  readonly child: ChildProcessWithoutNullStreams;
  readonly database: string;
  readonly ended: Promise<number | null>;
}

/** With every secret that there is, and as talkative as it can be. */
async function start(
  amiPort: number,
  name: string,
  numbers = `hashed\nnumbers_key = ${SECRETS.numbersKey}`,
): Promise<Sidecar> {
  const port = await freePort(HOST, 18_690);
  const database = join(folder, name, 'mes.sqlite');
  const config = join(folder, `${name}.conf`);
  writeFileSync(
    config,
    `[ami]
port = ${amiPort}
username = mes
secret = ${SECRETS.ami}
[ari]
url = http://${HOST}:${(ari.address() as AddressInfo).port}
username = mes
password = ${SECRETS.ari}
[agi]
bind = ${HOST}:${await freePort(HOST, 14_690)}
[http]
bind = ${HOST}:${port}
token = ${SECRETS.token}
[history]
path = ${database}
numbers = ${numbers}
`,
    { mode: 0o644 },
  );
  const entry = join(REPOSITORY, 'src/asterisk-mes.js');
  const child = spawn(process.execPath, [entry, 'run', '--config', config, '--log-level', 'debug']);
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { url: `http://${HOST}:${port}`, child, database, ended };
}

/** Waits until the sidecars have said so; a busy machine may need a while. */
function heard(words: RegExp, times = 1): Promise<void> {
  const all = new RegExp(words, 'g');
  return vi.waitFor(() => expect((seen.match(all) ?? []).length).toBeGreaterThanOrEqual(times), {
    timeout: 30_000,
    interval: 20,
  });
}

/** Asks for everything with the right token, wrong ones and none. */
async function askAll({ url }: Sidecar): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (const path of PATHS) {
    for (const authorization of ['', 'Bearer wrong', `Basic ${SECRETS.token}`, `Bearer ${SECRETS.token}`]) {
      const answer = await fetch(`${url}${path}`, { headers: { authorization } });
      seen += `${JSON.stringify([...answer.headers])}\n${await answer.text()}\n`;
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    }
  }
  return statuses;
}

/** A secret as it might be written, also within a URL or a header of HTTP. */
function spellings(secret: string): string[] {
  const plain = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const coded = [secret, `mes:${secret}`].flatMap((text) =>
    (['base64', 'base64url', 'hex'] as const).map((form) => Buffer.from(text).toString(form)),
  );
  return [...plain, ...coded];
}

describe('a secret', () => {
  test('shows nowhere, whatever fails', async () => {
    const asterisk = await SimulatedAsterisk.start();
    const sidecar = await start(asterisk.connection.port, 'works');
    await heard(/AMI events: connected/);
    await heard(/AMI actions: connected/);
    asterisk.sayAtOnce(readRecording('22-lossy-call'));
    await heard(/ARI: .*trying again/);
    expect(await askAll(sidecar)).toMatchObject({ 200: expect.any(Number), 401: expect.any(Number) });

    ariStatus = 401;
    asterisk.write('Response: Error\r\nMessage: surprise\r\n\r\nEvent: Hangup\r\n\r\nrubbish\r\n\r\n');
    asterisk.drop();
    await heard(/AMI events: connected/, 2);
    const other = new Sqlite(sidecar.database);
    other.exec('BEGIN IMMEDIATE');
    asterisk.sayAtOnce(readRecording('22-hold'));
    await heard(/history: .*locked by another program/);
    await askAll(sidecar);
    other.exec('ROLLBACK');
    other.close();
    await heard(/history: it can be written again/);
    await heard(/ARI: .*refused the user/);
    await asterisk.stop();
    await heard(/Nothing listens on/);
    await askAll(sidecar);
    seen += readFileSync(`/proc/${sidecar.child.pid}/cmdline`, 'utf8');

    const refusing = await FakeManager.start((action, socket) => {
      if (action.get('Action') !== 'login' && action.get('Action') !== 'Login') return answers()(action, socket);
      return block(action, 'Response: Error', 'Message: Authentication failed');
    });
    const refused = await start(refusing.connection.port, 'refused');
    expect(await refused.ended).toBe(1);
    expect(seen).toMatch(/asterisk-mes: .*refused the user "mes"/);
    await refusing.stop();

    sidecar.child.kill('SIGTERM');
    expect(await sidecar.ended).toBe(0);
    const kept = readdirSync(join(folder, 'works')).map((name) => readFileSync(join(folder, 'works', name), 'latin1'));
    expect(kept.join('').length).toBeGreaterThan(20_000);
    const everything = seen + kept.join('');
    // What is not secret is there: we looked in the right places.
    for (const words of ['PJSIP/alice', 'asterisk_mes_info', 'works.conf', 'is open to every user of this machine'])
      expect(everything).toContain(words);
    for (const [name, secret] of Object.entries(SECRETS)) {
      const found = spellings(secret).filter((spelling) => everything.includes(spelling));
      expect({ [name]: found }).toEqual({ [name]: [] });
    }
    expect(everything).not.toMatch(/\n\s+at .*:\d+:\d+/);
  });

  test('nor does the number of a caller show in the log, though it is kept in clear', async () => {
    const number = '4930555101';
    const { messages, ids } = readRecording('22-lossy-call');
    const told = (text: string): string =>
      text.replaceAll(/(CallerIDNum|ConnectedLineNum|Exten): 10[12]\r/g, `$1: ${number}\r`);
    const recording = { ids, messages: messages.map((message) => ({ ...message, texts: message.texts.map(told) })) };
    const asterisk = await SimulatedAsterisk.start();
    const { url, child, ended } = await start(asterisk.connection.port, 'clear', 'clear');
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const logged = (words: RegExp, times = 1): Promise<void> =>
      vi.waitFor(() => expect([...log.matchAll(words)].length).toBeGreaterThanOrEqual(times), { timeout: 30_000 });
    await logged(/AMI (?:events|actions): connected/g, 2);
    asterisk.sayAtOnce(recording);
    // Its channels are gone, which the writing of their scores finds out.
    asterisk.write(`Event: Hangup\r\nCallerIDNum: ${number}\r\n\r\nrubbish ${number}\r\n\r\n`);
    asterisk.drop();
    await logged(/AMI events: connected/g, 2);
    const headers = { authorization: `Bearer ${SECRETS.token}` };
    const calls = async (): Promise<string> => (await fetch(`${url}/v1/calls?number=${number}`, { headers })).text();
    await expect.poll(calls, { timeout: 30_000 }).toContain(number);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await asterisk.stop();
    expect(log.length).toBeGreaterThan(500);
    expect(log).not.toContain(number);
  });
});
