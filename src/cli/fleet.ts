import type { Command } from 'commander';
import { DONE, WORK_FAILED, WRONG_USAGE } from './exit-status.ts';

const DEFAULT_FLEET_CONFIG = '/etc/asterisk-mes/fleet.conf';

interface FleetOptions {
  readonly config: string;
}

export function addFleet(program: Command, finish: (status: number) => void): void {
  const fleet = program
    .command('fleet')
    .description('the gateway of a fleet: takes the calls of many PBXs into one ClickHouse')
    .option('--config <file>', "the gateway's settings", DEFAULT_FLEET_CONFIG)
    .addHelpText(
      'after',
      '\nExamples:\n  asterisk-mes fleet add-pbx office-berlin --site Berlin\n  asterisk-mes fleet --config fleet.conf',
    )
    .action(async (options: FleetOptions) => finish(await run(options)));
  fleet
    .command('add-pbx')
    .description('makes a token for one more PBX, adds it to the settings and prints it once')
    .argument('<name>', 'letters, digits, dots, dashes and underscores')
    .option('--site <name>', 'where it is', '')
    .action(async (name: string, { site }: { readonly site: string }) =>
      finish(await addPbx(name, site, fleet.opts<FleetOptions>().config)),
    );
}

async function addPbx(name: string, site: string, config: string): Promise<number> {
  if (!/^[\w.-]{1,64}$/.test(name))
    return fail('a name has up to 64 letters, digits, dots, dashes and underscores', WRONG_USAGE);
  if (!/^[\w. -]{0,64}$/.test(site))
    return fail('--site: give up to 64 letters, digits, blanks, dots, dashes and underscores', WRONG_USAGE);
  const [{ newPbx }, { existsSync, readFileSync, writeFileSync }] = await Promise.all([
    import('../fleet/settings.ts'),
    import('node:fs'),
  ]);
  try {
    const before = existsSync(config) ? readFileSync(config, 'utf8') : '';
    if (before.split('\n').some((line) => line.trim() === `[pbx:${name}]`)) {
      return fail(
        `${config} has a PBX ${name} already; take its section out first, and its old token is void`,
        WORK_FAILED,
      );
    }
    const { token, lines } = newPbx(name, site);
    writeFileSync(config, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${lines}`, { mode: 0o600 });
    process.stdout.write(
      `Write into mes.conf of ${name}; the token is not shown again:\n\n[fleet]\nurl = http://GATEWAY:8091\ntoken = ${token}\n\nThen restart the gateway.\n`,
    );
    return DONE;
  } catch (error) {
    return fail(`${config} cannot be written (${error instanceof Error ? error.message : String(error)})`, WORK_FAILED);
  }
}

async function run({ config }: FleetOptions): Promise<number> {
  try {
    const [{ readFileSync }, { readFleetSettings }, { startFleet }, { createLog }] = await Promise.all([
      import('node:fs'),
      import('../fleet/settings.ts'),
      import('../app/companions/fleet.ts'),
      import('../app/state/log.ts'),
    ]);
    let text: string;
    try {
      text = readFileSync(config, 'utf8');
    } catch {
      return fail(`${config} cannot be read; name the gateway's settings with --config`, WORK_FAILED);
    }
    const running = await startFleet(readFleetSettings(text, config), createLog('info'));
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    await running.stop();
    return DONE;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), WORK_FAILED);
  }
}

function fail(sentence: string, status: number): number {
  process.stderr.write(`asterisk-mes: ${sentence}\n`);
  return status;
}
