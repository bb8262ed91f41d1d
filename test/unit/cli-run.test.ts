import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { asteriskMes } from './cli/command.ts';

const ENTRY = join(import.meta.dirname, '../../src/asterisk-mes.js');
const SECRET = 'do-not-print-me';

let folder = '';
let children: ChildProcess[] = [];
let servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-run-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) server.close();
  children = [];
  servers = [];
  rmSync(folder, { recursive: true, force: true });
});

async function listen(onConnection: (server: Server) => void = () => undefined): Promise<number> {
  const server = createServer();
  onConnection(server);
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const port = await listen();
  await new Promise((resolve) => void servers.pop()?.close(resolve));
  return port;
}

async function settings(
  of: { ami?: number; http?: number; agi?: number; path?: string; more?: string } = {},
): Promise<string> {
  const file = join(folder, 'mes.conf');
  const text = `[ami]
port = ${of.ami ?? (await freePort())}
username = mes
secret = ${SECRET}
[agi]
bind = 127.0.0.1:${of.agi ?? (await freePort())}
[http]
bind = 127.0.0.1:${of.http ?? (await freePort())}
[history]
path = ${of.path ?? join(folder, 'mes.sqlite')}
${of.more ?? ''}`;
  writeFileSync(file, text);
  return file;
}

