import type { Command } from 'commander';
import type { DoctorReport } from '../../doctor/gather/diagnose.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { DONE, WORK_FAILED, fail } from '../exit-status.ts';
import { writeOut } from '../output.ts';

interface DoctorWords {
  readonly config?: string;
  readonly asteriskDir?: string;
  readonly json?: true;
}

export function addDoctor(program: Command, finish: (status: number) => void): void {
  program
    .command('doctor')
    .description('is this Asterisk set up so that scoring works? what to change, line by line')
    .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
    .option('--asterisk-dir <dir>', "Asterisk's configuration files (default: where Asterisk says, on this machine)")
    .option('--json', 'one JSON document')
    .addHelpText(
      'after',
      `
Exit status: 1 when there is a problem, otherwise 0. [doctor] accept in mes.conf names findings that you want as they are.

Examples:
  asterisk-mes doctor
  asterisk-mes doctor --json | jq -r '.checks[] | select(.status == "problem") | .saw'
  asterisk-mes doctor --asterisk-dir /srv/pbx/etc/asterisk`,
    )
    .action(async (words: DoctorWords) => finish(await doctor(words)));
}

async function doctor(words: DoctorWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [{ diagnose, DoctorError }, { readyLines }, { doctorJson }, { doctorText, widthOf }, { paintFor }] =
    await Promise.all([
      import('../../doctor/gather/diagnose.ts'),
      import('../../app/ready-files.ts'),
      import('./doctor-json.ts'),
      import('./doctor-text.ts'),
      import('../terminal/paint.ts'),
    ]);
  let report: DoctorReport;
  try {
    report = await diagnose({
      config: words.config,
      asteriskDirectory: words.asteriskDir,
      env: process.env,
      readyLines,
    });
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
    return fail(error);
  }
  const text =
    words.json === true
      ? `${JSON.stringify(doctorJson(report), null, 2)}\n`
      : doctorText(report, paintFor(process.stdout, process.env), widthOf(process.stdout));
  await writeOut([text]);
  return report.findings.some(({ status }) => status === 'problem') ? WORK_FAILED : DONE;
}
