import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';
import type { CountedCalls } from '../sums/counted-calls.ts';

/** A channel's row, as far as it shows whether a state is of the same channel. */
export interface StoredChannel {
  readonly linkedid: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/**
 * Whether a state is of another channel than the stored one with its Uniqueid. Asterisk makes them from its clock and counts from 0
 * at each start: a machine whose clock begins anew with it gives the same ones again. A clock that was set moves begin and end alike.
 */
export function isOfAnother(stored: StoredChannel, startedAtMs: number, endedAtMs: number | null): boolean {
  if (stored.endedAtMs === null || stored.startedAtMs === startedAtMs) return false;
  return endedAtMs === null || endedAtMs - startedAtMs !== stored.endedAtMs - stored.startedAtMs;
}

/** A name that no Asterisk gives, and that says when it was. */
function nameOfOld(id: string, startedAtMs: number): string {
  return `${id}~${startedAtMs}`;
}

/**
 * Gives the stored channel another Uniqueid, and its call another linkedid where the new channel is in a call of the same, in
 * whatever table they are. In the caller's transaction.
 */
export function setAside(
  statements: Statements,
  counted: CountedCalls,
  features: readonly Feature[],
  { uniqueid, linkedid, stored }: { uniqueid: string; linkedid: string; stored: StoredChannel },
): void {
  // Rows refer to each other by these ids; until the commit they need not agree.
  statements.database.pragma('defer_foreign_keys = ON');
  counted.reopen(stored.linkedid);
  rename(statements, ['uniqueid', 'peer_uniqueid'], uniqueid, nameOfOld(uniqueid, stored.startedAtMs));
  // The call had been joined into another one. Now this linkedid is a call of its own again.
  statements.run('DELETE FROM call_aliases WHERE from_linkedid = ?', linkedid);
  if (stored.linkedid !== linkedid) return;
  const name = nameOfOld(linkedid, stored.startedAtMs);
  rename(statements, ['linkedid'], linkedid, name);
  statements.run('UPDATE call_aliases SET into_linkedid = ? WHERE into_linkedid = ?', name, linkedid);
  for (const { join } of features) join?.(statements, linkedid, name);
}

function rename(statements: Statements, columns: readonly string[], from: string, to: string): void {
  const places = statements
    .prepared(
      `SELECT tables.name AS tableName, columns.name AS columnName FROM sqlite_schema AS tables
        JOIN pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND columns.name IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(columns)) as { tableName: string; columnName: string }[];
  for (const { tableName, columnName } of places) {
    statements.run(`UPDATE ${tableName} SET ${columnName} = ? WHERE ${columnName} = ?`, to, from);
  }
}
