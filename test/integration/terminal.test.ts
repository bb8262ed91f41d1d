import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { startServer, type TestServer } from '../unit/api/server.ts';
import { asteriskMes, type Outcome } from '../unit/cli/command.ts';
import { callRecord, channelRecord, intervalRecord, START_MS, streamRecord } from '../unit/history/records.ts';

const TOKEN = 'a-token-of-the-test';
const folder = makeRunDirectory('terminal');
const socket = join(folder, 'tmux');
const entry = join(REPOSITORY, 'src/asterisk-mes.js');
let server: TestServer;

/** What the settings would have; no file is there. */
function environment(): Record<string, string> {
  return {
    MES_AMI_USERNAME: 'mes',
    MES_AMI_SECRET: 'unused',
    MES_HTTP_BIND: `127.0.0.1:${server.port}`,
    MES_HTTP_TOKEN: TOKEN,
  };
}

function run(...words: string[]): Promise<Outcome> {
  Object.assign(process.env, environment());
  return asteriskMes(words);
}

function tmux(...words: string[]): string {
  return execFileSync('tmux', ['-S', socket, ...words], { encoding: 'utf8' });
}

const screen = (): string => tmux('capture-pane', '-p');

const leg = (name: string, linkedid: string, rx: number, tx: number) => {
  const verdict = (mes: number): 'good' | 'bad' => (mes >= 4 ? 'good' : 'bad');
  return channelRecord(`${linkedid}-${name}`, {
    linkedid,
    name: `PJSIP/${name}-00000001`,
    endpoint: `PJSIP/${name}`,
    endedAtMs: null,
    mesRx: rx,
    mesTx: tx,
    verdict: verdict(Math.min(rx, tx)),
    streams: [
      streamRecord({ direction: 'rx', mes: rx, verdict: verdict(rx), why: `rx of ${name}` }),
      streamRecord({ direction: 'tx', reporter: 'remote', mes: tx, verdict: verdict(tx), why: `tx of ${name}` }),
    ],
  });
};

