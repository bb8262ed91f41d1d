import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { Sidecar } from '../app/sidecar.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import { DONE, WORK_FAILED } from './exit-status.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

interface RunOptions {
  readonly config?: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export function addRun(program: Command, finish: (status: number) => void): void {
  program
    .command('run')
    .description('the sidecar: scores calls until it is told to stop')
    .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS).default('info'))
    .action(async (options: RunOptions) => finish(await run(options)));
}

async function run(options: RunOptions): Promise<number> {
  let sidecar: Sidecar;
  try {
    // Loaded on demand: the other commands should not wait for SQLite and a web server.
    const [{ readSettings }, { startSidecar }, { coded, createLog }, { exposureWarnings }] = await Promise.all([
      import('../config/read-settings.ts'),
      import('../app/sidecar.ts'),
      import('../app/log.ts'),
      import('../app/exposed-files.ts'),
    ]);
    const settings = await readSettings(options.config, process.env);
    const log = createLog(options.logLevel);
    sidecar = await startSidecar(settings, log);
    const exposed = await exposureWarnings([
      { path: options.config ?? DEFAULT_SETTINGS_PATH, holds: 'secrets' },
      { path: settings.history.path, holds: "callers' numbers" },
    ]);
    for (const sentence of exposed) log.warn(coded('MES_ERR_FILE_EXPOSED'), sentence);
  } catch (error) {
    return fail(error);
  }
  const stopping = new AbortController();
  const signal = Promise.race([
    once(process, 'SIGTERM', { signal: stopping.signal }),
    once(process, 'SIGINT', { signal: stopping.signal }),
  ]).then(() => null);
  const problem = await Promise.race([signal, sidecar.failed]);
  signal.catch(() => {});
  stopping.abort();
  await sidecar.stop();
  return problem === null ? DONE : fail(new Error(problem));
}

function fail(error: unknown): number {
  const sentence = error instanceof Error ? error.message : String(error);
  process.stderr.write(`asterisk-mes: ${sentence}\n`);
  return WORK_FAILED;
}
