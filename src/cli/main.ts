import { Command, CommanderError } from 'commander';
import { VERSION } from '../app/version.ts';
import { DONE, WRONG_USAGE } from './exit-status.ts';

type AddCommand = (program: Command, finish: (status: number) => void) => void;

/** Loaded when asked for: reading the sources of all takes longer than many a command. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import('./run.ts')).addRun,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  setup: async () => (await import('./setup.ts')).addSetup,
  score: async () => (await import('./score.ts')).addScore,
  analyze: async () => (await import('./analyze.ts')).addAnalyze,
  xr: async () => (await import('./xr.ts')).addXr,
  rescore: async () => (await import('./rescore.ts')).addRescore,
};

/** Runs one command of `asterisk-mes`; resolves with its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = DONE;
  const program = new Command('asterisk-mes')
    .description('Scores the media of every call on an Asterisk server as it happens.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneSentence(text)) });
  const finish = (commandStatus: number): void => {
    status = commandStatus;
  };
  const [word = ''] = args;
  const named = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  // The list of commands, and the hint at a misspelt one, need them all.
  for (const load of named === undefined ? Object.values(COMMANDS) : [named]) (await load())(program, finish);
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
