import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asteriskMes } from './command.ts';

let folder: string;
let config: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mes-cli-'));
  config = join(folder, 'mes.conf');
  // Port 1: nobody listens there.
  await writeFile(config, `[http]\nbind = 127.0.0.1:1\n[history]\npath = ${join(folder, 'mes.sqlite')}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['calls', /^asterisk-mes: no answer from http:\/\/127\.0\.0\.1:1; is asterisk-mes running\?/],
  ['rescore --profile informed', /^asterisk-mes: there is no history at \S+mes\.sqlite; check path in \[history\]/],
  ['calibrate', /^asterisk-mes: there is no history at \S+mes\.sqlite; check path in \[history\]/],
  [
    'alerts test bad-calls --from -30d',
    /^asterisk-mes: there is no history at \S+mes\.sqlite; check path in \[history\]/,
  ],
])('%s needs no login to Asterisk, and says what it does need', async (words, sentence) => {
  const { status, stdout, stderr } = await asteriskMes([...words.split(' '), '--config', config]);
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stdout).toBe('');
  expect(status).toBe(1);
});

test('fleet add-pbx says what to do where its file has no folder', async () => {
  const file = join(folder, 'none', 'fleet.conf');
  const { status, stderr } = await asteriskMes(['fleet', 'add-pbx', 'berlin', '--config', file]);
  expect(stderr).toBe(
    `asterisk-mes: ${file} cannot be written (ENOENT); make its folder, or name another file with --config\n`,
  );
  expect(status).toBe(1);
});
