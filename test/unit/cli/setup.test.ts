import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asteriskMes } from './command.ts';
import { PBX, SetupFolder } from './setup-folder.ts';

const pbx = new SetupFolder();

describe('asterisk-mes setup', () => {
  test('a mes.conf of comments alone, as the Debian package has it, is filled in and kept beside', async () => {
    const packaged = '; asterisk-mes setup fills this file in\n';
    writeFileSync(pbx.config, packaged);
    const { status, stderr } = await pbx.setup('--write');
    expect([status, stderr]).toEqual([0, '']);
    expect(pbx.secretOf('mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(pbx.secretOf('manager_mes.conf')).toBe(pbx.secretOf('mes.conf'));
    expect(pbx.read('mes.conf.before-asterisk-mes')).toBe(packaged);
  });

  test('without --write it prints every file, no secret, and touches nothing', async () => {
    const { status, stdout, stderr } = await pbx.setup();
    expect([status, stderr]).toEqual([0, '']);
    expect(pbx.contents()).toEqual(PBX);
    for (const name of [
      'mes.conf',
      'manager_mes.conf',
      'extensions_mes.conf',
      'cdr_mes.conf',
      'cdr_custom_mes.conf',
      'ari_mes.conf',
      'http_mes.conf',
    ]) {
      expect(stdout).toContain(`=== ${join(pbx.etc, name)} (new, mode `);
    }
    expect(stdout).toContain(
      `=== ${join(pbx.etc, 'manager.conf')}: added at its end\n; asterisk-mes:\n#include manager_mes.conf\n`,
    );
    expect(stdout.match(/^secret = \(a random one, made up by --write\)$/gm)).toHaveLength(3);
    expect(stdout).toContain('AGI(agi://127.0.0.1:4573/hangup/(a random one, made up by --write))');
    expect(stdout.match(/^password = \(a random one, made up by --write\)$/gm)).toHaveLength(2);
    expect(stdout).not.toMatch(/CHANGE-ME$/m);
  });

  test('with --write: lines at the end, a backup of what was there, tight modes, one random secret', async () => {
    const { status, stdout } = await pbx.setup('--write');
    expect(status).toBe(0);
    for (const [name, own] of [
      ['manager.conf', 'manager_mes.conf'],
      ['extensions.conf', 'extensions_mes.conf'],
      ['cdr.conf', 'cdr_mes.conf'],
      ['cdr_custom.conf', 'cdr_custom_mes.conf'],
      ['ari.conf', 'ari_mes.conf'],
      ['http.conf', 'http_mes.conf'],
    ] as const) {
      const before = PBX[name] ?? '';
      expect(pbx.read(name)).toBe(`${before}${before.endsWith('\n') ? '' : '\n'}; asterisk-mes:\n#include ${own}\n`);
      expect(pbx.read(`${name}.before-asterisk-mes`)).toBe(before);
    }
    expect(pbx.secretOf('mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(pbx.secretOf('manager_mes.conf')).toBe(pbx.secretOf('mes.conf'));
    expect(stdout).not.toContain(pbx.secretOf('mes.conf'));
    expect([...stdout.matchAll(/^ {2}asterisk -rx "(.*?)"/gm)].map(([, command]) => command)).toEqual([
      'manager reload',
      'dialplan reload',
      'module reload cdr',
      'module reload http',
      'module reload res_ari.so',
      'module reload cdr_custom.so',
    ]);
    expect(
      ['mes.conf', 'manager_mes.conf', 'manager.conf', 'extensions_mes.conf'].map((name) => pbx.modeOf(name)),
    ).toEqual(['600', '640', '644', '640']);
    // The hangup handler's secret, which is not the manager's.
    const [, agiSecret = ''] = /^\[agi\][^[]*?^secret = ([\w-]{32})$/ms.exec(pbx.read('mes.conf')) ?? [];
    expect(pbx.read('extensions_mes.conf')).toContain(`AGI(agi://127.0.0.1:4573/hangup/${agiSecret})`);
    expect(agiSecret).not.toBe(pbx.secretOf('mes.conf'));
    expect(stdout).not.toContain(agiSecret || 'none');
    // There is a [general] to add to, and no [mappings].
    expect(pbx.read('cdr_mes.conf')).toMatch(/^\[general\]\(\+\)$/m);
    expect(pbx.read('cdr_custom_mes.conf')).toMatch(/^\[mappings\]$/m);
  });

  test('switches ARI on, for this machine, with the variables of every event beside those that ride there already', async () => {
    await pbx.setup('--write');
    const password = /^password = ([\w-]{32})$/m.exec(pbx.read('ari_mes.conf'))?.[1];
    expect(pbx.read('mes.conf')).toContain(`password = ${password}\n`);
    expect(password).not.toBe(pbx.secretOf('mes.conf'));
    expect(pbx.read('mes.conf')).toMatch(
      /^\[ari\]\n(;.*\n)*url = http:\/\/127\.0\.0\.1:8089\n(;.*\n)*username = mes\npassword/m,
    );
    expect(pbx.modeOf('ari_mes.conf')).toBe('640');
    expect(pbx.read('ari_mes.conf')).toMatch(
      /^\[general\]\(\+\)\n(;.*\n)*channelvars = CRM_ID,MES,MES_RX,MES_TX,MES_VERDICT$/m,
    );
    expect(pbx.read('http_mes.conf')).toMatch(/^\[general\]\(\+\)\nenabled = yes\nbindaddr = 127\.0\.0\.1$/m);
  });

  test.each([
    ['enabled = yes', 'http://127.0.0.1:8088'],
    ['enabled = yes\nbindaddr = 0.0.0.0\nbindport = 8080\nprefix = /asterisk/', 'http://127.0.0.1:8080/asterisk'],
    ['enabled = yes\nbindaddr = ::', 'http://127.0.0.1:8088'],
    ['enabled = yes\nbindaddr = fd00::5', 'http://[fd00::5]:8088'],
    ['enabled = yes\nbindaddr = 192.0.2.1', 'http://192.0.2.1:8088'],
    ['enabled = no\nbindaddr = 192.0.2.1', 'http://127.0.0.1:8088'],
  ])('ARI is where the HTTP server is (%j)', async (http, url) => {
    writeFileSync(join(pbx.etc, 'http.conf'), `[general]\n${http}\n`);
    const { stdout } = await pbx.setup('--write');
    expect(pbx.read('mes.conf')).toContain(`\nurl = ${url}\n`);
    const isOn = http.startsWith('enabled = yes');
    expect(readdirSync(pbx.etc).includes('http_mes.conf')).toBe(!isOn);
    expect(stdout.includes("Asterisk's HTTP server is on already")).toBe(isOn);
  });

  test('twice is the same as once', async () => {
    await pbx.setup('--write');
    const once = pbx.contents();
    const { status, stdout } = await pbx.setup('--write');
    expect(status).toBe(0);
    expect(pbx.contents()).toEqual(once);
    expect(stdout).toContain('Everything is set up already');
  });

  test('after an upgrade: what the older release did not have comes in once, what people changed stays', async () => {
    await pbx.setup('--write');
    const now = pbx.read('extensions_mes.conf');
    const secret = /agi:\/\/127\.0\.0\.1:4573\/hangup\/([\w-]{32})/.exec(now)?.[1] ?? '';
    const contexts = (text: string): string[] => [...text.matchAll(/^\[([^\]]+)\]/gm)].map(([, name = '']) => name);
    expect(contexts(now)).toEqual(['mes', 'mes-hangup', 'mes-rate', 'mes-code', 'mes-code-asked', 'mes-best']);
    // As the first release wrote it, with a line of somebody's own, and one context that nobody wants.
    const older = `${now.slice(0, now.indexOf('; How was it?'))}; mine\n;[mes-code]\n`;
    writeFileSync(join(pbx.etc, 'extensions_mes.conf'), older);
    const manager = pbx.read('manager_mes.conf');
    expect(manager).toMatch(/^read = call,reporting,dtmf,user$/m);
    const olderManager = manager
      .replace(/^read = .*$/m, 'read = call,reporting')
      .replace(/^write = .*$/m, 'write = call');
    writeFileSync(join(pbx.etc, 'manager_mes.conf'), olderManager);

    const printed = await pbx.setup();
    expect(printed.stdout).toContain('[mes-best]');
    expect(printed.stdout).not.toContain(secret);
    expect(pbx.read('extensions_mes.conf')).toBe(older);
    const { status, stdout } = await pbx.setup('--write');
    expect([status, ...stdout.matchAll(/^ {2}asterisk -rx "(.*?)"/gm)].map(String)).toEqual([
      '0',
      expect.stringMatching(/"manager reload",manager reload$/),
      expect.stringMatching(/"dialplan reload",dialplan reload$/),
    ]);
    const upgraded = pbx.read('extensions_mes.conf');
    expect(upgraded.startsWith(older)).toBe(true);
    expect(contexts(upgraded)).toEqual(['mes', 'mes-hangup', 'mes-rate', 'mes-code-asked', 'mes-best']);
    expect(upgraded).toContain('; Which of some trunks the next call should take');
    expect(
      [...upgraded.matchAll(/agi:\/\/127\.0\.0\.1:4573\/(?:hangup|rate|best)\/([\w-]+)/g)].map(([, of]) => of),
    ).toEqual(Array.from({ length: 4 }, () => secret));
    expect(pbx.read('manager_mes.conf')).toBe(manager);
    expect((await pbx.setup('--write')).stdout).toContain('Everything is set up already');

    // Classes of somebody's own stay, and a context that is elsewhere does not come twice.
    writeFileSync(join(pbx.etc, 'manager_mes.conf'), manager.replace(/^write = .*$/m, 'write = call ; no more'));
    writeFileSync(join(pbx.etc, 'extensions_mes.conf'), older);
    writeFileSync(
      join(pbx.etc, 'extensions.conf'),
      `${pbx.read('extensions.conf')}[mes-best]\nexten => s,1,Return()\n`,
    );
    await pbx.setup('--write');
    expect(pbx.read('manager_mes.conf')).toMatch(/^write = call ; no more$/m);
    expect(contexts(pbx.read('extensions_mes.conf'))).toEqual(['mes', 'mes-hangup', 'mes-rate', 'mes-code-asked']);
  });

  test('FreePBX: its own files stay, those for people get the lines, and the columns are named', async () => {
    writeFileSync(join(pbx.etc, 'manager.conf'), '[general]\n#include manager_custom.conf\n');
    writeFileSync(join(pbx.etc, 'extensions.conf'), '#include extensions_custom.conf\n');
    writeFileSync(join(pbx.etc, 'extensions_additional.conf'), '');
    writeFileSync(join(pbx.etc, 'cdr.conf'), '[general]\n');
    const before = pbx.contents();
    const { status, stdout } = await pbx.setup('--write');
    expect(status).toBe(0);
    expect(pbx.read('manager_custom.conf')).toBe('; asterisk-mes:\n#include manager_mes.conf\n');
    expect(pbx.read('extensions_custom.conf')).toBe(
      '; asterisk-mes:\n#include extensions_mes.conf\n; asterisk-mes:\n#include extensions_mes_hooks.conf\n',
    );
    expect(pbx.read('extensions_override_freepbx.conf')).toBe(
      '; asterisk-mes:\n#include extensions_mes_override.conf\n',
    );
    for (const [name, text] of Object.entries(before)) expect(pbx.read(name)).toBe(text);
    expect(readdirSync(pbx.etc)).not.toContain('cdr_custom_mes.conf');
    expect(stdout).toContain('ALTER TABLE cdr ADD COLUMN mes DECIMAL(3,2) NULL;');
    const once = pbx.contents();
    await pbx.setup('--write', '--target', 'freepbx');
    expect(pbx.contents()).toEqual(once);
  });

  test('wrong usage and wrong places are said in one sentence', async () => {
    const target = await pbx.setup('--target', 'windows');
    expect(target.status).toBe(2);
    const nowhere = await asteriskMes(['setup', '--asterisk-dir', join(pbx.outside, 'none'), '--config', pbx.config]);
    expect([nowhere.status, nowhere.stdout]).toEqual([1, '']);
    expect(nowhere.stderr).toBe(
      `asterisk-mes: ${join(pbx.outside, 'none')} does not exist; name the directory of manager.conf with --asterisk-dir\n`,
    );
    writeFileSync(pbx.config, '[ami]\nsecert = x\n');
    const settings = await pbx.setup('--write');
    expect(settings.status).toBe(1);
    expect(settings.stderr).toContain('did you mean "secret"?');
    expect(readdirSync(pbx.etc)).not.toContain('manager_mes.conf');
  });
});
