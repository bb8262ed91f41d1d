import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labIsReady } from '../lab/obstacle.ts';
import { FREEPBX_FILES } from './fixtures/freepbx-shape.ts';
import { StockAsterisk } from './fixtures/stock-asterisk.ts';

const SOON = { timeout: 60_000, interval: 300 };

interface Check {
  readonly id: string;
  readonly status: string;
  readonly saw: string;
  readonly changes: readonly { readonly file: string | null; readonly lines: readonly string[] }[];
}

describe.runIf(labIsReady())("a dialplan of FreePBX's shape", () => {
  let pbx: StockAsterisk;
  beforeAll(async () => {
    pbx = await StockAsterisk.start(FREEPBX_FILES);
    // As core-fastagi has it.
    await pbx.run(
      'sh',
      '-c',
      `/opt/repository/node_modules/node/bin/node -e "require('net').createServer().listen(4573, '127.0.0.1')" >/dev/null 2>&1 &`,
    );
  });
  afterAll(() => pbx?.stop());

  const files = async (): Promise<string> =>
    (await pbx.run('sh', '-c', 'cd /etc/asterisk && find . -type f | sort | xargs sha256sum')).stdout;
  const doctor = async (): Promise<Map<string, Check>> => {
    const { stdout } = await pbx.run('sh', '-c', 'asterisk-mes doctor --json || true');
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    return new Map(checks.map((check) => [check.id, check]));
  };
  /** Hang-ups that asked us while a call of that number was up and ended; until there are so many of them. */
  const askedBy = async (number: string, until: number): Promise<number> => {
    const health = "const { counters } = await (await fetch('http://127.0.0.1:8090/healthz')).json();";
    const count = async (): Promise<number> =>
      Number(await pbx.node(`${health} process.stdout.write(String(counters.agi_answered + counters.agi_late))`));
    const before = await count();
    await pbx.console(`channel originate PJSIP/201 extension ${number}@from-internal`);
    await expect.poll(() => pbx.console('core show channels concise'), SOON).toMatch(/^PJSIP\/202-.*!Up!/m);
    await sleep(1500);
    await pbx.console('channel request hangup all');
    await expect.poll(() => pbx.console('core show channels concise'), SOON).not.toContain('PJSIP/202-');
    await expect.poll(async () => (await count()) - before, SOON).toBeGreaterThanOrEqual(until);
    // What asks a second time comes at once.
    await sleep(1000);
    return (await count()) - before;
  };
  let before = '';

  test('gets the handler on caller and callee, once each, beside its own FastAGI server', async () => {
    before = await files();
    // Its status is doctor's, and there is direct media.
    const { stdout } = await pbx.run('sh', '-c', 'asterisk-mes setup --yes; echo "status $?"');
    expect(stdout).toMatch(/^PROBLEM +direct-media .*\n[^]*^status 1$/m);
    expect(stdout).toContain('asterisk-mes for FreePBX in /etc/asterisk.');
    expect(stdout).toMatch(
      /Port 4573 of \[agi\] bind is not free for us: it becomes 457[4-9], here and in the dialplan\./,
    );
    expect(stdout).toContain('then: fwconsole reload');
    await pbx.startSidecar();
    expect(await askedBy('202', 2)).toBe(2);
  });

  test('has doctor see the handler, its port and its secrets', async () => {
    const checks = await doctor();
    for (const id of ['hangup-handler', 'freepbx-handler', 'freepbx-chown', 'fastagi']) {
      expect([id, checks.get(id)?.status]).toEqual([id, 'ok']);
    }
    expect((await pbx.run('stat', '-c', '%a', '/etc/asterisk/mes.conf')).stdout).toBe('600\n');
    expect(checks.get('freepbx-dial-options')?.saw).toBe('No extension and no trunk has dial options of its own.');
    // As FreePBX keeps them in AstDB; the handler comes by the hooks.
    await pbx.console('database put AMPUSER 201/dialopts HhTtr');
    await pbx.console('database put AMPUSER 201/cidnum 201');
    await pbx.console('database put TRUNK 1/dialopts Tb(mes^s^1)');
    const saw = async (): Promise<string | undefined> => (await doctor()).get('freepbx-dial-options')?.saw;
    // Asterisk commits once a second.
    await expect
      .poll(saw, SOON)
      .toBe('b(mes^s^1) in the dial options of trunk 1 does nothing, since FreePBX appends a b() of its own.');
    await pbx.console('database put TRUNK 1/dialopts T');
    const both = 'These have dial options of their own, on which the handler does not depend: 201, trunk 1.';
    await expect.poll(saw, SOON).toBe(both);
    // Where the file cannot be read, AMI tells that they are there.
    await pbx.run('mv', '/var/lib/asterisk/astdb.sqlite3', '/var/lib/asterisk/elsewhere');
    expect(await saw()).toBe(both);
    await pbx.run('mv', '/var/lib/asterisk/elsewhere', '/var/lib/asterisk/astdb.sqlite3');
  });

  test('has direct media found, and the lines that FreePBX keeps mend it', async () => {
    const found = (await doctor()).get('direct-media');
    expect(found?.status).toBe('problem');
    const [change] = found?.changes ?? [];
    expect(change?.file).toBe('/etc/asterisk/pjsip.endpoint_custom_post.conf');
    for (const { file, lines } of found?.changes ?? []) {
      await pbx.node(
        `import fs from 'node:fs'; fs.appendFileSync(${JSON.stringify(file)}, ${JSON.stringify(`${lines.join('\n')}\n`)})`,
      );
    }
    await pbx.console('module reload res_pjsip.so');
    expect((await doctor()).get('direct-media')?.status).toBe('ok');
    await pbx.run('sh', '-c', ': > /etc/asterisk/pjsip.endpoint_custom_post.conf');
  });

  test('has all of it taken back, and calls go on', async () => {
    const { stdout } = await pbx.run('asterisk-mes', 'setup', '--remove');
    // The dial options still name the handler, as somebody once wrote them.
    expect(stdout).toContain('extensions_additional.conf line 2: DIAL_OPTIONS = HhTtrb(mes^s^1)');
    expect(await pbx.console('dialplan show mes')).not.toContain('hangup_handler_push');
    const changed = (await files()).split('\n').filter((line) => !before.includes(line));
    expect(changed.map((line) => line.split('  ')[1])).toEqual([
      './extensions_custom.conf',
      './extensions_custom.conf.before-asterisk-mes',
      './extensions_mes.conf',
    ]);
    expect(await askedBy('202', 0)).toBe(0);
  });
});
