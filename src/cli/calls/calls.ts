import type { Command } from 'commander';
import { CALLS_QUERY } from '../../api/parameters.ts';
import { DONE, fail, WRONG_USAGE, warn } from '../exit-status.ts';
import { askRest, type ReadOptions, withReadOptions } from './read-command.ts';
import type { CallsAnswer } from '../terminal/answers.ts';
import { type RestClient, RestError } from '../terminal/rest-client.ts';

/** `max_mes` → `--max-mes <value>`: whatever REST can filter by. */
const FILTERS = Object.entries(CALLS_QUERY.shape).map(([name, { description }]) => ({
  name,
  flag: `--${name.replaceAll('_', '-')} <value>`,
  description: description ?? name,
  property: name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
}));

export function addCalls(program: Command, finish: (status: number) => void): void {
  const command = program.command('calls').description('calls, the newest first, by the filters of REST');
  for (const { flag, description } of FILTERS) command.option(flag, description);
  command.addHelpText(
    'after',
    '\nExamples:\n  asterisk-mes calls --from -1h --verdict bad\n  asterisk-mes calls --endpoint PJSIP/alice --max-mes 3.5 --limit 20\n  asterisk-mes calls --from -7d --json',
  );
  withReadOptions(command).action(async (options: ReadOptions & Readonly<Record<string, string>>) => {
    const parameters: Record<string, string> = {};
    for (const { name, property } of FILTERS) {
      const value = options[property];
      if (value !== undefined) parameters[name] = value;
    }
    const wrong = CALLS_QUERY.safeParse(parameters).error?.issues[0];
    if (wrong !== undefined) {
      warn(`--${String(wrong.path[0]).replaceAll('_', '-')} ${wrong.message}`);
      finish(WRONG_USAGE);
      return;
    }
    finish(await askRest(options, (rest) => list(rest, parameters, options.json !== undefined)));
  });
}

async function list(rest: RestClient, parameters: Readonly<Record<string, string>>, isJson: boolean): Promise<number> {
  const answer = await rest.get<CallsAnswer>('/v1/calls', parameters).catch((error: unknown) => {
    // What only the sidecar can tell, such as parameters that contradict each other.
    if (error instanceof RestError && error.parameter !== null) return error;
    throw error;
  });
  if (answer instanceof RestError) {
    const flag = `--${answer.parameter?.replaceAll('_', '-')}`;
    return fail(answer.message.replace(/^parameter \w+:/, `${flag}:`), WRONG_USAGE);
  }
  if (isJson) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return DONE;
  }
  const [{ callsLines }, { paintFor }] = await Promise.all([
    import('../terminal/calls-text.ts'),
    import('../terminal/paint.ts'),
  ]);
  const lines = callsLines(answer.calls, process.stdout.columns ?? 80, paintFor(process.stdout, process.env));
  const more = answer.next_cursor === null ? [] : [`More: add --cursor ${answer.next_cursor}`];
  const count = answer.matching === undefined ? [] : [countText(answer.matching)];
  process.stdout.write(
    `${(answer.calls.length === 0 ? ['No such call.'] : [...lines, ...count, ...more]).join('\n')}\n`,
  );
  return DONE;
}

/** What `--count yes` asked for; null: more than are counted. */
function countText(matching: number | null): string {
  if (matching === null) return 'More than 10,000 calls fit.';
  return matching === 1 ? '1 call fits.' : `${matching} calls fit.`;
}
