import { readFile } from 'node:fs/promises';
import { errorCode } from '../model/errors/error-code.ts';
import type { Environment } from './setting-reader.ts';
import { SettingsError } from './settings-error.ts';
import { loadOfflineSettings, loadSettings, type OfflineSettings, type Settings } from './settings.ts';

export const DEFAULT_SETTINGS_PATH = '/etc/asterisk/mes.conf';

/**
 * Reads the settings from a file and the environment. The default file may be missing, because environment and defaults can be
 * enough. A named file may not. Throws SettingsError.
 */
export async function readSettings(path: string | undefined, env: Environment): Promise<Settings> {
  return loadSettings(await textOf(path), path ?? DEFAULT_SETTINGS_PATH, env);
}

/** Like `readSettings`, for commands that do not talk to Asterisk. */
export async function readOfflineSettings(path: string | undefined, env: Environment): Promise<OfflineSettings> {
  return loadOfflineSettings(await textOf(path), path ?? DEFAULT_SETTINGS_PATH, env);
}

async function textOf(path: string | undefined): Promise<string | undefined> {
  const file = path ?? DEFAULT_SETTINGS_PATH;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCode(error, 'unknown');
    if (code === 'ENOENT' && path === undefined) return undefined;
    throw new SettingsError([unreadable(file, code)]);
  }
}

function unreadable(file: string, code: string): string {
  if (code === 'ENOENT')
    return `${file} does not exist; asterisk-mes setup writes it, or name another file with --config`;
  if (code === 'EACCES')
    return `${file} cannot be read (permission denied); let the user that runs asterisk-mes read it`;
  if (code === 'EISDIR') return `${file} is a directory; name a file with --config`;
  return `${file} cannot be read (${code}); check the file, or name another with --config`;
}
