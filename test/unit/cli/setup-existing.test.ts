import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PBX, SetupFolder } from './setup-folder.ts';

const pbx = new SetupFolder();

describe('asterisk-mes setup, where settings, users and lines are there already', () => {
  test('a settings file of before gets ARI at its end, once; one that has an address, or an empty one, keeps it', async () => {
    const before = '[ami]\nusername = mes\nsecret = known-one\n';
    writeFileSync(pbx.config, before);
    await pbx.setup('--write');
    const after = pbx.read('mes.conf');
    expect(after.slice(0, before.length)).toBe(before);
    expect(after.slice(before.length)).toMatch(
      /^\n\[ari\]\nurl = http:\/\/127\.0\.0\.1:8089\nusername = mes\npassword = [\w-]{32}\n\n\[agi\]\nsecret = [\w-]{32}\n$/,
    );
    const own = `${before}[ari]\nurl =\n`;
    writeFileSync(pbx.config, own);
    await pbx.setup('--write');
    // The hangup handler's secret is taken from where it is still known.
    const [, known] = /hangup\/([\w-]{32})\)/.exec(pbx.read('extensions_mes.conf')) ?? [];
    expect(pbx.read('mes.conf')).toBe(`${own}\n[agi]\nsecret = ${known}\n`);
    expect(after).toContain(`[agi]\nsecret = ${known}\n`);
  });

  test('what people have done since stays, and what is missing is made again', async () => {
    await pbx.setup('--write');
    const changed = `${pbx.read('manager_mes.conf')}eventfilter = !Event: Newexten\n`;
    writeFileSync(join(pbx.etc, 'manager_mes.conf'), changed);
    rmSync(join(pbx.etc, 'extensions_mes.conf'));
    const { stdout } = await pbx.setup('--write');
    expect(pbx.read('manager_mes.conf')).toBe(changed);
    expect(stdout).toContain(`Made ${join(pbx.etc, 'extensions_mes.conf')}`);
    expect(pbx.read('extensions.conf').match(/#include/g)).toHaveLength(1);
  });

  test('the settings that are there count: user, secret and address of the sidecar', async () => {
    const agi = '[agi]\nbind = 127.0.0.1:4600\nsecret = known-agi-secret\n';
    writeFileSync(
      pbx.config,
      `[ami]\nusername = scorer\nsecret = known-one\n${agi}[alerts]
smtp = smtp://mes:known-mail-word@mail.example.com
from = a@example.com
to = b@example.com
webhook = https://example.com/known-hook
webhook_secret = known-hook-secret
`,
    );
    const printed = await pbx.setup();
    expect(printed.stdout).not.toMatch(/known-/);
    expect(printed.stdout).toContain('secret = (the one that is set already)');
    await pbx.setup('--write');
    expect(pbx.read('mes.conf')).toContain('secret = known-one\n[agi]');
    expect(pbx.read('manager_mes.conf')).toMatch(/^\[scorer\]\nsecret = known-one$/m);
    expect(pbx.read('extensions_mes.conf')).toContain('AGI(agi://127.0.0.1:4600/hangup/known-agi-secret)');
    expect(pbx.read('mes.conf')).toContain(agi);
  });

  test('an older installation gets the secret of the hangup handler into both files, and keeps the rest', async () => {
    await pbx.setup('--write');
    const older = (text: string): string => text.replaceAll(/(\/(?:hangup|rate|best))\/[\w-]+(?=[),])/g, '$1');
    const edited = older(`${pbx.read('extensions_mes.conf')}; by hand\n`);
    writeFileSync(join(pbx.etc, 'extensions_mes.conf'), edited);
    writeFileSync(
      pbx.config,
      '[ami]\nusername = mes\nsecret = x\n[agi] ; the handler\nbind = 127.0.0.1:4573\n[http]\n',
    );
    await pbx.setup('--write');
    const [, secret = ''] = /^secret = ([\w-]{32})$/m.exec(pbx.read('mes.conf')) ?? [];
    const filled = `[ami]\nusername = mes\nsecret = x\n[agi] ; the handler\nsecret = ${secret}\nbind = 127.0.0.1:4573\n[http]\n`;
    expect(pbx.read('mes.conf').startsWith(filled)).toBe(true);
    expect(pbx.read('extensions_mes.conf')).toBe(
      edited.replaceAll(/\/(?:hangup|rate|best)(?=[),])/g, (script) => `${script}/${secret}`),
    );
    expect(pbx.modeOf('extensions_mes.conf.before-asterisk-mes')).toBe('640');
  });

  test('a user in a file that manager.conf includes by a pattern counts, and a semicolon in its secret', async () => {
    mkdirSync(join(pbx.etc, 'manager.d'));
    writeFileSync(join(pbx.etc, 'manager.d/mes.conf'), '[mes]\nsecret = with\\;semicolon\n');
    const { stdout } = await pbx.setup('--write');
    expect(stdout).toContain('manager.conf has a user [mes] already');
    expect(pbx.read('mes.conf')).toContain('secret = with\\;semicolon\n');
    expect(readdirSync(pbx.etc)).not.toContain('manager_mes.conf');
  });

  test('a manager that is switched off is mentioned', async () => {
    expect((await pbx.setup()).stdout).not.toContain('AMI is off');
    writeFileSync(join(pbx.etc, 'manager.conf'), '[general]\nenabled = no\n');
    expect((await pbx.setup()).stdout).toContain('AMI is off: write enabled = yes in [general] of manager.conf');
  });

  test('other secrets of a mes.conf that is printed are not shown either', async () => {
    writeFileSync(pbx.config, '[ami]\nusername = mes\nsecret = CHANGE-ME\n[http]\ntoken = hidden-token\n');
    const { stdout } = await pbx.setup();
    expect(stdout).toContain(`=== ${pbx.config} (changed, mode 600)`);
    expect(stdout).not.toContain('hidden-token');
  });

  test('a secret that was still to be chosen is chosen in its place, with a backup', async () => {
    const before = '[ami]\nusername = mes\nsecret = CHANGE-ME\n[history]\npath = /x/mes.sqlite\n';
    writeFileSync(pbx.config, before, { mode: 0o644 });
    await pbx.setup('--write');
    const chosen = before.replace('CHANGE-ME', pbx.secretOf('manager_mes.conf'));
    expect(pbx.read('mes.conf').startsWith(`${chosen}\n[ari]\n`)).toBe(true);
    const [, agiSecret] = /hangup\/([\w-]+)\)/.exec(pbx.read('extensions_mes.conf')) ?? [];
    expect(pbx.read('mes.conf')).toContain(`\n[agi]\nsecret = ${agiSecret}\n`);
    expect(pbx.modeOf('mes.conf.before-asterisk-mes')).toBe('600');
    expect(pbx.secretOf('manager_mes.conf')).toMatch(/^[\w-]{32}$/);
    expect(pbx.read('mes.conf.before-asterisk-mes')).toBe(before);
    expect(pbx.modeOf('mes.conf')).toBe('600');
  });

  test('a user, a handler, a mapping and a switch that are there already are left alone', async () => {
    writeFileSync(join(pbx.etc, 'manager.conf'), '[general]\n[mes]\nsecret = by-hand\n');
    writeFileSync(join(pbx.etc, 'extensions.conf'), '[mes-hangup]\nexten => s,1,Return()\n');
    writeFileSync(join(pbx.etc, 'ari.conf'), '[general]\nenabled = no\n[mes]\ntype = user\npassword = in-ari\n');
    writeFileSync(join(pbx.etc, 'http.conf'), '[general]\nenabled = yes\n');
    writeFileSync(join(pbx.etc, 'cdr.conf'), '[general]\n');
    writeFileSync(join(pbx.etc, 'cdr_custom.conf'), `[mappings]\nMaster.csv => \${CDR(mes)}\n`);
    const { stdout } = await pbx.setup('--write');
    expect(readdirSync(pbx.etc).toSorted()).toEqual([...Object.keys(PBX), 'mes.conf'].toSorted());
    expect(pbx.secretOf('mes.conf')).toBe('by-hand');
    expect(stdout).toContain('manager.conf has a user [mes] already; it stays as it is.');
    expect(stdout).toContain('ari.conf has a user [mes] already; it stays as it is. Add channelvars');
    expect(stdout).toContain('ARI is off: write enabled = yes in [general] of ari.conf.');
    expect(pbx.read('mes.conf')).toContain('password = in-ari\n');
  });
});
