import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { includedFiles } from '../../asterisk/config-files.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import type { Environment } from '../../config/setting-reader.ts';
import { loadSettings, type Settings } from '../../config/settings.ts';
import { hostAndPortText } from '../../config/value-types.ts';
import { countEndpoints } from '../../setup/endpoints-part.ts';
import {
  NO_CHOICES,
  type PlannedFile,
  type SetupChoices,
  type SetupFacts,
  type SetupTarget,
} from '../../setup/input.ts';
import { isAmiOff, knownAriPassword, knownSecret, planSetup } from '../../setup/plan.ts';
import { lastEntry, readAsteriskConfig } from '../../wire/asterisk-conf.ts';
import { handlerUses } from '../../wire/ami/handler-uses.ts';
import { readyFile } from '../ready-files.ts';
import { isPortFree } from './free-port.ts';
import { SetupError, type SetupFile, textOfFile } from './write-files.ts';

/** The mode of mes.conf: only the sidecar reads it. */
const SETTINGS_MODE = 0o600;
/** The mode of a file with a user's secret: Asterisk's group reads it. */
const SECRET_MODE = 0o640;
const SECRET_BYTES = 24;
/** FastAGI's usual port. On FreePBX its own server (`core-fastagi`) has it. */
const USUAL_AGI_PORT = 4573;
/** How many ports after it are tried. */
const PORTS_TRIED = 50;

export interface SetupOptions {
  /** Undefined: the files in the directory tell. */
  readonly target: SetupTarget | undefined;
  /** Undefined: the default place. */
  readonly config: string | undefined;
  readonly asteriskDirectory: string;
  readonly env: Environment;
}

export interface Setup {
  readonly target: SetupTarget;
  readonly files: readonly SetupFile[];
  readonly notes: readonly string[];
  readonly toDo: readonly string[];
  /** Secrets that were just generated. */
  readonly newSecrets: ReadonlySet<string>;
}

/** What setup found. */
export interface Installation {
  readonly target: SetupTarget;
  readonly directory: string;
  readonly settingsPath: string;
  /** The settings of mes.conf as it is. */
  readonly settings: Settings;
  readonly isAmiOff: boolean;
  /** The number of PJSIP templates and endpoints that could get the hangup handler; 0: the dialplan already uses it. */
  readonly endpoints: number;
  /** Whether mes.conf says where the page is. */
  readonly hasHttpBind: boolean;
  /** The files to write for these choices. Writes nothing. */
  readonly plan: (choices?: SetupChoices) => Setup;
}

