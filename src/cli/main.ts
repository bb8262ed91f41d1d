import { type Command, CommanderError } from 'commander';
import { DONE, WRONG_USAGE } from './exit-status.ts';
import { programFor } from './program.ts';

/** Runs one command of `asterisk-mes`; resolves with its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = DONE;
  const program = await programFor(args[0] ?? '', (commandStatus) => {
    status = commandStatus;
  });
  const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
  for (const command of commands) {
    const name = nameOf(command);
    command.exitOverride().configureOutput({ outputError: (text, write) => write(oneSentence(text, name)) });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? DONE : WRONG_USAGE;
  }
  return status;
}

/** `asterisk-mes alerts test` */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Commander says `error: … is invalid. Give …`, in one line or more, with a full stop or without. */
function oneSentence(text: string, command: string): string {
  const problem = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/\. ([A-Z])/g, (_, letter: string) => `; ${letter.toLowerCase()}`);
  return `asterisk-mes: ${problem}; see ${command} --help\n`;
}
