import type { Command } from 'commander';
import { DONE, WRONG_USAGE, fail } from './exit-status.ts';
import { errorText } from '../units/error-text.ts';
import { errorCode } from '../model/errors/error-code.ts';

const DEFAULT_FLEET_CONFIG = '/etc/asterisk-mes/fleet.conf';

interface FleetOptions {
  readonly config: string;
}

export function addFleet(program: Command, finish: (status: number) => void): void {
  const fleet = program
    .command('fleet')
    .description(
      'the gateway of a fleet: takes the calls of many PBXs into one ClickHouse, and serves REST and the page over them',
    )
    .option('--config <file>', "the gateway's settings", DEFAULT_FLEET_CONFIG)
    .addHelpText(
      'after',
      '\nExamples:\n  asterisk-mes fleet add-pbx office-berlin --site Berlin\n  asterisk-mes fleet add-reader acme --pbxs "acme-*"\n  asterisk-mes fleet --config fleet.conf',
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
  fleet
    .command('add-reader')
    .description('makes a token for somebody who may see some PBXs only, adds it to the settings and prints it once')
    .argument('<name>', 'letters, digits, dots, dashes and underscores')
    .option('--pbxs <names>', "PBXs with commas between; * at a name's end stands for any end", '')
    .option('--sites <names>', 'sites with commas between', '')
    .action(async (name: string, { pbxs, sites }: { readonly pbxs: string; readonly sites: string }) =>
      finish(await addReader(name, pbxs, sites, fleet.opts<FleetOptions>().config)),
    );
}

const SITE = /^[\w. -]{1,64}$/;

async function addPbx(name: string, site: string, config: string): Promise<number> {
  if (site !== '' && !SITE.test(site))
    return fail('--site: give up to 64 letters, digits, blanks, dots, dashes and underscores', WRONG_USAGE);
  const { newPbx } = await import('../fleet/settings.ts');
  const { token, lines } = newPbx(name, site);
  return add('pbx', name, config, lines, [
    `Write into mes.conf of ${name}; the token is not shown again:`,
    `\n[fleet]\nurl = http://GATEWAY:8091\ntoken = ${token}\n`,
  ]);
}

async function addReader(name: string, pbxs: string, sites: string, config: string): Promise<number> {
  const listOf = (text: string): string[] => text.split(',').flatMap((word) => word.trim() || []);
  if (!listOf(pbxs).every((pbx) => /^[\w.-]{0,64}\*?$/.test(pbx)))
    return fail("--pbxs: give names of PBXs with commas between; * at a name's end stands for any end", WRONG_USAGE);
  if (!listOf(sites).every((site) => SITE.test(site)))
    return fail('--sites: give names of sites with commas between', WRONG_USAGE);
  if (pbxs === '' && sites === '') return fail('say which PBXs with --pbxs or --sites; --pbxs "*" is all', WRONG_USAGE);
  const { newReader } = await import('../fleet/settings.ts');
  const { token, lines } = newReader(name, { pbxs: listOf(pbxs), sites: listOf(sites) });
  return add('reader', name, config, lines, [`The token of ${name}; it is not shown again:`, `\n${token}\n`]);
}

/** Adds a section to the settings, and says `words`. */
async function add(
  kind: 'pbx' | 'reader',
  name: string,
  config: string,
  lines: string,
  words: readonly string[],
): Promise<number> {
  if (!/^[\w.-]{1,64}$/.test(name))
    return fail('a name has up to 64 letters, digits, dots, dashes and underscores', WRONG_USAGE);
  const { existsSync, readFileSync, writeFileSync } = await import('node:fs');
  try {
    const before = existsSync(config) ? readFileSync(config, 'utf8') : '';
    if (before.split('\n').some((line) => line.trim() === `[${kind}:${name}]`)) {
      const what = kind === 'pbx' ? 'PBX' : 'reader';
      return fail(`${config} has a ${what} ${name} already; take its section out first, and its old token is void`);
    }
    writeFileSync(config, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${lines}`, { mode: 0o600 });
    process.stdout.write(`${words.join('\n')}\nThen send the gateway a HUP, or start it again.\n`);
    return DONE;
  } catch (error) {
    return fail(
      `${config} cannot be written (${errorCode(error, errorText(error))}); make its folder, or name another file with --config`,
    );
  }
}

async function run({ config }: FleetOptions): Promise<number> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  try {
    const [{ readFileSync }, { readFleetSettings }, { startFleet }, { createLog, coded }] = await Promise.all([
      import('node:fs'),
      import('../fleet/settings.ts'),
      import('../app/companions/fleet.ts'),
      import('../app/state/log.ts'),
    ]);
    let text: string;
    try {
      text = readFileSync(config, 'utf8');
    } catch {
      return fail(`${config} cannot be read; name the gateway's settings with --config`);
    }
    const log = createLog('info');
    const running = await startFleet(readFleetSettings(text, config), log, stopping.signal);
    process.on('SIGHUP', () => {
      try {
        running.change(readFleetSettings(readFileSync(config, 'utf8'), config));
      } catch (error) {
        const why = errorText(error);
        log.error(coded('MES_ERR_RELOAD'), `${config} cannot be taken in, so nothing changes: ${why}`);
      }
    });
    await stopped;
    await running.stop();
    return DONE;
  } catch (error) {
    return stopping.signal.aborted ? DONE : fail(error);
  }
}
