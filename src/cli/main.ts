import { type Command, CommanderError } from 'commander';
import { DONE, WRONG_USAGE, warn } from './exit-status.ts';
import { programFor } from './program.ts';

/** Runs one command of `asterisk-mes`; resolves with its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = DONE;
  const program = await programFor(args[0] ?? '', (commandStatus) => {
    status = commandStatus;
  });
  const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
  // Who types the name of the program alone sees what it can do.
  const showsHelp = args.length === 0;
  for (const command of commands) {
    command
      .exitOverride((error) => {
        if (error.code === HELP_INSTEAD && error.exitCode !== 0) warn(missingCommand(command, args));
        throw error;
      })
      .configureOutput({
        writeErr: (text) => void (showsHelp && process.stderr.write(text)),
        outputError: (text) => void process.stderr.write(oneSentence(text, command)),
      });
  }
  await warnOfUnknownVariables();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? DONE : WRONG_USAGE;
  }
  return status;
}

async function warnOfUnknownVariables(): Promise<void> {
  if (!Object.keys(process.env).some((name) => name.startsWith('MES_'))) return;
  // Loaded when needed: most have their settings in a file.
  const { unknownVariables } = await import('../config/unknown-variables.ts');
  for (const sentence of unknownVariables(process.env)) warn(sentence);
}

/** `asterisk-mes alerts test` */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Commander writes help where a command is missing, or where `help` is asked for one that is not there. */
const HELP_INSTEAD = 'commander.help';

function missingCommand(command: Command, args: readonly string[]): string {
  const [word, asked] = args;
  if (word === 'help' && asked !== undefined) return `unknown command '${asked}'; see asterisk-mes --help`;
  if (command.parent === null) return 'no command was given; begin with asterisk-mes setup';
  const names = command.commands.map((inner) => inner.name());
  return `a command is missing after ${nameOf(command)}; give ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}; see ${nameOf(command)} --help`;
}

/** Commander says `error: … is invalid. Give …`, in one line or more, with a full stop or without. */
function oneSentence(text: string, command: Command): string {
  const problem = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/\. ([A-Z])/g, (_, letter: string) => `; ${letter.toLowerCase()}`);
  // Of what stands after the name of a group, commander says that it is too much.
  const unknown = command.commands.length === 0 ? null : /^too many arguments for .*: ([^,\s]+)/.exec(problem);
  const said = unknown === null ? problem : `unknown command '${unknown[1]}'`;
  return `asterisk-mes: ${said}; see ${nameOf(command)} --help\n`;
}
