import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { HIDE_SCORES } from '../../src/doctor/event-filters.ts';
import { StockAsterisk, Terminal } from './fixtures/stock-asterisk.ts';

const WAIT = { timeout: 60_000, interval: 300 };

/** Phones of the office: this Asterisk calls itself, over SIP and RTP, and answers with a tone. */
const PHONES = `[global]
type = global
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:5060
[phone](!)
type = endpoint
context = from-internal
transport = udp
disallow = all
allow = ulaw
direct_media = no
[alice](phone)
aors = alice
[alice]
type = aor
contact = sip:alice@127.0.0.1:5060
[bob](phone)
aors = bob
[bob]
type = aor
contact = sip:bob@127.0.0.1:5060
[answering]
type = endpoint
context = answering
transport = udp
disallow = all
allow = ulaw
direct_media = no
[answering]
type = identify
endpoint = answering
match = 127.0.0.1
`;
const ANSWERING = `[answering]
exten => _[a-z].,1,Answer()
 same => n,Milliwatt()
`;
const OFFICE: Readonly<Record<string, string>> = {
  'manager.conf': `[general]\nenabled = no\nport = 5038\nbindaddr = 0.0.0.0\n[panel]\nsecret = panel\nread = all\n${HIDE_SCORES}\n`,
  'rtp.conf': '[general]\nrtpstart = 10000\nrtpend = 10100\nrtcpinterval = 1000\n',
  'pjsip.conf': PHONES,
  'extensions.conf': `[general]\n[noted]\nexten => s,1,Answer()\n same => n,Set(MES=4.41)\n same => n,Set(MES_PEER_RX=4.1)\n same => n,Set(MESSAGE=x)\n same => n,Set(CRM_ID=7)\n same => n,Wait(1)\n[from-internal]\nexten => 102,1,Dial(PJSIP/bob,20,t)\n${ANSWERING}`,
  'extensions.ael': '',
};

interface Call {
  readonly mes: number | null;
  readonly ended_at: string | null;
}

/** One call from alice to 102, and how it was scored after its end. */
async function callAndScore(pbx: StockAsterisk, seconds: number): Promise<Call | undefined> {
  await pbx.console('channel originate PJSIP/alice extension 102@from-internal');
  await sleep(seconds * 1000);
  await pbx.console('channel request hangup all');
  let call: Call | undefined;
  await vi.waitFor(async () => {
    const { stdout } = await pbx.run('asterisk-mes', 'calls', '--from', '-1h', '--json');
    [call] = (JSON.parse(stdout) as { calls: Call[] }).calls;
    expect(call?.ended_at).toEqual(expect.any(String));
  }, WAIT);
  return call;
}

/** Our Debian package, built in a process of its own: this one answers vitest meanwhile. */
async function buildPackage(out: string): Promise<string> {
  const script = `import { buildDeb } from './docker/deb/build.ts';
    process.stdout.write(await buildDeb({ architecture: 'amd64', out: process.argv[1], compression: 0 }));`;
  const words = ['--input-type=module', '-e', script, out];
  return (await promisify(execFile)(process.execPath, words, { cwd: REPOSITORY })).stdout;
}

