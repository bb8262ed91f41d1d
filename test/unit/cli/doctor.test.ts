import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { doctorText } from '../../../src/cli/doctor/doctor-text.ts';
import { PLAIN } from '../../../src/cli/terminal/paint.ts';
import { examine } from '../../../src/doctor/examine.ts';
import { WELL } from '../doctor/installation.ts';
import { asteriskMes } from './command.ts';

const SECRET = 'do-not-print-me';
let folder = '';
let config = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-doctor-'));
  config = join(folder, 'mes.conf');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('asterisk-mes doctor', () => {
  test('without an Asterisk: one JSON document, what files and machine tell, exit status 1', async () => {
    // Nobody can listen on port 1 here.
    writeFileSync(
      config,
      `[ami]\nport = 1\nusername = mes\nsecret = ${SECRET}\n[agi]\nbind = 127.0.0.1:1\n[http]\nbind = 127.0.0.1:1\n[history]\npath = ${join(folder, 'new/mes.sqlite')}\n`,
    );
    writeFileSync(join(folder, 'manager.conf'), `[mes]\nsecret = ${SECRET}\nread = call\nwrite = call\n`);
    const { status, stdout, stderr } = await asteriskMes([
      'doctor',
      '--json',
      '--config',
      config,
      '--asterisk-dir',
      folder,
    ]);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).not.toContain(SECRET);
    const report = JSON.parse(stdout) as { status: string; asterisk_version: null; checks: Record<string, unknown>[] };
    expect(report).toMatchObject({ status: 'problem', asterisk_version: null });
    const statuses = Object.fromEntries(report.checks.map(({ id, status: of }) => [id, of]));
    expect(statuses).toMatchObject({
      settings: 'ok',
      node: 'ok',
      ami: 'problem',
      'ami-classes': 'problem',
      'ami-writetimeout': 'warning',
      'asterisk-version': 'unknown',
      'rtcp-interval': 'ok',
      sidecar: 'warning',
    });
    expect(report.checks.find(({ id }) => id === 'ami-classes')).toEqual({
      id: 'ami-classes',
      status: 'problem',
      saw: 'The user "mes" lacks the read class reporting.',
      why: 'The RTCP reports are of class "reporting", channel events of class "call"; write class "call" sets the scores.',
      changes: [
        {
          file: join(folder, 'manager.conf'),
          section: 'mes',
          action: 'replace',
          line: 3,
          was: 'read = call',
          lines: ['read = call,reporting,dtmf'],
          afterwards: 'asterisk -rx "manager reload"',
        },
      ],
    });
  });

  test('a history that cannot be written is a problem, with what to do', async () => {
    writeFileSync(join(folder, 'file'), '');
    writeFileSync(
      config,
      `[ami]\nport = 1\nusername = mes\nsecret = x\n[http]\nbind = 127.0.0.1:1\n[history]\npath = ${join(folder, 'file/mes.sqlite')}\n`,
    );
    const { status, stdout } = await asteriskMes(['doctor', '--config', config]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^PROBLEM {2}disk .*file.*\n +Why: .*\n +Run:\n +install -d -m 700 /m);
  });

  test('settings that cannot be used: each sentence, and what does not depend on them', async () => {
    writeFileSync(config, `[ami]\nusername = mes\nsecert = ${SECRET}\n`);
    const { status, stdout, stderr } = await asteriskMes(['doctor', '--config', config]);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^PROBLEM {2}settings .*line 3.*"secret"/m);
    expect(stdout).toMatch(/^PROBLEM {2}settings .*secret is missing/m);
    expect(stdout).toMatch(/^ok {7}node /m);
    expect(stdout).toMatch(/^unknown {2}\d+ more +Not looked at; fix "settings" first\.\n +ami, ami-classes/m);
    expect(stdout).not.toContain(SECRET);
  });

  test('a directory that is not that of Asterisk is named, and nothing else is printed', async () => {
    const { status, stdout, stderr } = await asteriskMes(['doctor', '--json', '--asterisk-dir', folder]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `asterisk-mes: ${folder} has no manager.conf; name the directory of Asterisk's files with --asterisk-dir\n`,
    );
  });

  test('wrong usage exits with 2', async () => {
    expect((await asteriskMes(['doctor', '--jsno'])).status).toBe(2);
  });
});

test('on a terminal of 80 columns sentences are broken below each other, and lines to copy are not', () => {
  const findings = examine({
    ...WELL,
    ownDialOptions: [],
    reporters: [{ endpoint: 'PJSIP/a', calls: 9, unusableCalls: 9 }],
  });
  const lines = doctorText({ asteriskVersion: null, findings }, PLAIN, 80).split('\n');
  expect(lines.filter((line) => line.length > 80 && !/^ +/.test(line))).toEqual([]);
  const at = lines.findIndex((line) => line.startsWith('WARNING  report-blocks'));
  expect(lines.slice(at, at + 4).join('\n')).toMatch(
    /^WARNING  report-blocks {8}Most reports of these were about another stream\n {30}than ours: PJSIP\/a \(9 of 9 calls\)\.\n {30}Why: After a transfer/,
  );
  const whole = doctorText({ asteriskVersion: null, findings }, PLAIN, Number.POSITIVE_INFINITY);
  expect(whole).toContain('another stream than ours: PJSIP/a (9 of 9 calls).\n');
});
