import { type Command, Option } from 'commander';
import { DONE } from '../exit-status.ts';
import { askRest, type ReadOptions, withReadOptions } from './read-command.ts';
import type { ChannelAnswer } from '../terminal/answers.ts';
import { SORTS, type Sort } from '../terminal/live-table.ts';
import { type RestClient, whyNotReady } from '../terminal/rest-client.ts';

interface LiveOptions extends ReadOptions {
  readonly sort: Sort;
  readonly belowGood?: boolean;
  readonly search: string;
}

export function addLive(program: Command, finish: (status: number) => void): void {
  const command = program
    .command('live')
    .description('calls that are up, the worst first: on a terminal until a key ends it, in a pipe once')
    .addOption(new Option('--sort <order>', 'what comes first').choices(SORTS).default('worst'))
    .option('--below-good', 'only calls whose word is below good')
    .option('--search <text>', 'only calls with this in a name or number', '')
    .addHelpText(
      'after',
      '\nExamples:\n  asterisk-mes live\n  asterisk-mes live --below-good | head\n  asterisk-mes live --json',
    );
  withReadOptions(command).action(async (options: LiveOptions) =>
    finish(await askRest(options, (rest) => live(rest, options))),
  );
}

async function live(rest: RestClient, options: LiveOptions): Promise<number> {
  const view = { sort: options.sort, isBadOnly: options.belowGood === true, search: options.search };
  if (options.json !== true && process.stdout.isTTY && process.stdin.isTTY) {
    const { LiveScreen } = await import('../terminal/live-screen.ts');
    await new LiveScreen(rest, view).show();
    return DONE;
  }
  const answer = await rest.get<{ channels: ChannelAnswer[] }>('/v1/live');
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return DONE;
  }
  const { liveCalls, liveLines, liveSummary } = await import('../terminal/live-table.ts');
  const { paintFor } = await import('../terminal/paint.ts');
  const calls = liveCalls(answer.channels, view);
  const whyBlind = await whyNotReady(rest);
  const none = answer.channels.length > 0 ? 'No such call is up' : liveSummary([]);
  const whenEmpty = whyBlind === null ? none : 'Whether calls are up is not known now';
  const table = liveLines(calls, process.stdout.columns ?? 80, paintFor(process.stdout, process.env));
  const lines = [
    ...(whyBlind === null ? [] : [`${whyBlind}.`]),
    `${calls.length === 0 ? whenEmpty : liveSummary(calls)}.`,
    ...(calls.length === 0 ? [] : table),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return DONE;
}
