import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asteriskMes, type Outcome } from './command.ts';

/** An office with a life: a last line without its end, Latin-1, Windows' line ends, templates and files of its own. */
const VANILLA: Readonly<Record<string, string>> = {
  'manager.conf': '[general]\nenabled = no\n',
  'extensions.conf': '[general]\n[in]\nexten => 1,1,Dial(PJSIP/a)',
  'cdr.conf': '[general]\nendbeforehexten = no\n',
  'cdr_custom.conf': '; B\u00fcro\n',
  'ari.conf': '[general]\nenabled = yes\n',
  'http.conf': '',
  'pjsip.conf':
    '[phones](!)\ntype = endpoint\n[a](phones)\nauth = a\n[a]\ntype = auth\n#include pjsip.d/*.conf\n[own]\ntype=endpoint\r\nset_var = CHANNEL(hangup_handler_push)=mes-hangup,s,1\n',
  'pjsip.d/trunk.conf': '[trunk]\r\ntype=endpoint ; the carrier\r\ncontext=in\r\n[b](phones)\ntype=endpoint\n',
};
/** The same files and contexts as FreePBX has; of ours. */
const FREEPBX: Readonly<Record<string, string>> = {
  'manager.conf': '[general]\nenabled = yes\n#include manager_custom.conf\n',
  'extensions.conf':
    '#include extensions_override_freepbx.conf\n#include extensions_custom.conf\n#include extensions_additional.conf\n',
  'extensions_additional.conf': '[func-apply-sipheaders]\nexten => s,1,NoOp()\n same => n,Return()\n',
  'extensions_custom.conf': '[from-internal-custom]\nexten => 1234,1,Answer()\n',
  'extensions_override_freepbx.conf': '',
  'freepbx_chown.conf': '[blacklist]\nitem = /srv/secret\n[custom]\nfile = /a, b\n',
  'http.conf': '[general]\nenabled = yes\n',
  'ari.conf': '[general]\nenabled = yes\n#include ari_additional_custom.conf\n',
};

let folder = '';
let etc = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-removal-'));
  etc = join(folder, 'etc');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function make(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(etc, name)), { recursive: true });
    writeFileSync(join(etc, name), text, 'latin1');
  }
}

function read(name: string): string {
  return readFileSync(join(etc, name), 'latin1');
}

function contents(): Record<string, string> {
  const names = readdirSync(etc, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name).slice(etc.length + 1));
  return Object.fromEntries(paths.map((name) => [name, read(name)]));
}

async function setup(...more: string[]): Promise<Outcome> {
  const outcome = await asteriskMes(['setup', '--asterisk-dir', etc, '--config', join(etc, 'mes.conf'), ...more]);
  expect(outcome.stderr).toBe('');
  return outcome;
}