function start(
  config: string,
  ...nodeOptions: string[]
): {
  child: ChildProcess;
  ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
} {
  const child = spawn(process.execPath, [...nodeOptions, ENTRY, 'run', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, ended };
}

interface Health {
  readonly status: string;
  readonly capture: unknown;
}

/** What /healthz answers, once somebody does. */
function healthOf(port: number): Promise<Health> {
  const ask = async (): Promise<Health> => (await fetch(`http://127.0.0.1:${port}/healthz`)).json() as Promise<Health>;
  return vi.waitFor(ask, { timeout: 60_000, interval: 50 });
}

/** The one sentence on stderr of a start that fails. */
async function failure(config: string): Promise<string> {
  const { status, stderr, stdout } = await start(config).ended;
  expect(status).toBe(1);
  expect(stdout + stderr).not.toContain(SECRET);
  expect(stderr).toMatch(/^asterisk-mes: /);
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr;
}

describe('asterisk-mes run', () => {
  test('a broken mes.conf: the line, what is wrong, and the nearest right name', async () => {
    expect(await failure(await settings({ more: '[histroy]\nkeep_calls = 1d\n' }))).toMatch(
      /line 11.*histroy.*history/,
    );
    expect(await failure(await settings({ more: 'keep_calls = soon\n' }))).toMatch(/line 11.*keep_calls.*soon/);
    expect(await failure(join(folder, 'nowhere.conf'))).toMatch(/does not exist/);
  });

  test('a level of the log that there is not: wrong usage, and which there are', async () => {
    expect(await asteriskMes(['run', '--log-level', 'verbose'])).toEqual({
      status: 2,
      stdout: '',
      stderr:
        "asterisk-mes: option '--log-level <level>' argument 'verbose' is invalid; allowed choices are " +
        'fatal, error, warn, info, debug, silent; see asterisk-mes run --help\n',
    });
  });

  test('a port in use: which one, and which setting to change', async () => {
    const taken = await listen();
    expect(await failure(await settings({ http: taken }))).toMatch(new RegExp(`127\\.0\\.0\\.1:${taken}.*\\[http\\]`));
    expect(await failure(await settings({ agi: taken }))).toMatch(new RegExp(`127\\.0\\.0\\.1:${taken}.*\\[agi\\]`));
  });

  test('a database that cannot be written: where, and what to do', async () => {
    writeFileSync(join(folder, 'file'), 'not a folder');
    expect(await failure(await settings({ path: join(folder, 'file/mes.sqlite') }))).toMatch(/file\/mes\.sqlite/);
    writeFileSync(join(folder, 'text.sqlite'), 'this is no database, whatever its name says');
    expect(await failure(await settings({ path: join(folder, 'text.sqlite') }))).toMatch(/text\.sqlite/);
  });

  test('no Asterisk: it says so once, serves REST, keeps trying, and ends on SIGTERM', async () => {
    const http = await freePort();
    const { child, ended } = start(await settings({ http }));
    expect((await healthOf(http)).status).toBe('ok');
    const ready = await fetch(`http://127.0.0.1:${http}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/Nothing listens on 127\.0\.0\.1:\d+/);
    await sleep(1500);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout.match(/AMI events: Nothing listens/g)).toHaveLength(1);
  });

  test('a signal HUP reads the settings again and does not end it; the log says what it is and why it stops', async () => {
    const http = await freePort();
    const ports = { ami: await freePort(), agi: await freePort(), http };
    const config = await settings({ ...ports, more: '[http]\ntoken = token-one\n' });
    const { child, ended } = start(config);
    await healthOf(http);
    const statusWith = async (token: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${http}/v1/calls`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await statusWith('token-one'), await statusWith('token-two')]).toEqual([200, 401]);
    await settings({ ...ports, more: 'keep_calls = 7d\n[http]\ntoken = token-two\n' });
    child.kill('SIGHUP');
    await vi.waitFor(async () => expect(await statusWith('token-two')).toBe(200), { timeout: 60_000, interval: 50 });
    expect(await statusWith('token-one')).toBe(401);
    child.kill('SIGTERM');
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /"asterisk-mes \d+\.\d+\.\d+\S* \(Node\.js v24\.[^)]*\), settings \S+mes\.conf, database \S+mes\.sqlite"/,
    );
    expect(stdout).toContain('the settings were read again; changed: [http] token');
    expect(stdout).toContain('after a restart only will count: [history] keep_calls');
    expect(stdout).toContain('asterisk-mes stops: it got the signal SIGTERM');
    expect(stdout).not.toMatch(/token-one|token-two/);
  });

  test('packets that cannot be captured: one sentence, and everything else goes on', async () => {
    const http = await freePort();
    const more = '[capture]\nenabled = yes\ninterface = nowhere0\n';
    const { child, ended } = start(await settings({ http, more }));
    // Which one depends on the machine: without tcpdump, or without the right to use it, it is another.
    const sentence =
      /^Packets are not captured: (there is no interface nowhere0;|there is no program tcpdump;|tcpdump may) /;
    await vi.waitFor(
      async () => {
        const { capture } = await healthOf(http);
        expect(capture).toEqual({ status: 'waiting', problem: expect.stringMatching(sentence) });
      },
      { timeout: 60_000, interval: 100 },
    );
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout.match(/capture: Packets are not captured: .* Trying again/g)).toHaveLength(1);
  });

  test('what a client asks wrong is told to the client, what fails inside to the log', async () => {
    const http = await freePort();
    const { child, ended } = start(await settings({ http, more: 'numbers = masked\n' }));
    await healthOf(http);
    const ask = (query: string): Promise<Response> => fetch(`http://127.0.0.1:${http}/v1/calls?${query}`);
    const wrong = await ask('number=7');
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('masked numbers this short')]);
    expect((await ask('number=4915550100')).status).toBe(200);
    const database = new Sqlite(join(folder, 'mes.sqlite'));
    database.exec('ALTER TABLE calls RENAME TO nowhere_to_be_found');
    database.close();
    expect((await ask('')).status).toBe(500);
    child.kill('SIGTERM');
    const { stdout } = await ended;
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string; err?: { message: string } });
    expect(entries.filter(({ err }) => err !== undefined)).toEqual([
      expect.objectContaining({
        level: 'error',
        msg: 'a request failed',
        err: expect.objectContaining({ message: 'no such table: calls' }) as unknown,
      }),
    ]);
  });

  test('a wrong secret: which user, where, and no secret in the sentence', async () => {
    // A simulated manager: the real one says the same, which the integration tests show.
    const ami = await listen((server) =>
      server.on('connection', (socket) => {
        socket.on('error', () => undefined);
        socket.write('Asterisk Call Manager/9.0.0\r\n');
        socket.on('data', (chunk: Buffer) => {
          const id = /ActionID: (.*)\r\n/i.exec(chunk.toString())?.[1] ?? '';
          socket.write(`Response: Error\r\nActionID: ${id}\r\nMessage: Authentication failed\r\n\r\n`);
        });
      }),
    );
    expect(await failure(await settings({ ami }))).toMatch(/user "mes"/);
  });
});
