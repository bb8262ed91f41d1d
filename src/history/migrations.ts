import type { Database } from 'better-sqlite3';
import { HistoryError } from './history-error.ts';
import { SCHEMA_STEPS } from './schema-steps.ts';

/** Marks the file as ours ("MES1"), so that another program's database is never written to. */
const APPLICATION_ID = 0x4d45_5331;

/** The schema that this release reads and writes. */
export const SCHEMA_VERSION = SCHEMA_STEPS.length;

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/**
 * Brings the database to this release's schema (or to an older `target`), each step in a transaction of its own.
 * Throws HistoryError when the file belongs to another program or was written by a newer release.
 */
export function migrate(database: Database, path: string, target = SCHEMA_VERSION): void {
  const version = numberOf(database.pragma('user_version', { simple: true }));
  const owner = numberOf(database.pragma('application_id', { simple: true }));
  const tables = numberOf(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (owner !== APPLICATION_ID && (tables > 0 || version !== 0)) {
    throw new HistoryError(`${path} is a database of another program; set another path in [history]`);
  }
  if (version > SCHEMA_VERSION) {
    throw new HistoryError(
      `the history ${path} was written by a newer asterisk-mes (schema ${version}, this one knows ${SCHEMA_VERSION}); upgrade asterisk-mes, or set another path in [history]`,
    );
  }
  for (const [index, step] of SCHEMA_STEPS.slice(0, target).entries()) {
    if (index < version) continue;
    const apply = database.transaction(() => {
      database.exec(step);
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${index + 1}`);
    });
    apply.immediate();
  }
}
