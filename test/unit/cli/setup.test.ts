import {
  existsSync,
  lstatSync,
  symlinkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SetupFile, writeSetupFile } from '../../../src/app/setup/write-files.ts';
import { asteriskMes, type Outcome } from './command.ts';

/** As a vanilla PBX has them; endbeforehexten as some sample files set it. */
const PBX: Readonly<Record<string, string>> = {
  'manager.conf': '[general]\nenabled = yes\n#include "manager.d/*.conf"\n[other]\nsecret = theirs\nread = call\n',
  'extensions.conf': '[general]\n[in]\nexten => 1,1,Dial(PJSIP/a)',
  'cdr.conf': '[general]\nendbeforehexten = no\n',
  'cdr_custom.conf': '; nothing\n',
  'ari.conf': '[general]\nenabled = yes\nchannelvars = CRM_ID, MES\n',
  'http.conf': '[general]\nbindport = 8089\n',
};

let folder = '';
let etc = '';
let config = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-setup-'));
  etc = join(folder, 'etc');
  config = join(etc, 'mes.conf');
  mkdirSync(etc);
  for (const [name, text] of Object.entries(PBX)) writeFileSync(join(etc, name), text, { mode: 0o644 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setup(...more: string[]): Promise<Outcome> {
  return asteriskMes(['setup', '--asterisk-dir', etc, '--config', config, ...more]);
}

function read(name: string): string {
  return readFileSync(join(etc, name), 'utf8');
}

function contents(): Record<string, string> {
  return Object.fromEntries(readdirSync(etc).map((name) => [name, read(name)]));
}

function modeOf(name: string): string {
  return (statSync(join(etc, name)).mode & 0o777).toString(8);
}

function secretOf(name: string): string {
  return /^secret = (.*)$/m.exec(read(name))?.[1] ?? '';
}

describe('asterisk-mes setup', () => {
  test('a mes.conf of comments alone, as the Debian package has it, is filled in and kept beside', async () => {
    const packaged = '; asterisk-mes setup fills this file in\n';
    writeFileSync(config, packaged);
    const { status, stderr } = await setup('--write');
    expect([status, stderr]).toEqual([0, '']);
    expect(secretOf('mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(secretOf('manager_mes.conf')).toBe(secretOf('mes.conf'));
    expect(read('mes.conf.before-asterisk-mes')).toBe(packaged);
  });

  test('without --write it prints every file, no secret, and touches nothing', async () => {
    const { status, stdout, stderr } = await setup();
    expect([status, stderr]).toEqual([0, '']);
    expect(contents()).toEqual(PBX);
    for (const name of [
      'mes.conf',
      'manager_mes.conf',
      'extensions_mes.conf',
      'cdr_mes.conf',
      'cdr_custom_mes.conf',
      'ari_mes.conf',
      'http_mes.conf',
    ]) {
      expect(stdout).toContain(`=== ${join(etc, name)} (new, mode `);
    }
    expect(stdout).toContain(
      `=== ${join(etc, 'manager.conf')}: added at its end\n; asterisk-mes:\n#include manager_mes.conf\n`,
    );
    expect(stdout.match(/^secret = \(a random one, made up by --write\)$/gm)).toHaveLength(3);
    expect(stdout).toContain('AGI(agi://127.0.0.1:4573/hangup/(a random one, made up by --write))');
    expect(stdout.match(/^password = \(a random one, made up by --write\)$/gm)).toHaveLength(2);
    expect(stdout).not.toMatch(/CHANGE-ME$/m);
  });

  test('with --write: lines at the end, a backup of what was there, tight modes, one random secret', async () => {
    const { status, stdout } = await setup('--write');
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
      expect(read(name)).toBe(`${before}${before.endsWith('\n') ? '' : '\n'}; asterisk-mes:\n#include ${own}\n`);
      expect(read(`${name}.before-asterisk-mes`)).toBe(before);
    }
    expect(secretOf('mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(secretOf('manager_mes.conf')).toBe(secretOf('mes.conf'));
    expect(stdout).not.toContain(secretOf('mes.conf'));
    expect([...stdout.matchAll(/^ {2}asterisk -rx "(.*?)"/gm)].map(([, command]) => command)).toEqual([
      'manager reload',
      'dialplan reload',
      'module reload cdr',
      'module reload http',
      'module reload res_ari.so',
      'module reload cdr_custom.so',
    ]);
    expect(['mes.conf', 'manager_mes.conf', 'manager.conf', 'extensions_mes.conf'].map(modeOf)).toEqual([
      '600',
      '640',
      '644',
      '640',
    ]);
    // The hangup handler's secret, which is not the manager's.
    const [, agiSecret = ''] = /^\[agi\][^[]*?^secret = ([\w-]{32})$/ms.exec(read('mes.conf')) ?? [];
    expect(read('extensions_mes.conf')).toContain(`AGI(agi://127.0.0.1:4573/hangup/${agiSecret})`);
    expect(agiSecret).not.toBe(secretOf('mes.conf'));
    expect(stdout).not.toContain(agiSecret || 'none');
    // There is a [general] to add to, and no [mappings].
    expect(read('cdr_mes.conf')).toMatch(/^\[general\]\(\+\)$/m);
    expect(read('cdr_custom_mes.conf')).toMatch(/^\[mappings\]$/m);
  });

  test('switches ARI on, for this machine, with the variables of every event beside those that ride there already', async () => {
    await setup('--write');
    const password = /^password = ([\w-]{32})$/m.exec(read('ari_mes.conf'))?.[1];
    expect(read('mes.conf')).toContain(`password = ${password}\n`);
    expect(password).not.toBe(secretOf('mes.conf'));
    expect(read('mes.conf')).toMatch(
      /^\[ari\]\n(;.*\n)*url = http:\/\/127\.0\.0\.1:8089\n(;.*\n)*username = mes\npassword/m,
    );
    expect(modeOf('ari_mes.conf')).toBe('640');
    expect(read('ari_mes.conf')).toMatch(
      /^\[general\]\(\+\)\n(;.*\n)*channelvars = CRM_ID,MES,MES_RX,MES_TX,MES_VERDICT$/m,
    );
    expect(read('http_mes.conf')).toMatch(/^\[general\]\(\+\)\nenabled = yes\nbindaddr = 127\.0\.0\.1$/m);
  });

  test('a settings file of before gets ARI at its end, once; one that has an address, or an empty one, keeps it', async () => {
    const before = '[ami]\nusername = mes\nsecret = known-one\n';
    writeFileSync(config, before);
    await setup('--write');
    const after = read('mes.conf');
    expect(after.slice(0, before.length)).toBe(before);
    expect(after.slice(before.length)).toMatch(
      /^\n\[ari\]\nurl = http:\/\/127\.0\.0\.1:8089\nusername = mes\npassword = [\w-]{32}\n\n\[agi\]\nsecret = [\w-]{32}\n$/,
    );
    const own = `${before}[ari]\nurl =\n`;
    writeFileSync(config, own);
    await setup('--write');
    // The hangup handler's secret is taken from where it is still known.
    const [, known] = /hangup\/([\w-]{32})\)/.exec(read('extensions_mes.conf')) ?? [];
    expect(read('mes.conf')).toBe(`${own}\n[agi]\nsecret = ${known}\n`);
    expect(after).toContain(`[agi]\nsecret = ${known}\n`);
  });

  test.each([
    ['enabled = yes', 'http://127.0.0.1:8088'],
    ['enabled = yes\nbindaddr = 0.0.0.0\nbindport = 8080\nprefix = /asterisk/', 'http://127.0.0.1:8080/asterisk'],
    ['enabled = yes\nbindaddr = ::', 'http://127.0.0.1:8088'],
    ['enabled = yes\nbindaddr = fd00::5', 'http://[fd00::5]:8088'],
    ['enabled = yes\nbindaddr = 192.0.2.1', 'http://192.0.2.1:8088'],
    ['enabled = no\nbindaddr = 192.0.2.1', 'http://127.0.0.1:8088'],
  ])('ARI is where the HTTP server is (%j)', async (http, url) => {
    writeFileSync(join(etc, 'http.conf'), `[general]\n${http}\n`);
    const { stdout } = await setup('--write');
    expect(read('mes.conf')).toContain(`\nurl = ${url}\n`);
    const isOn = http.startsWith('enabled = yes');
    expect(readdirSync(etc).includes('http_mes.conf')).toBe(!isOn);
    expect(stdout.includes("Asterisk's HTTP server is on already")).toBe(isOn);
  });

  test('twice is the same as once', async () => {
    await setup('--write');
    const once = contents();
    const { status, stdout } = await setup('--write');
    expect(status).toBe(0);
    expect(contents()).toEqual(once);
    expect(stdout).toContain('Everything is set up already');
  });

  test('what people have done since stays, and what is missing is made again', async () => {
    await setup('--write');
    const changed = `${read('manager_mes.conf')}eventfilter = !Event: Newexten\n`;
    writeFileSync(join(etc, 'manager_mes.conf'), changed);
    rmSync(join(etc, 'extensions_mes.conf'));
    const { stdout } = await setup('--write');
    expect(read('manager_mes.conf')).toBe(changed);
    expect(stdout).toContain(`Made ${join(etc, 'extensions_mes.conf')}`);
    expect(read('extensions.conf').match(/#include/g)).toHaveLength(1);
  });

  test('the settings that are there count: user, secret and address of the sidecar', async () => {
    const agi = '[agi]\nbind = 127.0.0.1:4600\nsecret = known-agi-secret\n';
    writeFileSync(
      config,
      `[ami]\nusername = scorer\nsecret = known-one\n${agi}[alerts]
smtp = smtp://mes:known-mail-word@mail.example.com
from = a@example.com
to = b@example.com
webhook = https://example.com/known-hook
webhook_secret = known-hook-secret
`,
    );
    const printed = await setup();
    expect(printed.stdout).not.toMatch(/known-/);
    expect(printed.stdout).toContain('secret = (the one that is set already)');
    await setup('--write');
    expect(read('mes.conf')).toContain('secret = known-one\n[agi]');
    expect(read('manager_mes.conf')).toMatch(/^\[scorer\]\nsecret = known-one$/m);
    expect(read('extensions_mes.conf')).toContain('AGI(agi://127.0.0.1:4600/hangup/known-agi-secret)');
    expect(read('mes.conf')).toContain(agi);
  });

  test('a link stays a link: what it stands for is written', async () => {
    const real = join(etc, 'real', 'manager.conf');
    mkdirSync(join(etc, 'real'));
    writeFileSync(real, PBX['manager.conf'] ?? '');
    rmSync(join(etc, 'manager.conf'));
    symlinkSync(real, join(etc, 'manager.conf'));
    await setup('--write');
    expect(lstatSync(join(etc, 'manager.conf')).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toMatch(/#include manager_mes\.conf\n$/);
  });

  test('a link out of the directory is not followed, neither to write nor to copy what is there', async () => {
    const real = join(folder, 'elsewhere.conf');
    writeFileSync(real, 'not ours\n', { mode: 0o600 });
    rmSync(join(etc, 'manager.conf'));
    symlinkSync(real, join(etc, 'manager.conf'));
    const { status, stderr } = await setup('--write');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^asterisk-mes: a link in \S+ leads to \S+elsewhere\.conf, out of that directory, and setup writes through none; put the file itself there\n$/,
    );
    expect(readFileSync(real, 'utf8')).toBe('not ours\n');
    expect(readdirSync(etc).filter((name) => name.includes('before'))).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(['elsewhere.conf', 'etc']);
  });

  test('an older installation gets the secret of the hangup handler into both files, and keeps the rest', async () => {
    await setup('--write');
    const older = (text: string): string => text.replaceAll(/(\/(?:hangup|rate|best))\/[\w-]+(?=[),])/g, '$1');
    const edited = older(`${read('extensions_mes.conf')}; by hand\n`);
    writeFileSync(join(etc, 'extensions_mes.conf'), edited);
    writeFileSync(config, '[ami]\nusername = mes\nsecret = x\n[agi] ; the handler\nbind = 127.0.0.1:4573\n[http]\n');
    await setup('--write');
    const [, secret = ''] = /^secret = ([\w-]{32})$/m.exec(read('mes.conf')) ?? [];
    const filled = `[ami]\nusername = mes\nsecret = x\n[agi] ; the handler\nsecret = ${secret}\nbind = 127.0.0.1:4573\n[http]\n`;
    expect(read('mes.conf').startsWith(filled)).toBe(true);
    expect(read('extensions_mes.conf')).toBe(
      edited.replaceAll(/\/(?:hangup|rate|best)(?=[),])/g, (script) => `${script}/${secret}`),
    );
    expect(modeOf('extensions_mes.conf.before-asterisk-mes')).toBe('640');
  });

  test('a user in a file that manager.conf includes by a pattern counts, and a semicolon in its secret', async () => {
    mkdirSync(join(etc, 'manager.d'));
    writeFileSync(join(etc, 'manager.d/mes.conf'), '[mes]\nsecret = with\\;semicolon\n');
    const { stdout } = await setup('--write');
    expect(stdout).toContain('manager.conf has a user [mes] already');
    expect(read('mes.conf')).toContain('secret = with\\;semicolon\n');
    expect(readdirSync(etc)).not.toContain('manager_mes.conf');
  });

  test('a manager that is switched off is mentioned', async () => {
    expect((await setup()).stdout).not.toContain('AMI is off');
    writeFileSync(join(etc, 'manager.conf'), '[general]\nenabled = no\n');
    expect((await setup()).stdout).toContain('AMI is off: write enabled = yes in [general] of manager.conf');
  });

  test('other secrets of a mes.conf that is printed are not shown either', async () => {
    writeFileSync(config, '[ami]\nusername = mes\nsecret = CHANGE-ME\n[http]\ntoken = hidden-token\n');
    const { stdout } = await setup();
    expect(stdout).toContain(`=== ${config} (changed, mode 600)`);
    expect(stdout).not.toContain('hidden-token');
  });

  test('a secret that was still to be chosen is chosen in its place, with a backup', async () => {
    const before = '[ami]\nusername = mes\nsecret = CHANGE-ME\n[history]\npath = /x/mes.sqlite\n';
    writeFileSync(config, before, { mode: 0o644 });
    await setup('--write');
    const chosen = before.replace('CHANGE-ME', secretOf('manager_mes.conf'));
    expect(read('mes.conf').startsWith(`${chosen}\n[ari]\n`)).toBe(true);
    const [, agiSecret] = /hangup\/([\w-]+)\)/.exec(read('extensions_mes.conf')) ?? [];
    expect(read('mes.conf')).toContain(`\n[agi]\nsecret = ${agiSecret}\n`);
    expect(modeOf('mes.conf.before-asterisk-mes')).toBe('600');
    expect(secretOf('manager_mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(read('mes.conf.before-asterisk-mes')).toBe(before);
    expect(modeOf('mes.conf')).toBe('600');
  });

  test('a user, a handler, a mapping and a switch that are there already are left alone', async () => {
    writeFileSync(join(etc, 'manager.conf'), '[general]\n[mes]\nsecret = by-hand\n');
    writeFileSync(join(etc, 'extensions.conf'), '[mes-hangup]\nexten => s,1,Return()\n');
    writeFileSync(join(etc, 'ari.conf'), '[general]\nenabled = no\n[mes]\ntype = user\npassword = in-ari\n');
    writeFileSync(join(etc, 'http.conf'), '[general]\nenabled = yes\n');
    writeFileSync(join(etc, 'cdr.conf'), '[general]\n');
    writeFileSync(join(etc, 'cdr_custom.conf'), `[mappings]\nMaster.csv => \${CDR(mes)}\n`);
    const { stdout } = await setup('--write');
    expect(readdirSync(etc).toSorted()).toEqual([...Object.keys(PBX), 'mes.conf'].toSorted());
    expect(secretOf('mes.conf')).toBe('by-hand');
    expect(stdout).toContain('manager.conf has a user [mes] already; it stays as it is.');
    expect(stdout).toContain('ari.conf has a user [mes] already; it stays as it is. Add channelvars');
    expect(stdout).toContain('ARI is off: write enabled = yes in [general] of ari.conf.');
    expect(read('mes.conf')).toContain('password = in-ari\n');
  });

  test('FreePBX: its own files stay, those for people get the lines, and the columns are named', async () => {
    writeFileSync(join(etc, 'manager.conf'), '[general]\n#include manager_custom.conf\n');
    writeFileSync(join(etc, 'extensions.conf'), '#include extensions_custom.conf\n');
    writeFileSync(join(etc, 'extensions_additional.conf'), '');
    writeFileSync(join(etc, 'cdr.conf'), '[general]\n');
    const before = contents();
    const { status, stdout } = await setup('--write');
    expect(status).toBe(0);
    expect(read('manager_custom.conf')).toBe('; asterisk-mes:\n#include manager_mes.conf\n');
    expect(read('extensions_custom.conf')).toBe(
      '; asterisk-mes:\n#include extensions_mes.conf\n; asterisk-mes:\n#include extensions_mes_hooks.conf\n',
    );
    expect(read('extensions_override_freepbx.conf')).toBe('; asterisk-mes:\n#include extensions_mes_override.conf\n');
    for (const [name, text] of Object.entries(before)) expect(read(name)).toBe(text);
    expect(readdirSync(etc)).not.toContain('cdr_custom_mes.conf');
    expect(stdout).toContain('ALTER TABLE cdr ADD COLUMN mes DECIMAL(3,2) NULL;');
    const once = contents();
    await setup('--write', '--target', 'freepbx');
    expect(contents()).toEqual(once);
  });

  test('wrong usage and wrong places are said in one sentence', async () => {
    const target = await setup('--target', 'windows');
    expect(target.status).toBe(2);
    const nowhere = await asteriskMes(['setup', '--asterisk-dir', join(folder, 'none'), '--config', config]);
    expect([nowhere.status, nowhere.stdout]).toEqual([1, '']);
    expect(nowhere.stderr).toBe(
      `asterisk-mes: ${join(folder, 'none')} does not exist; name the directory of manager.conf with --asterisk-dir\n`,
    );
    writeFileSync(config, '[ami]\nsecert = x\n');
    const settings = await setup('--write');
    expect(settings.status).toBe(1);
    expect(settings.stderr).toContain('did you mean "secret"?');
    expect(readdirSync(etc)).not.toContain('manager_mes.conf');
  });
});

/** Asterisk's user may write there, and setup is run by root. */
describe('what stands in the way of a file of setup', () => {
  const text = 'secret = new';
  function file(isNew: boolean): SetupFile {
    return {
      name: null,
      neighbour: 'a',
      text,
      added: null,
      place: '',
      isSecret: true,
      path: config,
      isNew,
      mode: 0o640,
    };
  }
  function written(): [text: string, mode: string, isFile: boolean] {
    return [read('mes.conf'), modeOf('mes.conf'), lstatSync(config).isFile()];
  }

  test('a link is neither followed nor kept', () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'of somebody else', { mode: 0o600 });
    for (const isNew of [true, false]) {
      rmSync(config, { force: true });
      if (!isNew) writeFileSync(config, 'secret = old', { mode: 0o600 });
      symlinkSync(victim, `${config}.asterisk-mes-new`);
      expect(writeSetupFile(file(isNew), etc)).toBe(isNew ? null : `${config}.before-asterisk-mes`);
      expect(written()).toEqual([text, '640', true]);
      expect([readFileSync(victim, 'utf8'), statSync(victim).mode & 0o777]).toEqual(['of somebody else', 0o600]);
      expect(readdirSync(etc)).not.toContain('mes.conf.asterisk-mes-new');
    }
    expect([read('mes.conf.before-asterisk-mes'), modeOf('mes.conf.before-asterisk-mes')]).toEqual([
      'secret = old',
      '600',
    ]);
  });

  test('a file with a mode of its own lends it to nobody', () => {
    writeFileSync(`${config}.asterisk-mes-new`, 'left', { mode: 0o600 });
    writeSetupFile(file(true), etc);
    expect(written()).toEqual([text, '640', true]);
  });

  test('a link in the place of the backup makes nothing elsewhere', () => {
    writeFileSync(config, 'secret = old');
    const elsewhere = join(folder, 'made-by-root');
    symlinkSync(elsewhere, `${config}.before-asterisk-mes`);
    expect(() => writeSetupFile(file(false), etc)).toThrow(`${config} cannot be written (EEXIST); run setup as root`);
    expect([existsSync(elsewhere), read('mes.conf')]).toEqual([false, 'secret = old']);
  });

  test('a directory in its place: no copy of the secret is left', () => {
    mkdirSync(config);
    expect(() => writeSetupFile(file(true), etc)).toThrow(`${config} cannot be written (EISDIR)`);
    expect([readdirSync(config), readdirSync(etc)]).toEqual([[], [...Object.keys(PBX), 'mes.conf'].toSorted()]);
  });
});