/** Looks at an installation. Writes nothing. Throws SetupError or SettingsError. */
export async function examineInstallation(options: SetupOptions): Promise<Installation> {
  const { target, config, asteriskDirectory: directory, env } = options;
  if (!existsSync(directory)) {
    throw new SetupError(`${directory} does not exist; name the directory of manager.conf with --asterisk-dir`);
  }
  const settingsPath = config ?? DEFAULT_SETTINGS_PATH;
  const current = (name: string): string | undefined => textOfFile(join(directory, name));
  const settingsText = settingsIn(textOfFile(settingsPath));
  const settings = loadSettings(settingsText ?? readyFile('mes.conf'), settingsPath, env);
  const chosen = target ?? (isFreePbx(directory) ? 'freepbx' : 'vanilla');
  const isFirst = current('extensions_mes.conf') === undefined && settingsText === undefined;
  const port = await agiPort(settings, chosen, isFirst, env);
  const facts: SetupFacts = {
    target: chosen,
    directory,
    settingsPath,
    current,
    include: (pattern: string) => includedFiles(directory, pattern),
    ready: readyFile,
    settings: settingsText,
    username: settings.ami.username,
    agiBind: hostAndPortText({ ...settings.agi.bind, port }),
    isNewAgiBind: port !== settings.agi.bind.port,
  };
  const known = env['MES_AMI_SECRET']?.trim() || knownSecret(facts);
  const knownPassword = env['MES_ARI_PASSWORD']?.trim() || knownAriPassword(facts);
  const random = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const secret = known ?? random();
  const ariPassword = knownPassword ?? random();
  const agiSecret = settings.agi.secret ?? secretOfScript(current('extensions_mes.conf')) ?? random();
  const isNewAgiSecret = settings.agi.secret === null;
  const newSecrets = new Set([
    ...(known === undefined ? [secret] : []),
    ...(knownPassword === undefined ? [ariPassword] : []),
    ...(isNewAgiSecret ? [agiSecret] : []),
  ]);
  return {
    target: chosen,
    directory,
    settingsPath,
    settings,
    isAmiOff: isAmiOff(facts),
    endpoints: chosen === 'freepbx' || isHandlerUsed(facts) ? 0 : countEndpoints(facts),
    hasHttpBind: bindLine(settingsText) !== undefined || env['MES_HTTP_BIND'] !== undefined,
    plan: (choices = NO_CHOICES) => {
      const { files, notes, toDo } = planSetup({ ...facts, choices, secret, ariPassword, agiSecret, isNewAgiSecret });
      const moved = facts.isNewAgiBind
        ? [
            `Port ${settings.agi.bind.port} of [agi] bind is not free for us: it becomes ${port}, here and in the dialplan.`,
          ]
        : [];
      const located = files.map((file): SetupFile => {
        const path = file.name === null ? settingsPath : join(directory, file.name);
        return { ...file, path, isNew: !existsSync(path), mode: modeOf(file, path, directory) };
      });
      const made = [...newSecrets, ...(choices.http === null ? [] : [choices.http.token])];
      return { target: chosen, files: located, notes: [...moved, ...notes], toDo, newSecrets: new Set(made) };
    },
  };
}

/** Whether FreePBX is there: it generates a dialplan file of this name. */
export function isFreePbx(directory: string): boolean {
  return existsSync(join(directory, 'extensions_additional.conf'));
}

/** A token for the page, or another secret that people copy. */
export function newToken(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** The secret at the end of the hangup handler's script; undefined: there is none. */
function secretOfScript(text: string | undefined): string | undefined {
  return /agi:\/\/[^/\s]+\/hangup\/([\w-]{8,128})\)/.exec(text ?? '')?.[1];
}

function bindLine(text: string | undefined): unknown {
  return lastEntry(
    readAsteriskConfig('mes.conf', text ?? '', () => []),
    'http',
    'bind',
  );
}

/** Whether a line of the dialplan or of pjsip.conf already uses the hangup handler. */
function isHandlerUsed({ current, include }: SetupFacts): boolean {
  return ['extensions.conf', 'pjsip.conf'].some(
    (name) => handlerUses(readAsteriskConfig(name, current(name) ?? '', include)).length > 0,
  );
}

/**
 * The port of [agi] bind. It changes where FreePBX has it, or where something else listens on it at the first installation:
 * otherwise "run" could not start.
 */
async function agiPort(
  { agi: { bind } }: Settings,
  target: SetupTarget,
  isFirst: boolean,
  env: Environment,
): Promise<number> {
  const isTheirs = target === 'freepbx' && bind.port === USUAL_AGI_PORT;
  if (env['MES_AGI_BIND'] !== undefined || (!isTheirs && !isFirst)) return bind.port;
  for (let port = isTheirs ? bind.port + 1 : bind.port; port < bind.port + PORTS_TRIED; port++) {
    if (await isPortFree({ host: bind.host, port })) return port;
  }
  return bind.port;
}

/** A file that has only comments, such as the Debian package's, counts as no file. */
function settingsIn(text: string | undefined): string | undefined {
  return text?.split('\n').some((line) => /^\s*[^;\s]/.test(line)) === true ? text : undefined;
}

/** An existing file keeps its mode, unless a secret goes into it. A new file without a secret gets the mode of its neighbour. */
function modeOf(file: PlannedFile, path: string, asteriskDirectory: string): number {
  if (file.isSecret) return file.name === null ? SETTINGS_MODE : SECRET_MODE;
  const like = [path, join(asteriskDirectory, file.neighbour)].find((candidate) => existsSync(candidate));
  return like === undefined ? SECRET_MODE : statSync(like).mode & 0o777;
}
