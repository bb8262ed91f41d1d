import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { DONE, fail } from '../exit-status.ts';

interface Options {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly html?: string;
}

export function addStudy(program: Command, finish: (status: number) => void): void {
  program
    .command('study')
    .description('measurements: in which situations calls are worse, each group against the rest')
    .argument('<file>', 'the study that "asterisk-mes open" has loaded')
    .option('--json', 'one JSON document')
    .option('--csv', 'one line a group')
    .option('--html <file>', 'a page with charts, in one file')
    .action(async (file: string, options: Options) => finish(await study(file, options)));
}

async function study(file: string, options: Options): Promise<number> {
  const [{ StudyDatabase }, { studyOf }, { studyCsv, studyText }, { writeOut }] = await Promise.all([
    import('../../measurements/study/database.ts'),
    import('../../measurements/study/study.ts'),
    import('../../measurements/study/study-text.ts'),
    import('../output.ts'),
  ]);
  try {
    const database = new StudyDatabase(file, { readonly: true });
    try {
      const result = studyOf(database);
      if (options.html !== undefined) {
        const { studyHtml } = await import('../../measurements/study/study-html.ts');
        await writeFile(options.html, studyHtml(result));
      }
      if (options.json === true) await writeOut([`${JSON.stringify(result)}\n`]);
      else if (options.csv === true) await writeOut([studyCsv(result)]);
      else await writeOut([options.html === undefined ? `${studyText(result)}\n` : `Wrote ${options.html}.\n`]);
      return DONE;
    } finally {
      database.close();
    }
  } catch (error) {
    return fail(error);
  }
}
