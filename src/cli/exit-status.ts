import { errorText } from '../units/error-text.ts';

/** What the commands exit with. */
export const DONE = 0;
export const WORK_FAILED = 1;
export const WRONG_USAGE = 2;

/** Writes one sentence to standard error, after the program's name. */
export function warn(sentence: string): void {
  process.stderr.write(`asterisk-mes: ${sentence}\n`);
}

/** Says on standard error, in one sentence, what went wrong. Returns the exit status of the command. */
export function fail(problem: unknown, status: number = WORK_FAILED): number {
  warn(errorText(problem));
  return status;
}
