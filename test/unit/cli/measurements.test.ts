import { existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newKeys } from '../measurements/spooled.ts';
import { asteriskMes } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'mes-measurements-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

describe('measurements', () => {
  const settings = path('mes.conf');
  writeFileSync(settings, `[measurements]\nspool = ${path('spool')}\nspool_max = 2 GB\n`);
  mkdirSync(path('spool'));
  const run = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await asteriskMes(['measurements', ...words, '--config', settings]);
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  };

  test('status has each amount with its unit, and the time as it is', async () => {
    writeFileSync(path(`spool/${'a'.repeat(32)}.age`), 'x'.repeat(1200));
    writeFileSync(path('spool/status.json'), JSON.stringify({ at: '2026-11-30T22:27:46.945Z', sent: 3 }));
    const text = await run('status');
    expect(text).toContain(`waiting    1 file, 2 kB of at most 2 GB, in ${path('spool')}\n`);
    expect(text).toMatch(/^sent {7}3, refused 0, /m);
    expect(text).toMatch(/^as of {6}2026-11-30T22:27:46\.945Z$/m);
    expect(await run('export', path('out'))).toBe(`Took 1 file out of the spool into ${path('out')}.\n`);
    expect(await run('status')).toContain('waiting    0 files, 0 kB of at most 2 GB');
  });
});

test('open of a source that cannot be read makes no study', async () => {
  const { identity } = await newKeys();
  writeFileSync(path('key.txt'), identity);
  const open = (source: string) =>
    asteriskMes(['open', path(source), '--identity', path('key.txt'), '--database', path('study.sqlite')]);
  const wrong = await open('nowhere');
  expect([wrong.status, wrong.stdout]).toEqual([1, '']);
  expect(wrong.stderr).toMatch(/nowhere cannot be read \(ENOENT\); name the directory of a collection server\n$/);
  expect(existsSync(path('study.sqlite'))).toBe(false);
  mkdirSync(path('empty'));
  expect(await open('empty')).toMatchObject({ status: 0, stdout: 'Loaded 0 measurements.\n' });
  expect(existsSync(path('study.sqlite'))).toBe(true);
});
