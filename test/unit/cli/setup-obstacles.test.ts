import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type SetupFile, writeSetupFile } from '../../../src/app/setup/write-files.ts';
import { PBX, SetupFolder } from './setup-folder.ts';

const pbx = new SetupFolder();

/** Asterisk's user may write there, and setup is run by root. */
describe('what stands in the way of a file of setup', () => {
  test('a link stays a link: what it stands for is written', async () => {
    const real = join(pbx.etc, 'real', 'manager.conf');
    mkdirSync(join(pbx.etc, 'real'));
    writeFileSync(real, PBX['manager.conf'] ?? '');
    rmSync(join(pbx.etc, 'manager.conf'));
    symlinkSync(real, join(pbx.etc, 'manager.conf'));
    await pbx.setup('--write');
    expect(lstatSync(join(pbx.etc, 'manager.conf')).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toMatch(/#include manager_mes\.conf\n$/);
  });

  test('a link out of the directory is not followed, neither to write nor to copy what is there', async () => {
    const real = join(pbx.outside, 'elsewhere.conf');
    writeFileSync(real, 'not ours\n', { mode: 0o600 });
    rmSync(join(pbx.etc, 'manager.conf'));
    symlinkSync(real, join(pbx.etc, 'manager.conf'));
    const { status, stderr } = await pbx.setup('--write');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^asterisk-mes: a link in \S+ leads to \S+elsewhere\.conf, out of that directory, and setup writes through none; put the file itself there\n$/,
    );
    expect(readFileSync(real, 'utf8')).toBe('not ours\n');
    expect(readdirSync(pbx.etc).filter((name) => name.includes('before'))).toEqual([]);
    expect(readdirSync(pbx.outside).toSorted()).toEqual(['elsewhere.conf', 'etc']);
  });

  const text = 'secret = new';
  function file(isNew: boolean): SetupFile {
    return {
      name: null,
      neighbour: 'a',
      text,
      added: null,
      place: '',
      isSecret: true,
      path: pbx.config,
      isNew,
      mode: 0o640,
    };
  }
  function written(): [text: string, mode: string, isFile: boolean] {
    return [pbx.read('mes.conf'), pbx.modeOf('mes.conf'), lstatSync(pbx.config).isFile()];
  }

  test('a link is neither followed nor kept', () => {
    const victim = join(pbx.outside, 'victim');
    writeFileSync(victim, 'of somebody else', { mode: 0o600 });
    for (const isNew of [true, false]) {
      rmSync(pbx.config, { force: true });
      if (!isNew) writeFileSync(pbx.config, 'secret = old', { mode: 0o600 });
      symlinkSync(victim, `${pbx.config}.asterisk-mes-new`);
      expect(writeSetupFile(file(isNew), pbx.etc)).toBe(isNew ? null : `${pbx.config}.before-asterisk-mes`);
      expect(written()).toEqual([text, '640', true]);
      expect([readFileSync(victim, 'utf8'), statSync(victim).mode & 0o777]).toEqual(['of somebody else', 0o600]);
      expect(readdirSync(pbx.etc)).not.toContain('mes.conf.asterisk-mes-new');
    }
    expect([pbx.read('mes.conf.before-asterisk-mes'), pbx.modeOf('mes.conf.before-asterisk-mes')]).toEqual([
      'secret = old',
      '600',
    ]);
  });

  test('a file with a mode of its own lends it to nobody', () => {
    writeFileSync(`${pbx.config}.asterisk-mes-new`, 'left', { mode: 0o600 });
    writeSetupFile(file(true), pbx.etc);
    expect(written()).toEqual([text, '640', true]);
  });

  test('a link in the place of the backup makes nothing elsewhere', () => {
    writeFileSync(pbx.config, 'secret = old');
    const elsewhere = join(pbx.outside, 'made-by-root');
    symlinkSync(elsewhere, `${pbx.config}.before-asterisk-mes`);
    expect(() => writeSetupFile(file(false), pbx.etc)).toThrow(
      `${pbx.config} cannot be written (EEXIST); run setup as root`,
    );
    expect([existsSync(elsewhere), pbx.read('mes.conf')]).toEqual([false, 'secret = old']);
  });

  test('a directory in its place: no copy of the secret is left', () => {
    mkdirSync(pbx.config);
    expect(() => writeSetupFile(file(true), pbx.etc)).toThrow(`${pbx.config} cannot be written (EISDIR)`);
    expect([readdirSync(pbx.config), readdirSync(pbx.etc)]).toEqual([[], [...Object.keys(PBX), 'mes.conf'].toSorted()]);
  });
});
