import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { OpenOutcome } from '../../measurements/study/open.ts';
import { DONE, fail, warn } from '../exit-status.ts';

interface Options {
  readonly identity: string;
  readonly database: string;
  readonly json?: boolean;
  readonly deleteFiles?: boolean;
}

export function addOpen(program: Command, finish: (status: number) => void): void {
  program
    .command('open')
    .description('measurements: decrypts what a collection server has and loads it into a study')
    .requiredOption('--identity <key>', 'file with the private key, as age-keygen writes it')
    .requiredOption('--database <file>', 'the study, a SQLite file; made when it is missing')
    .argument('<source>', 'directory of a collection server or of an export, or s3://bucket/prefix')
    .option('--delete-files', 'also delete the files at the source of those who want theirs deleted')
    .option('--json', 'one JSON document')
    .action(async (source: string, options: Options) => finish(await open(source, options)));
}

async function open(source: string, options: Options): Promise<number> {
  const [{ storePlace }, { storeAt }, { StudyDatabase }, { identitiesIn, openAll }] = await Promise.all([
    import('../../config/collect-settings.ts'),
    import('../../measurements/collector/store-at.ts'),
    import('../../measurements/study/database.ts'),
    import('../../measurements/study/open.ts'),
  ]);
  try {
    const { env } = process;
    const place = storePlace(source, {
      endpoint: env['MES_S3_ENDPOINT']?.replace(/\/+$/, '') ?? null,
      region: env['MES_S3_REGION'] ?? 'us-east-1',
      accessKey: env['MES_S3_ACCESS_KEY'] ?? null,
      secretKey: env['MES_S3_SECRET_KEY'] ?? null,
    });
    const text = await readFile(options.identity, 'utf8').catch((error: unknown) => {
      throw new Error(
        `${options.identity} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); name the file that age-keygen wrote`,
      );
    });
    const identities = identitiesIn(text, options.identity);
    const store = storeAt(place);
    // A source that cannot be read makes no study.
    for await (const _ of store.list()) break;
    const database = new StudyDatabase(options.database);
    try {
      const outcome = await openAll(store, identities, database, showProgress());
      if (options.deleteFiles === true) for (const name of outcome.deleted) await store.remove(name);
      for (const { name, why } of outcome.skipped) warn(`skipped ${name}: ${why}`);
      for (const name of outcome.cut) warn(`${name} is cut; what was whole of it is loaded`);
      process.stdout.write(options.json === true ? `${JSON.stringify(outcome)}\n` : `${sentenceOf(outcome)}\n`);
      return DONE;
    } finally {
      database.close();
    }
  } catch (error) {
    return fail(error);
  }
}

function sentenceOf(outcome: OpenOutcome): string {
  const { loaded, known, doubles, deleted, skipped } = outcome;
  const others = [
    known === 0 ? [] : [`${known} loaded before`],
    doubles === 0 ? [] : [`${doubles} that came twice`],
    deleted.length === 0 ? [] : [`${deleted.length} deleted as their senders asked`],
    skipped.length === 0 ? [] : [`${skipped.length} skipped`],
  ].flat();
  return `Loaded ${loaded} ${loaded === 1 ? 'measurement' : 'measurements'}${others.length === 0 ? '' : `; ${others.join(', ')}`}.`;
}

/** Shows progress on a terminal. */
function showProgress(): (files: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (files) => {
    if (files % 100 === 0) process.stderr.write(`\r${files} files …`);
  };
}
