import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { includedFiles } from '../../asterisk/config-files.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { planRemoval, type Removal, type RemovalPlan } from '../../setup/removal.ts';
import { readyFile } from '../ready-files.ts';
import { BACKUP_SUFFIX, removeFile, replaceText, SetupError, textOfFile } from './write-files.ts';

const ASIDE_SUFFIX = '.removed-asterisk-mes';

export interface RemovalOptions {
  /** Undefined: the default place. */
  readonly config: string | undefined;
  readonly asteriskDirectory: string;
  readonly usesElsewhere: readonly string[];
}

export interface PreparedRemoval extends RemovalPlan {
  readonly pathOf: (file: Removal) => string;
}

/** Finds what has to be taken back. Changes nothing. Throws SetupError. */
export function prepareRemoval({ config, asteriskDirectory, usesElsewhere }: RemovalOptions): PreparedRemoval {
  if (!existsSync(asteriskDirectory)) {
    throw new SetupError(`${asteriskDirectory} does not exist; name the directory of manager.conf with --asterisk-dir`);
  }
  const settingsPath = config ?? DEFAULT_SETTINGS_PATH;
  const pathOf = (name: string | null): string => (name === null ? settingsPath : join(asteriskDirectory, name));
  const plan = planRemoval({
    directory: asteriskDirectory,
    current: (name) => textOfFile(pathOf(name)),
    include: (pattern) => includedFiles(asteriskDirectory, pattern),
    ready: readyFile,
    settings: textOfFile(settingsPath),
    backup: (name) => textOfFile(`${pathOf(name)}${BACKUP_SUFFIX}`),
    usesElsewhere,
  });
  return { ...plan, pathOf: ({ name }) => pathOf(name) };
}

/** Changes one file, and returns a sentence about it. Throws SetupError. */
export function carryOut(file: Removal, path: string): string {
  if (file.action === 'keep') {
    const aside = `${path}${ASIDE_SUFFIX}`;
    renameSync(path, aside);
    return `Set ${path} aside as ${aside}: it has lines that are not from setup.`;
  }
  if (file.action === 'remove') {
    removeFile(path);
    removeBackups(path);
    return `Removed ${path}.`;
  }
  replaceText(path, file.text);
  if (file.name === 'extensions_mes.conf') return `Emptied ${path}: its contexts stay and do nothing.`;
  if (!file.isFinal) return `Took lines of ours out of ${path}; it still includes extensions_mes.conf.`;
  removeBackups(path);
  return file.isAsBefore
    ? `Took our lines out of ${path}: it is again what it was.`
    : `Took our lines out of ${path}; what others have changed since stays.`;
}

/** Removes what setup kept of a file, once nothing of ours is in it. */
function removeBackups(path: string): void {
  const start = `${basename(path)}${BACKUP_SUFFIX}`;
  for (const name of readdirSync(dirname(path))) {
    if (name === start || (name.startsWith(`${start}.`) && /^\d+$/.test(name.slice(start.length + 1)))) {
      removeFile(join(dirname(path), name));
    }
  }
}
