import { Command, CommanderError } from 'commander';
import { VERSION } from '../app/version.ts';
import { addAnalyze } from './analyze.ts';
import { addDoctor } from './doctor.ts';
import { DONE, WRONG_USAGE } from './exit-status.ts';
import { addRescore } from './rescore.ts';
import { addRun } from './run.ts';
import { addScore } from './score.ts';
import { addSetup } from './setup.ts';
import { addXr } from './xr.ts';

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
  addRun(program, finish);
  addDoctor(program, finish);
  addSetup(program, finish);
  addScore(program, finish);
  addAnalyze(program, finish);
  addXr(program, finish);
  addRescore(program, finish);
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
