import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/app/version.ts';
import { dump, makeHistory, settingsFor } from './rescored-history.ts';

const ENTRY = join(import.meta.dirname, '../../src/asterisk-mes.js');

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-cli-rescore-'));
  config = join(folder, 'mes.conf');
  writeFileSync(config, `[ami]\nusername = mes\nsecret = s\n[history]\npath = ${join(folder, 'mes.sqlite')}\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function rescore(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    const words = [ENTRY, 'rescore', '--config', config, ...args];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words);
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

describe('asterisk-mes rescore', () => {
  test('scores the history again and says in one sentence what it did', async () => {
    const path = await makeHistory(settingsFor(folder, 'documented'));
    expect(await rescore('--profile', 'asterisk-2026.09', '--from', '2023-11-14', '--to', '-1h')).toEqual({
      status: 0,
      stdout: `Rescored 26 calls by profile asterisk-2026.09 (asterisk-mes ${VERSION}); none was left as it was.\n`,
      stderr: '',
    });
    for (const table of ['calls', 'channels', 'streams', 'segments', 'intervals']) {
      const profiles = dump(path)[table]?.map((row) => (row as { profile: string }).profile);
      expect(new Set(profiles)).toEqual(new Set(['asterisk-2026.09']));
    }
    const none = await rescore('--profile', 'documented', '--from', '-1h');
    expect(none).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Rescored 0 calls by profile documented /),
    });
  });

  test('makes no history where there is none', async () => {
    const { status, stdout, stderr } = await rescore('--profile', 'documented');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      `asterisk-mes: there is no history at ${join(folder, 'mes.sqlite')}; check path in [history], or name the settings with --config\n`,
    );
    expect(existsSync(join(folder, 'mes.sqlite'))).toBe(false);
  });

  test("leaves another program's database alone", async () => {
    writeFileSync(join(folder, 'mes.sqlite'), 'something else altogether, and long enough to be told from a database');
    const { status, stderr } = await rescore('--profile', 'documented');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^asterisk-mes: the history \S+ is not a whole SQLite database; [^\n]+\n$/);
  });

  test.each([
    [[], /--profile/],
    [['--profile', 'best'], /documented, documented-per-report, informed, asterisk-22.10/],
    [['--profile', 'custom', '--from', 'yesterday'], /^asterisk-mes: --from: give an ISO 8601 time such as/],
    [['--profile', 'custom', '--to', '-0h'], /^asterisk-mes: --to: give/],
    [['--profile', 'custom', '--from', '-1h', '--to', '-2h'], /--from is later than --to/],
    [['--profile', 'custom', '--since', '-1h'], /unknown option '--since'/],
  ])('%j is wrong usage', async (args, sentence) => {
    const { status, stdout, stderr } = await rescore(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
  });
});
