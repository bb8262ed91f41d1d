import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** A row that waits to be shipped to the fleet's store. */
export interface OutboxRow {
  /** Names the kind of row in the fleet's store; `intervals` go first when there is no room. */
  readonly kind: string;
  readonly version: number;
  readonly callStartedAtMs: number;
  /** The row's cells as a JSON object. */
  readonly cells: string;
}

export interface SequencedOutboxRow extends OutboxRow {
  readonly sequence: number;
}

export interface OutboxState {
  readonly rows: number;
  readonly dropped: number;
}

const WASTED = `UPDATE outbox_dropped SET rows = rows + ?`;

/** What waits for the fleet's gateway, until it is acknowledged. */
export const OUTBOX = {
  steps: [
    `CREATE TABLE outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      version INTEGER NOT NULL,
      call_started_at_ms INTEGER NOT NULL,
      cells TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outbox_intervals ON outbox (sequence) WHERE kind = 'intervals';
    CREATE TABLE outbox_dropped (rows INTEGER NOT NULL) STRICT;
    INSERT INTO outbox_dropped VALUES (0);
    CREATE TABLE outbox_mark (ended_at_ms INTEGER NOT NULL) STRICT;
    INSERT INTO outbox_mark VALUES (0)`,
  ],
  writes: {
    /** Adds rows; where that makes more than `most`, the oldest go, reports before anything else, and are counted. */
    put(
      statements: Statements,
      { rows, most, endedAtMs }: { rows: readonly OutboxRow[]; most: number; endedAtMs: number | null },
    ): void {
      if (endedAtMs !== null) {
        statements.run('UPDATE outbox_mark SET ended_at_ms = max(ended_at_ms, ?)', Math.round(endedAtMs));
      }
      for (const { kind, version, callStartedAtMs, cells } of rows) {
        statements.run(
          'INSERT INTO outbox (kind, version, call_started_at_ms, cells) VALUES (?, ?, ?, ?)',
          kind,
          version,
          callStartedAtMs,
          cells,
        );
      }
      let surplus = countRows(statements) - most;
      for (const condition of ["kind = 'intervals'", 'TRUE']) {
        if (surplus <= 0) return;
        const dropped = statements.run(
          `DELETE FROM outbox WHERE sequence IN (SELECT sequence FROM outbox WHERE ${condition} ORDER BY sequence LIMIT ?)`,
          surplus,
        );
        statements.run(WASTED, dropped);
        surplus -= dropped;
      }
    },
    /** The gateway has everything up to there. */
    acknowledge(statements: Statements, sequence: number): number {
      return statements.run('DELETE FROM outbox WHERE sequence <= ?', sequence);
    },
  },
  reads: {
    /** The oldest first. */
    next(statements: Statements, limit: number): SequencedOutboxRow[] {
      return statements
        .prepared(
          'SELECT sequence, kind, version, call_started_at_ms AS callStartedAtMs, cells FROM outbox ORDER BY sequence LIMIT ?',
        )
        .all(limit) as SequencedOutboxRow[];
    },
    /** When the last call ended that was put here; 0 before the first. */
    mark(statements: Statements): number {
      return statements.prepared('SELECT ended_at_ms FROM outbox_mark').pluck().get() as number;
    },
    state(statements: Statements): OutboxState {
      const dropped = statements.prepared('SELECT rows FROM outbox_dropped').pluck().get() as number;
      return { rows: countRows(statements), dropped };
    },
  },
} as const satisfies Feature;

function countRows(statements: Statements): number {
  return statements.prepared('SELECT count(*) FROM outbox').pluck().get() as number;
}