beforeAll(async () => {
  server = await startServer({ token: TOKEN });
  const caller = leg('alice', '1.1', 4.38, 4.4);
  const callee = leg('bob', '1.1', 4.2, 1.96);
  server.live = [leg('carol', '2.1', 4.31, 4.32), leg('dave', '2.1', 4.33, 4.34), caller, callee];
  server.history.record({
    kind: 'call',
    call: callRecord('1.1', { verdict: 'bad', mes: 3.73, endedAtMs: null }),
  });
  for (const channel of [caller, callee]) server.history.record({ kind: 'channel', channel, resume: null });
  for (const [index, mes] of [4.4, 4.4, 1.2].entries()) {
    const interval = intervalRecord(callee.uniqueid, index + 1, {
      direction: 'tx',
      reporter: 'remote',
      atMs: START_MS + index * 5000,
      kind: 'media',
      mes,
    });
    server.history.record({ kind: 'interval', interval });
  }
  await vi.waitFor(async () => {
    const { status } = await server.get('/v1/calls/1.1', { authorization: `Bearer ${TOKEN}` });
    if (status !== 200) throw new Error(`the call is not stored yet: ${status}`);
  }, 30_000);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('in a pipe', () => {
  test('live shows a line a call, the worst first, in 80 columns and without colours', async () => {
    const { status, stdout, stderr } = await run('live');
    expect([status, stderr]).toEqual([0, '']);
    const [summary, heading = '', first = '', second = '', ...rest] = stdout.trimEnd().split('\n');
    expect(summary).toBe('2 calls are up: 1 bad, 1 good.');
    expect(heading).toMatch(/call +time +codec +rx 1 +tx 1 +rx 2 +tx 2$/);
    expect(first).toMatch(/^bad +alice . bob +\d+:\d\d.* 4\.38 4\.40 4\.20 1\.96$/);
    expect(second).toMatch(/^good +carol . dave .* 4\.31 4\.32 4\.33 4\.34$/);
    expect(rest).toEqual([]);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
  });

  test('live --json prints one document, and filters narrow the table', async () => {
    const { stdout } = await run('live', '--json');
    expect((JSON.parse(stdout) as { readonly channels: readonly unknown[] }).channels).toHaveLength(4);
    expect((await run('live', '--search', 'DAVE')).stdout).toMatch(/^1 call is up: 1 good\./);
    expect((await run('live', '--below-good')).stdout).toMatch(/^1 call is up: 1 bad\./);
  });

  test('call says why, and draws the course of each direction', async () => {
    const { status, stdout } = await run('call', '1.1');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1\.1 {2}bad {2}MES 3\.73/);
    expect(stdout).toMatch(/^to bob +1\.96 +bad +2\.0 % .*(██▁|##_)$/m);
    expect(stdout).toContain('    tx of bob');
    expect(stdout).not.toContain('rx of alice');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('calls takes the filters of REST', async () => {
    expect((await run('calls', '--verdict', 'bad')).stdout).toMatch(/\d:\d\d +bad +3\.73 *alice . bob +1\.1\n$/);
    expect((await run('calls', '--verdict', 'good')).stdout).toBe('No such call.\n');
    expect((await run('calls', '--verdict', 'bad', '--count', 'yes')).stdout).toMatch(/ 1\.1\n1 call fits\.\n$/);
    const { stdout } = await run('calls', '--limit', '1', '--json');
    expect((JSON.parse(stdout) as { readonly calls: readonly unknown[] }).calls).toHaveLength(1);
  });

  test.each([
    [['calls', '--max-mes', '7'], 2, /^asterisk-mes: --max-mes "7" is not allowed; give an opinion from 1 to 4\.5\n$/],
    [
      ['calls', '--from', '-1h', '--to', '-2h'],
      2,
      /^asterisk-mes: --from: it is later than to; give an earlier time\n$/,
    ],
    [['calls', '--direction', 'from'], 2, /^asterisk-mes: --direction: [^\n]*give endpoint as well\n$/],
    [['call', 'nothing'], 1, /^asterisk-mes: [^\n]+\n$/],
    [['live', '--sort', 'loud'], 2, /^asterisk-mes: .*worst, newest, name.*\n$/],
  ])('%j is refused in one sentence', async (words, expected, sentence) => {
    const { status, stdout, stderr } = await run(...words);
    expect([status, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(sentence);
  });

  test('another token, or nobody there, is said in one sentence', async () => {
    Object.assign(process.env, environment());
    process.env['MES_HTTP_TOKEN'] = 'another';
    const other = await asteriskMes(['live']);
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(/wants another token; name the settings/);
    process.env['MES_HTTP_BIND'] = '127.0.0.1:1';
    const nobody = await asteriskMes(['live']);
    expect(nobody.status).toBe(1);
    expect(nobody.stderr).toMatch(/^asterisk-mes: no answer from http:\/\/127\.0\.0\.1:1; is asterisk-mes running\?/);
  });
});

describe.runIf(labIsReady())('on a terminal of 80 columns', () => {
  test('live is kept up to date, sorts, searches, follows a call and gives the screen back', async () => {
    // By their names: the paths may be longer than a line.
    const variables = { ...environment(), NODE: process.execPath, ENTRY: entry };
    const settings = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', ...settings, '-e', 'LC_ALL=C.UTF-8', 'sh');
    try {
      // What is typed before the shell is there stands in front of its prompt.
      await expect.poll(screen).toMatch(/^[#$] *\n/);
      tmux('send-keys', '"$NODE" "$ENTRY" live', 'Enter');
      await expect
        .poll(screen)
        .toMatch(/^2 calls are up: 1 bad, 1 good, worst first\n[^\n]*rx 1[^\n]*\nbad +alice → bob/);
      tmux('send-keys', '/');
      tmux('send-keys', 'carol');
      await expect.poll(screen).toMatch(/^1 call is up: 1 good, worst first, with "carol"\n[^\n]*\ngood +carol → dave/);
      tmux('send-keys', 'Escape');
      await sleep(600);
      tmux('send-keys', 's');
      await expect.poll(screen).toMatch(/^2 calls are up: 1 bad, 1 good, newest first\n/);
      tmux('send-keys', 's', 's', 'Down');
      tmux('send-keys', 'Enter');
      await expect.poll(screen).toMatch(/^1\.1 {2}bad {2}MES 3\.73[\s\S]*to bob +1\.96 +bad[^\n]*██▁/);
      tmux('send-keys', 'Escape');
      await expect.poll(screen).toMatch(/^2 calls are up/);
      server.live = [];
      await expect.poll(screen).toMatch(/^No call is up, worst first/);
      tmux('send-keys', 'q');
      await expect.poll(screen).toMatch(/^[#$] .*live\n[#$] *\n/);
    } finally {
      tmux('kill-server');
    }
  });
});
