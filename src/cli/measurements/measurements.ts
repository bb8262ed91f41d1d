import type { Command } from 'commander';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { DONE, fail } from '../exit-status.ts';
import { sizeText } from '../../units/size.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

export function addMeasurements(program: Command, finish: (status: number) => void): void {
  const measurements = program
    .command('measurements')
    .description('anonymous measurements of calls: what leaves, and how to take it back');
  const add = (
    name: string,
    description: string,
    work: (options: Options, argument: string) => Promise<string>,
  ): void => {
    const command = measurements.command(name).description(description);
    command
      .option('--json', 'one JSON document')
      .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
      .action(async (...given: unknown[]) => {
        const options = given.findLast(
          (one): one is Options => typeof one === 'object' && !('args' in (one as object)),
        );
        const [argument] = given;
        finish(await run(() => work(options ?? {}, typeof argument === 'string' ? argument : '')));
      });
  };
  add('show', 'exactly what is sent of the last call, in clear, each field with why it is there', show);
  add('status', 'what waits to be sent, and how it goes', status);
  add('reset', 'goes on as another installation from now on', reset);
  add('forget', 'asks the collection server to delete what was sent, and empties the spool', forget);
  add('export <directory>', 'takes what waits out of the spool and into a directory, instead of sending it', exportTo);
}

async function run(work: () => Promise<string>): Promise<number> {
  try {
    process.stdout.write(`${await work()}\n`);
    return DONE;
  } catch (error) {
    return fail(error);
  }
}

function filesText(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

async function settingsOf({ config }: Options) {
  const { readOfflineSettings } = await import('../../config/read-settings.ts');
  return (await readOfflineSettings(config, process.env)).measurements;
}

async function show(options: Options): Promise<string> {
  const { enabled } = await settingsOf(options);
  if (!enabled) {
    if (options.json === true) return JSON.stringify({ documents: [] });
    const { fieldLines } = await import('./measurement-text.ts');
    return `Nothing is gathered and nothing is sent: enabled = no in [measurements]. With yes, each leg of a call would be sent as\n\n${fieldLines().join('\n')}`;
  }
  const [{ restClient }, { documentLines }] = await Promise.all([
    import('../terminal/rest-client.ts'),
    import('./measurement-text.ts'),
  ]);
  const rest = await restClient(options.config);
  const answer = await rest.get<{ readonly documents: readonly Readonly<Record<string, unknown>>[] }>(
    '/v1/measurements/last',
  );
  if (options.json === true) return JSON.stringify(answer);
  if (answer.documents.length === 0)
    return 'No call has ended since asterisk-mes was started, so nothing was made ready to be sent.';
  return answer.documents.map((document) => documentLines(document).join('\n')).join('\n\n');
}

async function status(options: Options): Promise<string> {
  const settings = await settingsOf(options);
  const { spoolState } = await import('../../measurements/spool-visit.ts');
  const { waitingFiles, waitingBytes, last } = await spoolState(settings.spool);
  if (options.json === true) {
    const { enabled, collector, spool } = settings;
    return JSON.stringify({
      enabled,
      collector,
      spool,
      waiting_files: waitingFiles,
      waiting_bytes: waitingBytes,
      last,
    });
  }
  const count = (name: string): string => JSON.stringify(last?.[name] ?? 0);
  const lines = [
    settings.enabled
      ? `on: ${settings.include.join(' and ')}, for ${settings.recipients.length === 1 ? 'one recipient' : `${settings.recipients.length} recipients`}`
      : 'off: nothing is gathered and nothing is sent',
    `waiting    ${filesText(waitingFiles)}, ${sizeText(waitingBytes)} of at most ${sizeText(settings.spoolMaxBytes)}, in ${settings.spool}`,
    `collector  ${settings.collector ?? 'none; "asterisk-mes measurements export DIR" takes out what waits'}`,
  ];
  if (last !== null) {
    lines.push(
      `sent       ${count('sent')}, refused ${count('refused')}, given up for want of room ${count('dropped')}, since the last start`,
    );
    if (typeof last['problem'] === 'string') lines.push(`problem    ${last['problem']}`);
    if (typeof last['at'] === 'string') lines.push(`as of      ${last['at']}`);
  }
  return lines.join('\n');
}

async function reset(options: Options): Promise<string> {
  const { spool } = await settingsOf(options);
  const { resetInstallation } = await import('../../measurements/spool-visit.ts');
  await resetInstallation(spool, Date.now());
  return options.json === true
    ? JSON.stringify({ reset: true })
    : 'Calls that begin from now on are sent as of another installation.';
}

async function forget(options: Options): Promise<string> {
  const { spool, collector } = await settingsOf(options);
  const { forgetMeasurements } = await import('../../measurements/spool-visit.ts');
  const { asked, emptied } = await forgetMeasurements(spool, collector, Date.now());
  if (options.json === true) return JSON.stringify({ asked, emptied });
  return `${collector === null ? 'There is no collector to ask' : `Asked ${collector} to delete what was sent (${asked} ${asked === 1 ? 'token' : 'tokens'})`}; took ${filesText(emptied)} out of the spool.\nThe recipient deletes when next opening what came. Copies and studies made before, nobody can take back.`;
}

async function exportTo(options: Options, directory: string): Promise<string> {
  const { spool } = await settingsOf(options);
  const { exportSpool } = await import('../../measurements/spool-visit.ts');
  const files = await exportSpool(spool, directory);
  return options.json === true
    ? JSON.stringify({ files, directory })
    : `Took ${filesText(files)} out of the spool into ${directory}.`;
}