describe('asterisk-mes setup --remove', () => {
  test.each([
    ['vanilla', VANILLA, 13],
    ['freepbx', FREEPBX, 9],
  ])('leaves every byte of %s as it was before setup', async (target, files, atLeast) => {
    make(files);
    await setup('--write', '--pjsip', '--target', target);
    expect(Object.keys(contents()).length).toBeGreaterThan(Object.keys(files).length + atLeast - 5);
    const { status, stdout } = await setup('--remove');
    expect(status).toBe(0);
    // The office pushes the handler at one endpoint itself: that line is theirs, and must not lead to nothing.
    const stub = target === 'vanilla' ? ['extensions.conf', 'extensions.conf.before-asterisk-mes'] : [];
    const left = contents();
    for (const name of stub) delete left[name];
    const { 'extensions_mes.conf': kept, ...rest } = left;
    const expected = Object.fromEntries(Object.entries(files).filter(([name]) => !stub.includes(name)));
    expect(rest).toEqual(expected);
    expect(kept !== undefined).toBe(target === 'vanilla');
    // Nothing is said of a history that is not there.
    expect(stdout).not.toContain('history');
  });

  test('says where the history is that stays', async () => {
    make(VANILLA);
    await setup('--write');
    const history = join(folder, 'calls.sqlite');
    writeFileSync(history, '');
    const env = { MES_HISTORY_PATH: history };
    const outcome = await asteriskMes(
      ['setup', '--asterisk-dir', etc, '--config', join(etc, 'mes.conf'), '--remove'],
      '',
      env,
    );
    expect(outcome.stdout).toContain(`The history stays, with callers' numbers in it: rm ${history}* removes it.\n`);
  });

  test('a second time, once the lines are gone that used the handler, nothing is left', async () => {
    make({ ...VANILLA, 'extensions.conf': '[in]\nexten => 1,1,Gosub(mes,s,1)\n same => n,Dial(PJSIP/a,,tb(mes^s^1))' });
    await setup('--write', '--pjsip');
    const first = await setup('--remove');
    expect(first.stdout).toContain(`${join(etc, 'extensions.conf')} line 2: exten => 1,1,Gosub(mes,s,1)`);
    expect(first.stdout).toContain(`line 3: same => n,Dial(PJSIP/a,,tb(mes^s^1))`);
    expect(first.stdout).toMatch(/pjsip\.conf line \d+: set_var = CHANNEL/);
    expect(read('extensions_mes.conf').replaceAll(/^;.*\n/gm, '')).toBe(
      '\n[mes]\nexten => s,1,Return()\n\n[mes-hangup]\nexten => s,1,Return()\n',
    );
    expect(read('extensions.conf')).toMatch(/#include extensions_mes\.conf\n$/);
    const once = contents();
    await setup('--remove');
    expect(contents()).toEqual(once);
    const without = { ...VANILLA, 'pjsip.conf': (VANILLA['pjsip.conf'] ?? '').replace(/set_var.*\n/, '') };
    writeFileSync(join(etc, 'extensions.conf'), read('extensions.conf').replaceAll(/^.*mes[,^]s.*\n/gm, ''));
    writeFileSync(join(etc, 'pjsip.conf'), without['pjsip.conf'], 'latin1');
    await setup('--remove');
    expect(contents()).toEqual({ ...without, 'extensions.conf': '[in]\n' });
  });

  test('after such a removal setup makes the handler anew', async () => {
    make({ ...VANILLA, 'extensions.conf': '[in]\nexten => 1,1,Gosub(mes,s,1)\n' });
    await setup('--write');
    await setup('--remove');
    expect(read('extensions_mes.conf')).not.toContain('AGI(');
    await setup('--write');
    expect(read('extensions_mes.conf')).toMatch(/AGI\(agi:\/\/127\.0\.0\.1:\d+\/hangup\/[\w-]{32}\)/);
  });

  test('what others have changed since stays', async () => {
    make(VANILLA);
    await setup('--write', '--pjsip');
    writeFileSync(join(etc, 'cdr.conf'), `${read('cdr.conf')}[csv]\nloguniqueid = yes\n`);
    writeFileSync(join(etc, 'pjsip.conf'), `${read('pjsip.conf')}[new]\ntype=endpoint\n`, 'latin1');
    writeFileSync(join(etc, 'manager_mes.conf'), `${read('manager_mes.conf')}eventfilter = !Event: Newexten\n`);
    writeFileSync(join(etc, 'mes.conf'), read('mes.conf').replace(';keep_calls = 400d', 'keep_calls = 30d'));
    const { stdout } = await setup('--remove');
    expect(read('cdr.conf')).toBe(`${VANILLA['cdr.conf']}[csv]\nloguniqueid = yes\n`);
    expect(read('pjsip.conf')).toBe(`${VANILLA['pjsip.conf']}[new]\ntype=endpoint\n`);
    expect(read('manager_mes.conf.removed-asterisk-mes')).toContain('eventfilter = !Event: Newexten\n');
    expect(readdirSync(etc)).not.toContain('manager_mes.conf');
    expect(read('mes.conf')).toContain('keep_calls = 30d');
    expect(stdout).toContain('mes.conf has settings that are not from setup; it stays');
  });

  test.each(['; setup fills this file in\n', '[ami]\nusername = mes\nsecret = CHANGE-ME\n'])(
    'the settings become again what they were (%j)',
    async (before) => {
      make({ ...VANILLA, 'mes.conf': before });
      await setup('--write');
      expect(read('mes.conf')).not.toBe(before);
      await setup('--remove');
      expect(read('mes.conf')).toBe(before);
    },
  );

  test('where setup never was, nothing is changed', async () => {
    const files = { ...FREEPBX, 'mes.conf': '[ami]\nusername = mes\nsecret = by-hand\n' };
    make(files);
    const { status, stdout } = await setup('--remove');
    expect([status, contents()]).toEqual([0, files]);
    expect(stdout).toContain('Nothing of setup is there.');
  });
});

describe('the hangup handler of PJSIP endpoints', () => {
  test('stands once in each template or endpoint, below its type, as a line that bears our mark', async () => {
    make(VANILLA);
    const { stdout } = await setup('--write', '--pjsip');
    const line = 'set_var = CHANNEL(hangup_handler_push)=mes-hangup,s,1 ; asterisk-mes';
    expect(read('pjsip.conf')).toBe(
      (VANILLA['pjsip.conf'] ?? '').replace('type = endpoint\n', `type = endpoint\n${line}\n`),
    );
    expect(read('pjsip.d/trunk.conf')).toBe(
      (VANILLA['pjsip.d/trunk.conf'] ?? '').replace('carrier\r\n', `carrier\r\n${line}\r\n`),
    );
    expect(stdout).toContain('asterisk -rx "module reload res_pjsip.so"');
    const once = contents();
    await setup('--write', '--pjsip');
    expect(contents()).toEqual(once);
  });
});

describe('FreePBX', () => {
  test("gets a port that is free: 4573 is FreePBX's own, and another that is taken is left out", async () => {
    make(FREEPBX);
    const taken = createServer();
    const isOurs = await new Promise<boolean>((resolve) => {
      taken.once('error', () => resolve(false)).listen(4574, '127.0.0.1', () => resolve(true));
    });
    const { stdout } = await setup('--write');
    taken.close();
    const [, port = ''] = /^\[agi\]\n(?:;.*\n)*bind = 127\.0\.0\.1:(\d+)$/m.exec(read('mes.conf')) ?? [];
    expect(Number(port)).toBeGreaterThan(4574);
    expect(Number(port)).toBeLessThan(4623);
    expect(isOurs || Number(port) > 4574).toBe(true);
    expect(read('extensions_mes.conf')).toContain(`AGI(agi://127.0.0.1:${port}/hangup/`);
    expect(stdout).toContain(`Port 4573 of [agi] bind is not free for us: it becomes ${port}`);
    // Changed by hand in one place, it changes in the other.
    writeFileSync(join(etc, 'mes.conf'), read('mes.conf').replace(`bind = 127.0.0.1:${port}`, 'bind = 0.0.0.0:4999'));
    await setup('--write');
    expect(read('extensions_mes.conf')).toContain('AGI(agi://127.0.0.1:4999/hangup/');
  });

  test('an installation of before moves off its port, too', async () => {
    make({ ...FREEPBX, 'mes.conf': '[ami]\nusername = mes\nsecret = x\n[agi]\nbind = 127.0.0.1:4573\n' });
    await setup('--write');
    expect(read('mes.conf')).toMatch(/^\[agi\]\n(?:secret = .*\n)?bind = 127\.0\.0\.1:45(?:7[4-9]|[89]\d)$/m);
  });

  test('gets the handler by its hooks, and a hook that somebody has already is left alone', async () => {
    const own = '[macro-dialout-trunk-predial-hook]\nexten => s,1,NoOp(mine)\n same => n,Return()\n';
    make({ ...FREEPBX, 'extensions_custom.conf': own });
    const { stdout } = await setup('--write');
    expect(read('extensions_mes_hooks.conf').match(/^\[.*\]$/gm)).toEqual([
      '[macro-dialout-one-predial-hook]',
      '[macro-dial-ringall-predial-hook]',
      '[macro-dial-hunt-predial-hook]',
    ]);
    expect(read('extensions_custom.conf').startsWith(own)).toBe(true);
    expect(stdout).toContain(
      'extensions_custom.conf has [macro-dialout-trunk-predial-hook] already; it stays as it is. Put Gosub(mes,s,1) at its beginning yourself.',
    );
    expect(read('extensions_mes_override.conf')).toMatch(
      /^\[func-apply-sipheaders\]\nexten => s,1,Gosub\(mes,s,1\)\n$/m,
    );
  });

  test('keeps secrets from fwconsole chown, and the rest of its list', async () => {
    make(FREEPBX);
    await setup('--write');
    const items = ['mes', 'manager_mes', 'ari_mes', 'extensions_mes'].map((name) => `item = ${etc}/${name}.conf\n`);
    expect(read('freepbx_chown.conf')).toBe(
      `[blacklist]\n; asterisk-mes:\n${items.join('')}item = /srv/secret\n[custom]\nfile = /a, b\n`,
    );
  });
});
