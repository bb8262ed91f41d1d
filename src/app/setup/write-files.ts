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

/** The mode of mes.conf: only the sidecar reads it. */
const SETTINGS_MODE = 0o600;
/** The widest mode of a backup. */
const TIGHT_MODE = 0o640;
/** Ending of the backup of a file as it was before setup first changed it. A later change does not replace the backup. */
export const BACKUP_SUFFIX = '.before-asterisk-mes';

/** Why not everything could be set up; one sentence for people. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** A file to write. */
export interface SetupFile extends PlannedFile {
  readonly path: string;
  readonly isNew: boolean;
  readonly mode: number;
}

/** Writes one file. Returns the path of the backup of the old file; null: there was none. Throws SetupError. */
export function writeSetupFile(file: SetupFile, asteriskDirectory: string): string | null {
  const { path, text, mode } = file;
  try {
    // A link stays, and its target is written. But root must not follow a link that somebody else may have made.
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

/** Replaces the text of a file, keeping its owner and mode, without a backup. Throws SetupError. */
export function replaceText(path: string, text: string): void {
  try {
    const target = realpathSync(path);
    assertWithin(target, dirname(path));
    putInPlace(target, encoded(text, path), ownerAndMode(path));
  } catch (error) {
    throw asSetupError(error, path);
  }
}

/** Removes a file of ours, if it is there. Throws SetupError. */
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

/** Renames a finished file over the old one, so that nobody reads half of it. */
function putInPlace(target: string, content: Buffer, as: Owner & { readonly mode: number }): void {
  const temporary = `${target}.asterisk-mes-new`;
  rmSync(temporary, { force: true });
  try {
    createFile(temporary, content, as);
    renameSync(temporary, target);
  } finally {
    // After a failed rename, no copy of the secret may stay behind.
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

/** The text of a file; undefined: there is no such file. Throws SetupError. */
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

/** Very old files are Latin-1. Their bytes stay as they are. */
function encodingOf(bytes: Buffer): 'utf8' | 'latin1' {
  return isUtf8(bytes) ? 'utf8' : 'latin1';
}

/** The text in the encoding of the file at that path. */
function encoded(text: string, path: string | undefined): Buffer {
  return Buffer.from(text, path === undefined ? 'utf8' : encodingOf(readFileSync(path)));
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Creates a new file. Asterisk's user may be able to write to the directory while we are root. So nothing is written through a
 * link, and owner and mode go to the opened file, whatever its name leads to by then.
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

/**
 * The owner of a new file: that of its neighbour. Where root's files are open to everybody, Asterisk reads them as its own user,
 * so the group must be Asterisk's.
 */
function ownerOf(neighbour: string, directory: string): Owner {
  const { uid, gid } = statSync(existsSync(neighbour) ? neighbour : directory);
  return { uid, gid: gid === 0 ? (asteriskGroup() ?? gid) : gid };
}

function asteriskGroup(): number | undefined {
  const line = /^asterisk:[^:]*:(\d+):/m.exec(textOfFile('/etc/group') ?? '');
  return line === null ? undefined : Number(line[1]);
}

/** A backup may hold an older secret. So nobody but owner and group may read it, and nobody who may not read the new file. */
function keepBackup(path: string, newMode: number): string {
  for (let number = 1; ; number++) {
    const backup = `${path}${BACKUP_SUFFIX}${number === 1 ? '' : `.${number}`}`;
    if (existsSync(backup)) continue;
    const { uid, gid, mode } = statSync(path);
    createFile(backup, readFileSync(path), { uid, gid, mode: mode & newMode & TIGHT_MODE });
    return backup;
  }
}
