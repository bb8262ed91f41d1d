import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { errorCode } from '../../model/errors/error-code.ts';
import type { PlannedFile } from '../../setup/input.ts';

/** Of mes.conf: it is read by nobody but the sidecar. */
const SETTINGS_MODE = 0o600;
/** Of a backup, at most. */
const TIGHT_MODE = 0o640;
/** A file is never without a backup of what it was before us, and a second change does not take its place. */
export const BACKUP_SUFFIX = '.before-asterisk-mes';

/** Why nothing, or not all, could be set up; one sentence for people. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** One file that is to be written. */
export interface SetupFile extends PlannedFile {
  readonly path: string;
  readonly isNew: boolean;
  readonly mode: number;
}

/** Writes one file; gives the path of the backup of what was there, null when nothing was. Throws SetupError. */
export function writeSetupFile(file: SetupFile, asteriskDirectory: string): string | null {
  const { path, text, mode } = file;
  try {
    // What a link stands for is written, not the link; but as root we follow none that somebody else may have laid.
    const target = file.isNew ? path : realpathSync(path);
    assertWithin(target, dirname(path));
    const backup = file.isNew ? null : keepBackup(path, mode);
    const owner = file.isNew ? ownerOf(join(asteriskDirectory, file.neighbour), asteriskDirectory) : statSync(path);
    putInPlace(target, encoded(text, file.isNew ? undefined : path), { ...owner, mode });
    return backup;
  } catch (error) {
    throw asSetupError(error, path);
  }
}

/** Puts `text` in the place of what `path` has, with its owner and mode, without a backup. Throws SetupError. */
export function replaceText(path: string, text: string): void {
  try {
    const target = realpathSync(path);
    assertWithin(target, dirname(path));
    putInPlace(target, encoded(text, path), ownerAndMode(path));
  } catch (error) {
    throw asSetupError(error, path);
  }
}

/** Removes a file of ours. One that is not there is fine. Throws SetupError. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw asSetupError(error, path);
  }
}

function ownerAndMode(path: string): Owner & { readonly mode: number } {
  const { uid, gid, mode } = statSync(path);
  return { uid, gid, mode };
}

/** Renames a finished file over the old one, so that nobody reads a half. */
function putInPlace(target: string, content: Buffer, as: Owner & { readonly mode: number }): void {
  const temporary = `${target}.asterisk-mes-new`;
  rmSync(temporary, { force: true });
  try {
    createFile(temporary, content, as);
    renameSync(temporary, target);
  } finally {
    // Renamed, unless that failed: no copy of the secret stays behind.
    rmSync(temporary, { force: true });
  }
}

function asSetupError(error: unknown, path: string): SetupError {
  if (error instanceof SetupError) return error;
  const code = errorCode(error);
  return new SetupError(`${path} cannot be written (${code}); run setup as root, or look at ${dirname(path)}`, {
    cause: error,
  });
}

/** Throws SetupError when a link leads out of the directory that the file is in. */
function assertWithin(target: string, directory: string): void {
  if (dirname(target) === realpathSync(directory)) return;
  const inside = relative(realpathSync(directory), dirname(target));
  if (!inside.startsWith('..') && !isAbsolute(inside)) return;
  throw new SetupError(
    `a link in ${directory} leads to ${target}, out of that directory, and setup writes through none; put the file itself there`,
  );
}

/** Undefined: there is no such file. Throws SetupError. */
export function textOfFile(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.toString(encodingOf(bytes));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    throw new SetupError(`${path} cannot be read (${code}); run setup as root`, { cause: error });
  }
}

/** Files of long ago are Latin-1; their bytes stay as they are, whatever they stand for. */
function encodingOf(bytes: Buffer): 'utf8' | 'latin1' {
  return isUtf8(bytes) ? 'utf8' : 'latin1';
}

/** As the file of that path is encoded. */
function encoded(text: string, path: string | undefined): Buffer {
  return Buffer.from(text, path === undefined ? 'utf8' : encodingOf(readFileSync(path)));
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a file that is not there yet. Asterisk's user may write the directory while we are root: where that user has put
 * a link, nothing is written, and owner and mode go to the file that we opened, whatever bears its name by then.
 */
function createFile(path: string, content: Buffer, { uid, gid, mode }: Owner & { readonly mode: number }): void {
  const file = openSync(path, 'wx', SETTINGS_MODE);
  try {
    writeFileSync(file, content);
    if (process.getuid?.() === 0) fchownSync(file, uid, gid);
    fchmodSync(file, mode & 0o777);
  } finally {
    closeSync(file);
  }
}

/** The neighbour's; but where root's files are open to all, Asterisk reads them as a user of its own, whose group it must be. */
function ownerOf(neighbour: string, directory: string): Owner {
  const { uid, gid } = statSync(existsSync(neighbour) ? neighbour : directory);
  return { uid, gid: gid === 0 ? (asteriskGroup() ?? gid) : gid };
}

function asteriskGroup(): number | undefined {
  const line = /^asterisk:[^:]*:(\d+):/m.exec(textOfFile('/etc/group') ?? '');
  return line === null ? undefined : Number(line[1]);
}

/** Others than owner and group may not read it, nor whom the new file is closed to: it may hold an older secret. */
function keepBackup(path: string, newMode: number): string {
  for (let number = 1; ; number++) {
    const backup = `${path}${BACKUP_SUFFIX}${number === 1 ? '' : `.${number}`}`;
    if (existsSync(backup)) continue;
    const { uid, gid, mode } = statSync(path);
    createFile(backup, readFileSync(path), { uid, gid, mode: mode & newMode & TIGHT_MODE });
    return backup;
  }
}
