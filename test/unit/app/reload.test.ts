import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedSettings } from '../../../src/app/settings/changed-settings.ts';
import { exposureWarnings, settingsFiles } from '../../../src/app/settings/exposed-files.ts';
import { createLog } from '../../../src/app/state/log.ts';
import { reloader } from '../../../src/app/settings/reload.ts';
import { loadSettings, type Settings } from '../../../src/config/settings.ts';

const LOGIN = '[ami]\nusername = mes\nsecret = hunter2\n';
const load = (text: string): Settings => loadSettings(LOGIN + text, 'mes.conf', {});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-reload-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('settings that have changed', () => {
  it('are told by name and never by value, those that count at once apart', () => {
    const before = load('');
    const after = load(
      `[agi]
bind = 127.0.0.1:4600
secret = new-secret
[http]
token = new-token
[history]
keep_intervals = 1d
[ari]
url = http://127.0.0.1:8088
username = u
password = new-password
[profile:custom]
base_r = 90
[codec:g729]
delay_ms = 25
[endpoint:PJSIP/a*]
advantage = 10
`,
    );
    const changed = changedSettings(before, after);
    expect(changed.taken.toSorted()).toEqual(['[agi] secret', '[http] token']);
    expect(changed.waiting.toSorted()).toEqual([
      '[agi] bind',
      '[ari]',
      '[codec:NAME]',
      '[endpoint:PATTERN]',
      '[history] keep_intervals',
      '[profile:custom] base_r',
    ]);
    expect(JSON.stringify(changed)).not.toMatch(/new-|hunter2/);
    expect(changedSettings(after, after)).toEqual({ taken: [], waiting: [] });
  });
});

describe('a file that is read again', () => {
  function start(text: string): {
    write: (text: string) => void;
    reload: () => Promise<void>;
    changes: Settings[];
    told: string[];
  } {
    const path = join(folder, 'mes.conf');
    const write = (more: string): void => writeFileSync(path, LOGIN + more);
    write(text);
    const told: string[] = [];
    const changes: Settings[] = [];
    const log = createLog('silent');
    for (const level of ['info', 'warn', 'error'] as const) {
      log[level] = (...words: unknown[]): void => void told.push(`${level}: ${String(words.at(-1))}`);
    }
    const change = (settings: Settings): void => void changes.push(settings);
    return { write, reload: reloader({ path, env: {}, log, settings: load(text), change }), changes, told };
  }

  it('changes what can be changed, and names the rest until the restart', async () => {
    const { write, reload, changes, told } = start('[http]\ntoken = one\n');
    write('[http]\ntoken = two\nbind = 127.0.0.1:9999\n');
    await reload();
    expect(changes.map(({ http }) => http.token)).toEqual(['two']);
    await reload();
    expect(changes).toHaveLength(1);
    expect(told).toEqual([
      'info: the settings were read again; changed: [http] token',
      'warn: after a restart only will count: [http] bind',
      'info: the settings were read again; nothing changes',
      'warn: after a restart only will count: [http] bind',
    ]);
  });

  it('and is wrong changes nothing, and says where it is wrong', async () => {
    const { write, reload, changes, told } = start('[http]\ntoken = one\n');
    write('[http]\ntokn = two\n');
    await reload();
    expect(changes).toEqual([]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^error: .*mes\.conf line 5: unknown key "tokn" in \[http\]; did you mean "token"\?$/);
    write('[http]\ntoken = two\n');
    await reload();
    expect(changes.map(({ http }) => http.token)).toEqual(['two']);
  });
});

describe('the warning of a file that is open to all', () => {
  it('looks past the copy that systemd makes at what it is a copy of', async () => {
    const copies = join(folder, 'credentials');
    const original = join(folder, 'mes.conf');
    mkdirSync(copies);
    writeFileSync(join(copies, 'mes.conf'), 'x', { mode: 0o400 });
    writeFileSync(original, 'x');
    chmodSync(original, 0o644);
    const env = { CREDENTIALS_DIRECTORY: copies };
    const warnings = await exposureWarnings(settingsFiles(join(copies, 'mes.conf'), env, original));
    expect(warnings).toEqual([
      `${original} is open to every user of this machine and holds secrets; run chmod o= ${original}`,
    ]);
    chmodSync(original, 0o640);
    expect(await exposureWarnings(settingsFiles(join(copies, 'mes.conf'), env, original))).toEqual([]);
    chmodSync(original, 0o644);
    expect(await exposureWarnings(settingsFiles(join(folder, 'other.conf'), env, original))).toEqual([]);
  });
});
