import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS_PATH } from '../../src/config/read-settings.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { labIsReady } from '../lab/obstacle.ts';

const SHIPPED = join(import.meta.dirname, '../../asterisk-conf');
const UNIT = 'asterisk-mes.service';
const COMMAND = '"$$(command -v asterisk-mes)" run';
/** Of 10; the scale calls what is below 2 "OK", a service without any protection has 9.6. */
const HIGHEST_EXPOSURE = 2;

const folder = mkdtempSync(join(tmpdir(), 'mes-systemd-'));
const unit = readFileSync(join(SHIPPED, UNIT), 'utf8');
const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

function analyze(...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { cwd: folder, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** What `systemd-analyze security` gives the unit, with the drop-ins that are in the folder. */
function exposure(): number {
  const { output } = analyze('security', '--offline=yes', '--no-pager', `./${UNIT}`);
  return Number(/Overall exposure level for \S+: (\d+\.\d)/.exec(output)?.[1]);
}

beforeAll(() => {
  // As installed: systemd looks for the program where it is on this machine.
  const entry = join(import.meta.dirname, '../../src/asterisk-mes.js');
  writeFileSync(join(folder, UNIT), unit.replace(COMMAND, `"${entry}" run`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(labIsReady())('the systemd unit', () => {
  test('is understood by systemd, with nothing to complain about', () => {
    expect(unit).toContain(COMMAND);
    expect(analyze('verify', `./${UNIT}`)).toEqual({ status: 0, output: '' });
    writeFileSync(join(folder, 'misspelt.service'), unit.replace('ProtectHome', 'ProtectHum'));
    expect(analyze('verify', './misspelt.service').output).toContain('ProtectHum');
  });

  test('leaves little open, and live capture opens little more', () => {
    const alone = exposure();
    expect(alone).toBeGreaterThan(0);
    expect(alone).toBeLessThan(HIGHEST_EXPOSURE);
    const dropIns = join(folder, `${UNIT}.d`);
    mkdirSync(dropIns);
    cpSync(join(SHIPPED, 'asterisk-mes-capture.conf'), join(dropIns, 'capture.conf'));
    expect(analyze('verify', `./${UNIT}`)).toEqual({ status: 0, output: '' });
    expect(exposure()).toBeGreaterThan(alone);
    expect(exposure()).toBeLessThan(HIGHEST_EXPOSURE);
  });

  test('gives the sidecar the file and the folder that it looks for', () => {
    expect(setting('LoadCredential')).toBe(`mes.conf:${DEFAULT_SETTINGS_PATH}`);
    const { history } = loadSettings('[ami]\nusername = mes\nsecret = x\n', 'mes.conf', {});
    expect(history.path).toBe(`/var/lib/${setting('StateDirectory')}/mes.sqlite`);
  });

  test('has what live capture needs and no other right: tcpdump runs with it as nobody', () => {
    const dropIn = readFileSync(join(SHIPPED, 'asterisk-mes-capture.conf'), 'utf8');
    expect(dropIn.match(/CAP_\w+/g)).toEqual(['CAP_NET_RAW', 'CAP_NET_RAW']);
    const rights = (capability: string): string[] =>
      `--reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps -all${capability} --ambient-caps -all${capability} --bounding-set -all${capability}`.split(
        ' ',
      );
    const listen = ['timeout', '--preserve-status', '1', 'tcpdump', '-i', 'any', '-n', 'port 1'];
    expect(() => execFileSync('setpriv', [...rights(''), ...listen], { stdio: 'pipe' })).toThrow(/permission/);
    expect(spawnSync('setpriv', [...rights(',+net_raw'), ...listen], { encoding: 'utf8' }).stderr).toMatch(
      /listening on any/,
    );
  });
});
