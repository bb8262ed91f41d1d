import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isatty } from 'node:tty';
import Sqlite, { type Database } from 'better-sqlite3';
import { errorCode } from '../../model/errors/error-code.ts';
import { HistoryError } from '../history-error.ts';
import { emptyOldJournals } from '../write/old-journals.ts';
import { FEATURES } from './features.ts';
import { migrate, NAMED_STEPS_SCHEMA, type OnStep } from './migrations.ts';

/** How long a statement waits for another program's lock. Only a worker thread waits; it cannot be ended meanwhile. */
const BUSY_TIMEOUT_MS = 700;

/** A thread of ours that was ended may have it for a moment longer. */
const LOCK_TIMEOUT_MS = 1000;

/**
 * The writer's cache. Its rows are those of the last minutes, so it needs less than the 16 MB that better-sqlite3 takes by
 * default.
 */
const WRITER_CACHE_KIBIBYTES = 2048;

/**
 * Pages in the write-ahead log before they are copied into the file: 32 MB, some 15 s of 2,000 channels. With SQLite's 1000 pages that
 * everybody writes to are copied eight times as often, and a flood of calls waits for the disk each time.
 */
const CHECKPOINT_PAGES = 8000;

/** The write-ahead log is cut back to this after a checkpoint. */
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Opens the database for the one writer: makes its folder (mode 0700) and file (0600: it holds people's numbers)
 * when missing, and brings the schema up to date. Throws HistoryError, or the error of Node or SQLite.
 */
export function openForWriting(path: string, busyTimeoutMs = BUSY_TIMEOUT_MS): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its journal files the mode of the database, and would itself make it readable for everyone.
  closeSync(openSync(path, 'a', 0o600));
  const database = new Sqlite(path, { timeout: busyTimeoutMs });
  try {
    // Works in a new file only. An old file would have to be rewritten, and reuses the space that is freed in it.
    database.pragma('auto_vacuum = INCREMENTAL');
    migrate(database, path, FEATURES, NAMED_STEPS_SCHEMA, showStep);
    emptyOldJournals(database);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma(`cache_size = -${WRITER_CACHE_KIBIBYTES}`);
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma('foreign_keys = ON');
    database.pragma(`journal_size_limit = ${JOURNAL_LIMIT_BYTES}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * Keeps other sidecars from this history, until it is closed or the process ends, in whatever way: an exclusive transaction on a
 * file beside it, which a second one cannot have. Throws HistoryError when another has it.
 */
export function lockHistory(path: string): Database {
  const lockPath = historyLockPath(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(lockPath, 'a', 0o600));
  const lock = new Sqlite(lockPath, { timeout: LOCK_TIMEOUT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!errorCode(error, '').startsWith('SQLITE_BUSY')) throw error;
    throw new HistoryError(
      `the history ${path} is in use by another asterisk-mes; stop that one, or set another path in [history]`,
    );
  }
  return lock;
}

/** Stays where it is when the history is deleted or replaced. */
export function historyLockPath(path: string): string {
  return `${path}-lock`;
}

const STDERR = 2;

/** On a terminal only: a large database of an older release takes minutes. */
const showStep: OnStep = (step, steps) => {
  if (isatty(STDERR)) writeSync(STDERR, `The history is brought up to date: step ${step} of ${steps}\n`);
};

/** Opens a database that the writer has made. */
export function openForReading(path: string): Database {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}
