import type { Command } from 'commander';
import { DONE } from '../exit-status.ts';
import { askRest, type ReadOptions, withReadOptions } from './read-command.ts';

export function addCall(program: Command, finish: (status: number) => void): void {
  const command = program
    .command('call')
    .description('one call: why it was as it was, where the fault lies, its directions and their course')
    .argument('<id>', 'linkedid of the call')
    .addHelpText('after', '\nExamples:\n  asterisk-mes call 1795176306.3\n  asterisk-mes call 1795176306.3 --json');
  withReadOptions(command).action(async (id: string, options: ReadOptions) =>
    finish(
      await askRest(options, async (rest) => {
        if (options.json === true) {
          const answer = await rest.get<unknown>(`/v1/calls/${encodeURIComponent(id)}`);
          process.stdout.write(`${JSON.stringify(answer)}\n`);
          return DONE;
        }
        const [{ loadCall }, { callLines }, { paintFor }] = await Promise.all([
          import('../terminal/load-call.ts'),
          import('../terminal/call-text.ts'),
          import('../terminal/paint.ts'),
        ]);
        const lines = callLines(
          await loadCall(rest, id),
          process.stdout.columns ?? 80,
          paintFor(process.stdout, process.env),
        );
        process.stdout.write(`${lines.join('\n')}\n`);
        return DONE;
      }),
    ),
  );
}
