import type { Command } from 'commander';
import { DEFAULT_SETTINGS_PATH } from '../config/read-settings.ts';
import { DONE } from './exit-status.ts';
import { askRest } from './calls/read-command.ts';

export function addMcp(program: Command, finish: (status: number) => void): void {
  program
    .command('mcp')
    .description(
      'answers assistants about calls over the Model Context Protocol on standard input and output; reads only',
    )
    .option('--config <file>', `settings that name REST's address and token (default: ${DEFAULT_SETTINGS_PATH})`)
    .addHelpText(
      'after',
      '\nAn assistant starts it itself; its settings name the command and its arguments:\n  {"mcpServers": {"asterisk-mes": {"command": "asterisk-mes", "args": ["mcp"]}}}',
    )
    .action(async (options: { readonly config?: string }) =>
      finish(
        await askRest(options, async (rest) => {
          const [{ McpSession }, { linesOf }] = await Promise.all([
            import('./mcp/session.ts'),
            import('./mcp/lines.ts'),
          ]);
          const session = new McpSession(rest);
          for await (const line of linesOf(process.stdin)) {
            if (line.trim() === '') continue;
            const answer = await session.answer(line);
            if (answer !== undefined) process.stdout.write(`${answer}\n`);
          }
          return DONE;
        }),
      ),
    );
}
