import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { Logger } from '../app/state/log.ts';
import type { Sidecar } from '../app/sidecar.ts';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { DONE, fail } from './exit-status.ts';

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
  let log: Logger;
  let reload: () => Promise<void>;
  // A signal that comes while it starts is not to end it.
  let isReloadWanted = false;
  const onHup = (): void => void (isReloadWanted = true);
  process.on('SIGHUP', onHup);
  try {
    // Loaded on demand: the other commands should not wait for SQLite and a web server.
    const [
      { readSettings },
      { startSidecar },
      { coded, createLog },
      { exposureWarnings, settingsFiles },
      { reloader },
      { VERSION },
    ] = await Promise.all([
      import('../config/read-settings.ts'),
      import('../app/sidecar.ts'),
      import('../app/state/log.ts'),
      import('../app/settings/exposed-files.ts'),
      import('../app/settings/reload.ts'),
      import('../app/version.ts'),
    ]);
    const settings = await readSettings(options.config, process.env);
    log = createLog(options.logLevel);
    const config = options.config ?? DEFAULT_SETTINGS_PATH;
    log.info(
      `asterisk-mes ${VERSION} (Node.js ${process.version}), settings ${config}, database ${settings.history.path}`,
    );
    sidecar = await startSidecar(settings, log);
    const exposed = await exposureWarnings([
      ...settingsFiles(config, process.env),
      ...['', '-wal', '-shm'].map((suffix) => ({
        path: `${settings.history.path}${suffix}`,
        holds: "callers' numbers",
      })),
    ]);
    for (const sentence of exposed) log.warn(coded('MES_ERR_FILE_EXPOSED'), sentence);
    const change = (changed: Settings): void => sidecar.change(changed);
    reload = reloader({ path: options.config, env: process.env, log, settings, change });
  } catch (error) {
    return fail(error);
  }
  process.on('SIGHUP', () => void reload());
  process.off('SIGHUP', onHup);
  if (isReloadWanted) await reload();
  const stopping = new AbortController();
  const signal = Promise.race([
    once(process, 'SIGTERM', { signal: stopping.signal }).then(() => 'SIGTERM'),
    once(process, 'SIGINT', { signal: stopping.signal }).then(() => 'SIGINT'),
  ]);
  const end = await Promise.race([
    signal.then((name) => ({ why: `it got the signal ${name}`, problem: null })),
    sidecar.failed.then((problem) => ({ why: problem, problem })),
  ]);
  signal.catch(() => {});
  stopping.abort();
  log.info(`asterisk-mes stops: ${end.why}`);
  await sidecar.stop();
  log.info('asterisk-mes has stopped');
  return end.problem === null ? DONE : fail(new Error(end.problem));
}
