import { type Command, Option } from 'commander';
import type { Setup, SetupFile } from '../app/setup.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import { SETUP_TARGETS, type SetupTarget } from '../setup/plan.ts';
import { DONE, WORK_FAILED } from './exit-status.ts';
import { writeOut } from './output.ts';

const DEFAULT_ASTERISK_DIRECTORY = '/etc/asterisk';

interface SetupWords {
  readonly target?: SetupTarget;
  readonly config?: string;
  readonly asteriskDir: string;
  readonly write?: true;
}

export function addSetup(program: Command, finish: (status: number) => void): void {
  program
    .command('setup')
    .description('the files that Asterisk and the sidecar need: prints them, or writes them with --write')
    .addOption(new Option('--target <kind>', 'whose Asterisk it is (default: found out)').choices(SETUP_TARGETS))
    .option('--config <file>', `settings of the sidecar (default: ${DEFAULT_SETTINGS_PATH})`)
    .option('--asterisk-dir <dir>', "Asterisk's configuration files", DEFAULT_ASTERISK_DIRECTORY)
    .option('--write', 'write the files, with a backup of each that changes')
    .action(async (words: SetupWords) => finish(await setup(words)));
}

async function setup(words: SetupWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [{ prepareSetup, SetupError, writeSetupFile }, { SettingsError }, { readyLines }] = await Promise.all([
    import('../app/setup.ts'),
    import('../config/settings-error.ts'),
    import('../app/ready-files.ts'),
  ]);
  const lines: string[] = [];
  let status = DONE;
  try {
    const prepared = prepareSetup({
      target: words.target,
      config: words.config,
      asteriskDirectory: words.asteriskDir,
      env: process.env,
    });
    const isWritten = words.write === true;
    for (const file of prepared.files) {
      lines.push(...(isWritten ? written(file, writeSetupFile(file, words.asteriskDir)) : printed(file, prepared)));
    }
    const sql = prepared.target === 'freepbx' ? readyLines('cdr_adaptive_odbc_mes.sql') : [];
    lines.push(...prepared.notes, ...nextSteps(prepared, isWritten, sql));
  } catch (error) {
    if (!(error instanceof SetupError || error instanceof SettingsError)) throw error;
    process.stderr.write(`asterisk-mes: ${error.message}\n`);
    status = WORK_FAILED;
  }
  // Report what was written before the failure, too.
  await writeOut(lines.map((line) => `${line}\n`));
  return status;
}

/** The commands that make Asterisk read a new file. A CDR backend without configuration is not loaded yet and needs both. */
const RELOADS: ReadonlyMap<string, readonly string[]> = new Map([
  ['manager_mes.conf', ['manager reload']],
  ['extensions_mes.conf', ['dialplan reload']],
  ['cdr_mes.conf', ['module reload cdr']],
  ['http_mes.conf', ['module reload http']],
  ['ari_mes.conf', ['module load res_ari.so', 'module reload res_ari.so']],
  ['cdr_custom_mes.conf', ['module load cdr_custom.so', 'module reload cdr_custom.so']],
]);

/** Keys whose values are not printed. */
const SECRET_LINE = /^(\s*(?:secret|password|token|numbers_key)\s*=\s*)(\S.*)$/gm;
const SECRET_SCRIPT = /(agi:\/\/[^/\s]+\/hangup\/)([\w-]+)/g;

/** The file as it would be written, without secrets: they stay out of terminals and of what is copied from them. */
function printed({ path, text, added, isNew, mode }: SetupFile, { newSecrets }: Setup): string[] {
  if (added !== null && !isNew) return [`=== ${path}: added at its end`, ...added, ''];
  const word = (secret: string): string =>
    newSecrets.has(secret) ? '(a random one, made up by --write)' : '(the one that is set already)';
  const shown = text
    .replaceAll(SECRET_LINE, (_, key: string, secret: string) => `${key}${word(secret)}`)
    .replaceAll(SECRET_SCRIPT, (_, script: string, secret: string) => `${script}${word(secret)}`);
  return [`=== ${path} (${isNew ? 'new' : 'changed'}, mode ${mode.toString(8)})`, shown];
}

function written({ path, mode }: SetupFile, backup: string | null): string[] {
  return [
    backup === null ? `Made ${path} (mode ${mode.toString(8)}).` : `Changed ${path}; what it was is in ${backup}.`,
  ];
}

function nextSteps({ files, target }: Setup, isWritten: boolean, sql: readonly string[]): string[] {
  if (files.length === 0) return ['Everything is set up already; "asterisk-mes doctor" looks whether it works.'];
  const steps = [
    ...(isWritten ? [] : ['  write these files with: asterisk-mes setup --write']),
    ...files.flatMap(({ name }) => RELOADS.get(name ?? '') ?? []).map((command) => `  asterisk -rx "${command}"`),
    '  before Dial() put Gosub(mes,s,1), and in its options b(mes^s^1); extensions_mes.conf says how else',
    ...(target === 'freepbx' ? ['  in the database asteriskcdrdb:', ...sql.map((line) => `    ${line}`)] : []),
    '  asterisk-mes run',
    '  asterisk-mes doctor',
  ];
  return ['Next:', ...steps];
}
