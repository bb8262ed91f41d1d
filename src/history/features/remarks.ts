import {
  type CallRemarks,
  MOST_NOTES,
  MOST_TAGS,
  type Note,
  type Tag,
  type TagChange,
  type TagCount,
} from '../../model/people/remark.ts';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** Tags that are listed at most, those of most calls first. */
const MOST_LISTED = 500;

const NOTE_CELLS = 'id, linkedid, text, author, at_ms AS atMs';
const TAG_CELLS = 'linkedid, tag, author, at_ms AS atMs';

/** What people wrote about calls, and the tags that they gave them. */
export const REMARKS = {
  steps: [
    `CREATE TABLE call_notes (
      id TEXT PRIMARY KEY,
      linkedid TEXT NOT NULL,
      text TEXT NOT NULL,
      author TEXT,
      at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX call_notes_by_call ON call_notes (linkedid, at_ms);
    -- The call's start is here as well, so that its calls are found newest first.
    CREATE TABLE call_tags (
      linkedid TEXT NOT NULL,
      tag TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL,
      author TEXT,
      at_ms INTEGER NOT NULL,
      PRIMARY KEY (linkedid, tag)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX call_tags_by_tag ON call_tags (tag, started_at_ms, linkedid);
    CREATE TRIGGER call_tags_follow AFTER UPDATE OF started_at_ms ON calls WHEN OLD.started_at_ms <> NEW.started_at_ms BEGIN
      UPDATE call_tags SET started_at_ms = NEW.started_at_ms WHERE linkedid = NEW.linkedid;
    END`,
  ],
  writes: {
    /** False: the call has as many notes as one may have. */
    note(statements: Statements, { id, linkedid, text, author, atMs }: Note): boolean {
      const count = statements.prepared('SELECT count(*) FROM call_notes WHERE linkedid = ?').pluck().get(linkedid);
      if (Number(count) >= MOST_NOTES) return false;
      statements.run(
        'INSERT OR IGNORE INTO call_notes VALUES (?, ?, ?, ?, ?)',
        id,
        linkedid,
        text,
        author,
        Math.round(atMs),
      );
      shipAgain(statements, linkedid);
      return true;
    },
    /** False: there is none of this id. */
    deleteNote(statements: Statements, id: string): boolean {
      const linkedid = statements.prepared('SELECT linkedid FROM call_notes WHERE id = ?').pluck().get(id);
      if (typeof linkedid === 'string') shipAgain(statements, linkedid);
      return statements.run('DELETE FROM call_notes WHERE id = ?', id) > 0;
    },
    /** False, and nothing is changed: the call would have more tags than one may have. A tag that it has keeps who set it. */
    tag(statements: Statements, { linkedid, startedAtMs, add, remove, author, atMs }: TagChange): boolean {
      const kept = statements
        .prepared('SELECT tag FROM call_tags WHERE linkedid = ?')
        .pluck()
        .all(linkedid) as string[];
      const wanted = new Set([...kept, ...add]);
      for (const tag of remove) wanted.delete(tag);
      if (wanted.size > MOST_TAGS) return false;
      shipAgain(statements, linkedid);
      for (const tag of remove) statements.run('DELETE FROM call_tags WHERE linkedid = ? AND tag = ?', linkedid, tag);
      for (const tag of add) {
        if (!wanted.has(tag)) continue;
        statements.run(
          'INSERT OR IGNORE INTO call_tags VALUES (?, ?, ?, ?, ?)',
          linkedid,
          tag,
          startedAtMs,
          author,
          Math.round(atMs),
        );
      }
      return true;
    },
  },
  reads: {
    ofCall(statements: Statements, linkedid: string): CallRemarks {
      return {
        notes: statements
          .prepared(`SELECT ${NOTE_CELLS} FROM call_notes WHERE linkedid = ? ORDER BY at_ms, id`)
          .all(linkedid) as Note[],
        tags: statements
          .prepared(`SELECT ${TAG_CELLS} FROM call_tags WHERE linkedid = ? ORDER BY tag`)
          .all(linkedid) as Tag[],
      };
    },
    /** The tags of these calls; a call without any is not in it. */
    tagsOf(statements: Statements, linkedids: readonly string[]): ReadonlyMap<string, readonly string[]> {
      const rows = statements
        .prepared(
          'SELECT linkedid, tag FROM json_each(?) CROSS JOIN call_tags ON call_tags.linkedid = value ORDER BY tag',
        )
        .all(JSON.stringify(linkedids)) as { readonly linkedid: string; readonly tag: string }[];
      const groups = Map.groupBy(rows, ({ linkedid }) => linkedid);
      return new Map([...groups].map(([linkedid, tags]) => [linkedid, tags.map(({ tag }) => tag)]));
    },
    /** Every tag, that of most calls first. */
    tags(statements: Statements): TagCount[] {
      return statements
        .prepared(
          `SELECT tag, count(*) AS calls FROM call_tags GROUP BY tag ORDER BY calls DESC, tag LIMIT ${MOST_LISTED}`,
        )
        .all() as TagCount[];
    },
  },
  forget(statements: Statements, linkedids: readonly string[]): void {
    const list = JSON.stringify(linkedids);
    for (const table of ['call_notes', 'call_tags']) {
      statements.run(`DELETE FROM ${table} WHERE linkedid IN (SELECT value FROM json_each(?))`, list);
    }
  },
  join(statements: Statements, from: string, into: string): void {
    statements.run('UPDATE call_notes SET linkedid = ? WHERE linkedid = ?', into, from);
    statements.run(
      `UPDATE OR REPLACE call_tags SET linkedid = @into,
        started_at_ms = ifnull((SELECT started_at_ms FROM calls WHERE linkedid = @into), started_at_ms)
      WHERE linkedid = @from`,
      { from, into },
    );
  },
} as const satisfies Feature;

/** Where a fleet has the call, it gets what is written about it as well. */
function shipAgain(statements: Statements, linkedid: string): void {
  statements.run('INSERT OR IGNORE INTO outbox_again SELECT ? FROM outbox_mark WHERE ended_at_ms > 0', linkedid);
}
