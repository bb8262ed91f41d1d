import { randomBytes } from 'node:crypto';
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
import { includedFiles } from '../asterisk/config-files.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import type { Environment } from '../config/setting-reader.ts';
import { loadSettings } from '../config/settings.ts';
import { hostAndPortText } from '../config/value-types.ts';
import { errorCode } from '../model/error-code.ts';
import { knownAriPassword, knownSecret, type PlannedFile, planSetup, type SetupTarget } from '../setup/plan.ts';
import { readyFile } from './ready-files.ts';

/** Of mes.conf: it is read by nobody but the sidecar. */
const SETTINGS_MODE = 0o600;
/** Of the manager's user: Asterisk's own group reads it. */
const SECRET_MODE = 0o640;
/** Of a backup, at most. */
const TIGHT_MODE = 0o640;
const SECRET_BYTES = 24;
/** A file is never without a backup of what it was before us, and a second change does not take its place. */
const BACKUP_SUFFIX = '.before-asterisk-mes';

/** Why nothing, or not all, could be set up; one sentence for people. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

export interface SetupOptions {
  /** Undefined: as the files in the directory suggest. */
  readonly target: SetupTarget | undefined;
  /** Undefined: the default place. */
  readonly config: string | undefined;
  readonly asteriskDirectory: string;
  readonly env: Environment;
}

/** One file that is to be written. */
export interface SetupFile extends PlannedFile {
  readonly path: string;
  readonly isNew: boolean;
  readonly mode: number;
}

export interface Setup {
  readonly target: SetupTarget;
  readonly files: readonly SetupFile[];
  readonly notes: readonly string[];
  /** Secrets that have just been made up. */
  readonly newSecrets: ReadonlySet<string>;
}

/** Finds out what has to be written. Writes nothing. Throws SetupError or SettingsError. */
export function prepareSetup({ target, config, asteriskDirectory, env }: SetupOptions): Setup {
  if (!existsSync(asteriskDirectory)) {
    throw new SetupError(`${asteriskDirectory} does not exist; name the directory of manager.conf with --asterisk-dir`);
  }
  const settingsPath = config ?? DEFAULT_SETTINGS_PATH;
  const current = (name: string): string | undefined => textOfFile(join(asteriskDirectory, name));
  const settingsText = settingsIn(textOfFile(settingsPath));
  const settings = loadSettings(settingsText ?? readyFile('mes.conf'), settingsPath, env);
  const chosen = target ?? (current('extensions_additional.conf') === undefined ? 'vanilla' : 'freepbx');
  const input = {
    target: chosen,
    current,
    include: (pattern: string) => includedFiles(asteriskDirectory, pattern),
    ready: readyFile,
    settings: settingsText,
    username: settings.ami.username,
    agiBind: hostAndPortText(settings.agi.bind),
  };
  const known = env['MES_AMI_SECRET']?.trim() || knownSecret(input);
  const knownPassword = env['MES_ARI_PASSWORD']?.trim() || knownAriPassword(input);
  const random = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const secret = known ?? random();
  const ariPassword = knownPassword ?? random();
  const agiSecret = settings.agi.secret ?? secretOfScript(current('extensions_mes.conf')) ?? random();
  const isNewAgiSecret = settings.agi.secret === null;
  const { files, notes } = planSetup({ ...input, secret, ariPassword, agiSecret, isNewAgiSecret });
  const newSecrets = new Set([
    ...(known === undefined ? [secret] : []),
    ...(knownPassword === undefined ? [ariPassword] : []),
    ...(isNewAgiSecret ? [agiSecret] : []),
  ]);
  const located = files.map((file): SetupFile => {
    const path = file.name === null ? settingsPath : join(asteriskDirectory, file.name);
    return { ...file, path, isNew: !existsSync(path), mode: modeOf(file, path, asteriskDirectory) };
  });
  return { target: chosen, files: located, notes, newSecrets };
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
    const temporary = `${target}.asterisk-mes-new`;
    rmSync(temporary, { force: true });
    try {
      createFile(temporary, text, { ...owner, mode });
      renameSync(temporary, target);
    } finally {
      // Renamed, unless that failed: no copy of the secret stays behind.
      rmSync(temporary, { force: true });
    }
    return backup;
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const code = errorCode(error);
    throw new SetupError(`${path} cannot be written (${code}); run setup as root, or look at ${dirname(path)}`, {
      cause: error,
    });
  }
}

/** A file of comments alone, as the Debian package puts there, says as little as none. */
function settingsIn(text: string | undefined): string | undefined {
  return text?.split('\n').some((line) => /^\s*[^;\s]/.test(line)) === true ? text : undefined;
}

/** What the hangup handler's script ends in; undefined without one. */
function secretOfScript(text: string | undefined): string | undefined {
  return /agi:\/\/[^/\s]+\/hangup\/([\w-]{8,128})\)/.exec(text ?? '')?.[1];
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

function textOfFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    throw new SetupError(`${path} cannot be read (${code}); run setup as root`, { cause: error });
  }
}

/** A file that is there keeps its mode, unless the secret goes into it; a new one without secret has that of its neighbour. */
function modeOf(file: PlannedFile, path: string, asteriskDirectory: string): number {
  if (file.isSecret) return file.name === null ? SETTINGS_MODE : SECRET_MODE;
  const like = [path, join(asteriskDirectory, file.neighbour)].find((candidate) => existsSync(candidate));
  return like === undefined ? SECRET_MODE : statSync(like).mode & 0o777;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a file that is not there yet. Asterisk's user may write the directory while we are root: where that user has put
 * a link, nothing is written, and owner and mode go to the file that we opened, whatever bears its name by then.
 */
function createFile(
  path: string,
  content: string | Buffer,
  { uid, gid, mode }: Owner & { readonly mode: number },
): void {
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
