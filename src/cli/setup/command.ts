import { type Command, Option } from 'commander';
import type { Installation } from '../../app/setup/prepare.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { NO_CHOICES, SETUP_TARGETS } from '../../setup/input.ts';
import { DONE, fail } from '../exit-status.ts';
import { writeOut } from '../output.ts';
import type { SetupWords } from './setup-words.ts';
import { printed, steps, written } from './setup-text.ts';

const DEFAULT_ASTERISK_DIRECTORY = '/etc/asterisk';

export function addSetup(program: Command, finish: (status: number) => void): void {
  program
    .command('setup')
    .description('what Asterisk and the sidecar need: asks, writes, reloads, starts; in a pipe it prints the files')
    .addOption(new Option('--target <kind>', 'whose Asterisk it is (default: found out)').choices(SETUP_TARGETS))
    .option('--config <file>', `settings of the sidecar (default: ${DEFAULT_SETTINGS_PATH})`)
    .option('--asterisk-dir <dir>', "Asterisk's configuration files", DEFAULT_ASTERISK_DIRECTORY)
    .option('--write', 'write the files, with a backup of each that changes, and do nothing else')
    .option('--pjsip', 'with --write: the hangup handler for every PJSIP endpoint, so that no Dial() has to be changed')
    .option('--yes', 'ask nothing: the answers that are proposed')
    .option('--remove', 'take back all that setup did')
    .addHelpText(
      'after',
      `
Examples:
  asterisk-mes setup                   asks, shows what it will do, and does it
  asterisk-mes setup --yes             the same without questions, for scripts
  asterisk-mes setup | less            only prints the files
  asterisk-mes setup --remove          Asterisk as it was before`,
    )
    .action(async (words: SetupWords) => finish(await setup(words)));
}

async function setup(words: SetupWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [{ SetupError }, { SettingsError }] = await Promise.all([
    import('../../app/setup/write-files.ts'),
    import('../../config/settings-error.ts'),
  ]);
  try {
    if (words.remove === true) return await (await import('./removal.ts')).removeSetup(words);
    const { examineInstallation } = await import('../../app/setup/prepare.ts');
    const installation = await examineInstallation({
      target: words.target,
      config: words.config,
      asteriskDirectory: words.asteriskDir,
      env: process.env,
    });
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
    if (words.write !== true && (words.yes === true || isTerminal)) {
      return await (await import('./guide.ts')).guide(installation, words);
    }
    return await writeOrPrint(installation, words);
  } catch (error) {
    if (!(error instanceof SetupError || error instanceof SettingsError)) throw error;
    return fail(error);
  }
}

async function writeOrPrint(installation: Installation, words: SetupWords): Promise<number> {
  const [{ SetupError, writeSetupFile }, { readyLines }] = await Promise.all([
    import('../../app/setup/write-files.ts'),
    import('../../app/ready-files.ts'),
  ]);
  const isWritten = words.write === true;
  const prepared = installation.plan({ ...NO_CHOICES, endpoints: words.pjsip === true });
  const lines: string[] = [];
  let status = DONE;
  try {
    for (const file of prepared.files) {
      lines.push(...(isWritten ? written(file, writeSetupFile(file, words.asteriskDir)) : printed(file, prepared)));
    }
    const sql = prepared.target === 'freepbx' ? readyLines('cdr_adaptive_odbc_mes.sql') : [];
    lines.push(...prepared.notes, ...prepared.toDo, ...steps(prepared, { isWritten, sql }));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    status = fail(error);
  }
  // Report what was written before the failure, too.
  await writeOut(lines.map((line) => `${line}\n`));
  return status;
}
