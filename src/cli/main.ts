import { CommanderError } from 'commander';
import { DONE, WRONG_USAGE } from './exit-status.ts';
import { programFor } from './program.ts';

/** Runs one command of `asterisk-mes`; resolves with its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = DONE;
  const program = await programFor(args[0] ?? '', (commandStatus) => {
    status = commandStatus;
  });
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({ outputError: (text, write) => write(oneSentence(text)) });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? DONE : WRONG_USAGE;
  }
  return status;
}

/** Commander says `error: … is invalid. Give …`, in one line or more, with a full stop or without. */
function oneSentence(text: string): string {
  const problem = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/\. ([A-Z])/g, (_, letter: string) => `; ${letter.toLowerCase()}`);
  return `asterisk-mes: ${problem}; asterisk-mes --help lists the commands and options\n`;
}