describe.runIf(labIsReady())('a new user', () => {
  const folder = makeRunDirectory('setup');
  const terminal = new Terminal(join(folder, 'tmux'));
  let pbx: StockAsterisk;
  let deb = '';
  beforeAll(async () => {
    deb = await buildPackage(folder);
    pbx = await StockAsterisk.start(OFFICE, deb);
  }, 400_000);
  afterAll(async () => {
    terminal.close();
    await pbx?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const files = async (): Promise<string> =>
    (await pbx.run('sh', '-c', 'cd /etc/asterisk && find . -type f | sort | xargs sha256sum')).stdout;
  let before = '';
  /** The package's own settings stay until it is purged. */
  const withoutSettings = (list: string): string => list.replace(/^.* \.\/mes\.conf\n/m, '');

  test('installs the package, answers four questions, and has a scored call and a page', async () => {
    before = await files();
    const command = `apt-get install -q -y /mnt/${basename(deb)} && asterisk-mes setup`;
    terminal.start([...pbx.inside, 'sh', '-c', command]);
    await terminal.shows(/is off\. Switch\nit on, for this machine only\? \[Y\/n\]/);
    terminal.type('Enter');
    // The template and the other endpoint; alice and bob have it from theirs.
    await terminal.shows('Give 2 PJSIP endpoints or templates the hangup handler');
    terminal.type('Enter');
    await terminal.shows('Number [1]');
    terminal.type('1', 'Enter');
    const asked = await terminal.shows('and start the service? [Y/n]');
    expect(asked).toContain('/etc/asterisk/pjsip.conf: 1 line added below each "type = endpoint" (2)');
    expect(withoutSettings(await files())).toBe(before);
    terminal.type('Enter');
    const done = await terminal.shows(/status \d/);
    expect(done).toContain('Ran module reload res_pjsip.so.');
    expect(done).toContain('Ran dialplan reload.');
    expect(done).not.toContain('failed');
    expect(done).toContain('Still to do:\n  asterisk-mes run');
    expect(done).toMatch(/\nThe page: http:\/\/127\.0\.0\.1:8090\/\n+status 0$/);
    // There is no systemd on this machine: what is still to do is done.
    await pbx.startSidecar();
    const call = await callAndScore(pbx, 4);
    expect(call?.mes).toBeGreaterThan(4.2);
    expect(call?.mes).toBeLessThanOrEqual(4.5);
    const handlers = async (): Promise<number> => {
      const health = await pbx.node(
        "process.stdout.write(await (await fetch('http://127.0.0.1:8090/healthz')).text())",
      );
      const { counters } = JSON.parse(health) as { counters: { agi_answered: number; agi_late: number } };
      return counters.agi_answered + counters.agi_late;
    };
    // The handler of each of the four legs, once.
    await vi.waitFor(async () => expect(await handlers()).toBeGreaterThanOrEqual(4), WAIT);
    expect(await handlers()).toBe(4);
    const page = await pbx.node("process.stdout.write(await (await fetch('http://127.0.0.1:8090/')).text())");
    expect(page).toMatch(/<title>.*asterisk-mes/i);
  });

  test('has doctor find nothing wrong, and setup nothing to do', async () => {
    const { stdout } = await pbx.run('asterisk-mes', 'doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: { id: string; status: string }[] };
    expect(checks.filter(({ status }) => status === 'problem')).toEqual([]);
    for (const name of ['fastagi', 'ami-clients']) expect(checks.find(({ id }) => id === name)?.status).toBe('ok');
    const again = await pbx.run('asterisk-mes', 'setup', '--write', '--pjsip');
    expect(again.stdout).toContain('Everything is set up already');
  });

  test('has other clients of AMI see all events but those of our scores', async () => {
    const seen = await pbx.node(`
      import { connect } from 'node:net';
      import { execFileSync } from 'node:child_process';
      const socket = connect(5038, '127.0.0.1');
      let text = '';
      socket.on('data', (bytes) => (text += bytes));
      socket.write('Action: Login\\r\\nUsername: panel\\r\\nSecret: panel\\r\\n\\r\\n');
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      await wait(300);
      execFileSync('asterisk', ['-rx', 'channel originate Local/s@noted application Wait 1']);
      await wait(1500);
      socket.destroy();
      process.stdout.write([...text.matchAll(/^Variable: (\\S+)/gm)].map(([, name]) => name).join(' '));`);
    const names = new Set(seen.split(' '));
    expect([...names].filter((name) => /^(?:MES|MESSAGE$|CRM)/.test(name)).toSorted()).toEqual(['CRM_ID', 'MESSAGE']);
  });

  test('takes all of it back, and the next call works', async () => {
    const { stdout } = await pbx.run('asterisk-mes', 'setup', '--remove', '--yes');
    expect(stdout).toContain('Ran dialplan reload.');
    expect(stdout).not.toContain('failed');
    expect(withoutSettings(await files())).toBe(before);
    await expectCallWorks(pbx);
    expect(await pbx.console('manager show settings')).toMatch(/Manager \(AMI\):\s+No/);
  });

  test('leaves empty contexts where the dialplan names them, and the next call works', async () => {
    const own = (OFFICE['extensions.conf'] ?? '')
      .replace('102,1,', '102,1,Gosub(mes,s,1)\n same => n,')
      .replace(',t)', ',tb(mes^s^1))');
    await pbx.node(
      `import fs from 'node:fs'; fs.writeFileSync('/etc/asterisk/extensions.conf', ${JSON.stringify(own)})`,
    );
    await pbx.run('asterisk-mes', 'setup', '--yes').catch((error: unknown) => error);
    expect(await pbx.console('dialplan show mes')).toContain('hangup_handler_push');
    const { stdout } = await pbx.run('asterisk-mes', 'setup', '--remove');
    expect(stdout).toContain('/etc/asterisk/extensions.conf line 10: exten => 102,1,Gosub(mes,s,1)');
    await expectCallWorks(pbx);
  });
});

/** Both phones are up, and Asterisk has nothing to complain of. */
async function expectCallWorks(pbx: StockAsterisk): Promise<void> {
  await pbx.run('sh', '-c', ': > /var/log/asterisk/messages.log');
  await pbx.console('channel originate PJSIP/alice extension 102@from-internal');
  await sleep(1500);
  const channels = await pbx.console('core show channels concise');
  expect(channels).toMatch(/^PJSIP\/bob-.*!Up!/m);
  await pbx.console('channel request hangup all');
  await sleep(500);
  const log = (await pbx.run('cat', '/var/log/asterisk/messages.log')).stdout;
  expect(log).not.toMatch(/non-existent|ERROR/);
}
