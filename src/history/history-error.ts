import { errorCode } from '../model/errors/error-code.ts';
import { errorText } from '../units/error-text.ts';

/** Thrown when the history cannot be opened or written, with one sentence that says what to change. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  /** The code survives the way between threads; the class does not. */
  readonly code = 'HISTORY';
}

/** The error for commands that need an existing history. */
export function missingHistory(path: string): HistoryError {
  return new HistoryError(
    `there is no history at ${path}; check path in [history], or name the settings with --config`,
  );
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, 'cannot be written because the disk is full; free some space on it'],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    'is locked by another program; close the program that holds it (a second asterisk-mes, a database tool)',
  ],
  [/^SQLITE_(NOTADB|CORRUPT)/, 'is not a whole SQLite database; move it away and start again to get a new one'],
  [
    /^(EACCES|EPERM|EEXIST|EROFS|ENOTDIR|EISDIR|ENOENT|ENXIO|SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_AUTH|SQLITE_PERM)/,
    'cannot be written; let the user that runs asterisk-mes write that file and its folder, or set another path in [history]',
  ],
  [/^(SQLITE_IOERR|EIO)/, 'cannot be written because the disk reports an error; check the disk'],
];

/** One sentence for administrators on an error of the database. */
export function explain(error: unknown, path: string): string {
  const code = errorCode(error, '');
  const message = reasonOf(error);
  if (code === 'HISTORY') return message;
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1];
  if (advice !== undefined) return `the history ${path} ${advice} (${code})`;
  return `the history ${path} failed: ${message}`;
}

/** Whether an error is about the change itself and would repeat for ever, unlike a full disk or a lock. */
export function isAboutTheChange(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(errorCode(error, ''))
  );
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return errorText(error);
}
