import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** A shared link, working or revoked. */
export interface Share {
  readonly id: string;
  /** What the link shows: a call, a trunk over a time, or the calls of an alert. */
  readonly kind: 'call' | 'trunk' | 'alert';
  /** The call's linkedid, the alert's id, or JSON of the trunk and its time. */
  readonly subject: string;
  readonly madeAtMs: number;
  readonly expiresAtMs: number;
  /** Null: it works until it expires. */
  readonly revokedAtMs: number | null;
}

const COLUMNS = 'id, kind, subject, made_at_ms AS madeAtMs, expires_at_ms AS expiresAtMs, revoked_at_ms AS revokedAtMs';

/** Shared links, stored so that each can be revoked by itself. */
export const SHARES = {
  steps: [
    `CREATE TABLE shares (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL,
      made_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, revoked_at_ms INTEGER
    ) STRICT`,
  ],
  writes: {
    /** Stores a link, unless it is there already. */
    keep(statements: Statements, { id, kind, subject, madeAtMs, expiresAtMs, revokedAtMs }: Share): void {
      statements.run(
        'INSERT OR IGNORE INTO shares VALUES (?, ?, ?, ?, ?, ?)',
        id,
        kind,
        subject,
        Math.round(madeAtMs),
        Math.round(expiresAtMs),
        revokedAtMs === null ? null : Math.round(revokedAtMs),
      );
      statements.run('DELETE FROM shares WHERE expires_at_ms < ?', Math.round(madeAtMs));
    },
    /** Revokes a link; false: there is none. */
    revoke(statements: Statements, { id, atMs }: { id: string; atMs: number }): boolean {
      const sql = 'UPDATE shares SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE id = ?';
      return statements.run(sql, Math.round(atMs), id) > 0;
    },
    revokeAll(statements: Statements, atMs: number): void {
      statements.run('UPDATE shares SET revoked_at_ms = ? WHERE revoked_at_ms IS NULL', Math.round(atMs));
    },
  },
  reads: {
    one(statements: Statements, id: string): Share | null {
      return (statements.prepared(`SELECT ${COLUMNS} FROM shares WHERE id = ?`).get(id) ?? null) as Share | null;
    },
    /** Links that have not expired, the newest first. */
    list(statements: Statements, { nowMs, limit }: { nowMs: number; limit: number }): Share[] {
      return statements
        .prepared(`SELECT ${COLUMNS} FROM shares WHERE expires_at_ms > ? ORDER BY made_at_ms DESC, id LIMIT ?`)
        .all(nowMs, limit) as Share[];
    },
  },
} as const satisfies Feature;
