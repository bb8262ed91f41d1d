import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readOfflineSettings, readSettings } from '../../../src/config/read-settings.ts';

const LOGIN = { MES_AMI_USERNAME: 'mes', MES_AMI_SECRET: 'hunter2' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mes-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('reads the file that it is given and names it in messages', async () => {
  const path = join(folder, 'own.conf');
  await writeFile(path, '[http]\nbind = 127.0.0.1:9999\n');
  expect((await readSettings(path, LOGIN)).http.bind).toEqual({ host: '127.0.0.1', port: 9999 });
  await writeFile(path, '[htp]\n');
  await expect(readSettings(path, LOGIN)).rejects.toMatchObject({
    problems: [`${path} line 1: unknown section "htp"; did you mean "http"?`],
  });
});

it('says in one sentence why a file cannot be read', async () => {
  const missing = join(folder, 'none.conf');
  await expect(readSettings(missing, LOGIN)).rejects.toMatchObject({
    problems: [`${missing} does not exist; asterisk-mes setup writes it, or name another file with --config`],
  });
  await expect(readSettings(folder, LOGIN)).rejects.toMatchObject({
    problems: [`${folder} is a directory; name a file with --config`],
  });
});

it('does not need a login to Asterisk for what does not talk to it, and is as strict about the rest', async () => {
  const path = join(folder, 'own.conf');
  await writeFile(path, '[general]\nprofile = informed\n');
  const settings = await readOfflineSettings(path, {});
  expect(settings.general.profile).toBe('informed');
  expect(settings.http.bind).toEqual({ host: '127.0.0.1', port: 8090 });
  await expect(readSettings(path, {})).rejects.toMatchObject({
    problems: [expect.stringMatching(/username is missing/), expect.stringMatching(/secret is missing/)],
  });
  await writeFile(path, '[ami]\nport = x\n');
  await expect(readOfflineSettings(path, {})).rejects.toMatchObject({
    problems: [`${path} line 2: [ami] port = "x" is not allowed; give a whole number from 1 to 65535`],
  });
});
