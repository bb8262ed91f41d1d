import type { Feature } from '../schema/feature.ts';
import type { Row } from '../schema/rows.ts';
import type { Statements } from '../schema/statements.ts';
import { ScoreSums } from '../sums/score-sums.ts';
import { SPANS_MS } from '../sums/counted-calls.ts';

/** A row that waits to be shipped to the fleet's store. */
export interface OutboxRow {
  /** The kind of row in the fleet's store. When there is no room, `intervals` are dropped first. */
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
  /** When the oldest waiting row was put there, epoch milliseconds; null: nothing waits. */
  readonly oldestVersion: number | null;
}

/** The progress of the shipper; 0 before the first shipping. */
export interface OutboxProgress {
  /** The highest version so far: it never falls, even when the clock is set back. */
  readonly version: number;
  /** All sums of days before this one are in the outbox. */
  readonly sumsBeforeMs: number;
  /** The last rating row in the outbox. */
  readonly rating: number;
}

/** The key of a row of sums. */
export interface SumsKey {
  readonly spanMs: number;
  readonly startsAtMs: number;
  readonly kind: string;
  readonly scope: string;
}

/** A row of sums as it is shipped. */
export type SumsRow = Readonly<Record<string, string | number | readonly number[]>>;

export interface ShippedRating {
  readonly row: number;
  readonly callStartedAtMs: number;
  readonly cells: Readonly<Record<string, string | number | null>>;
}

export interface OutboxPut {
  readonly rows: readonly OutboxRow[];
  /** Bound on the rows of the outbox. */
  readonly most: number;
  /** For a call: when it ended. */
  readonly endedAtMs?: number | null;
  /** For a call: its linkedid. The rows have all its changes so far. */
  readonly linkedid?: string | null;
  readonly progress?: Partial<OutboxProgress>;
}

/** Bound on the calls of one read. */
const MOST_AT_ONCE = 1000;

const WASTED = `UPDATE outbox_dropped SET rows = rows + ?`;

/** Rows for the fleet's gateway, until it acknowledges them. */
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
    `CREATE TABLE outbox_progress (version INTEGER NOT NULL, sums_before_ms INTEGER NOT NULL, rating INTEGER NOT NULL) STRICT;
    INSERT INTO outbox_progress VALUES (0, 0, 0);
    -- Calls that changed after they had been put here.
    CREATE TABLE outbox_again (linkedid TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
  ],
  writes: {
    /** Adds rows. With more than `most`, it drops and counts the oldest, reports before anything else. */
    put(statements: Statements, { rows, most, endedAtMs = null, linkedid = null, progress = {} }: OutboxPut): void {
      if (endedAtMs !== null) {
        statements.run('UPDATE outbox_mark SET ended_at_ms = max(ended_at_ms, ?)', Math.round(endedAtMs));
      }
      if (linkedid !== null) statements.run('DELETE FROM outbox_again WHERE linkedid = ?', linkedid);
      statements.run(
        `UPDATE outbox_progress SET version = max(version, ?), sums_before_ms = max(sums_before_ms, ?), rating = ifnull(?, rating)`,
        rows.reduce((highest, { version }) => Math.max(highest, version), 0),
        progress.sumsBeforeMs ?? 0,
        progress.rating ?? null,
      );
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
    /** Deletes rows up to a sequence that the gateway has stored. */
    acknowledge(statements: Statements, sequence: number): number {
      return statements.run('DELETE FROM outbox WHERE sequence <= ?', sequence);
    },
  },
  reads: {
    /** The oldest rows. */
    next(statements: Statements, limit: number): SequencedOutboxRow[] {
      return statements
        .prepared(
          'SELECT sequence, kind, version, call_started_at_ms AS callStartedAtMs, cells FROM outbox ORDER BY sequence LIMIT ?',
        )
        .all(limit) as SequencedOutboxRow[];
    },
    /** End of the last call that was put here; 0 before the first. */
    mark(statements: Statements): number {
      return statements.prepared('SELECT ended_at_ms FROM outbox_mark').pluck().get() as number;
    },
    state(statements: Statements): OutboxState {
      const dropped = statements.prepared('SELECT rows FROM outbox_dropped').pluck().get() as number;
      const oldest = statements.prepared('SELECT version FROM outbox ORDER BY sequence LIMIT 1').pluck().get();
      return { rows: countRows(statements), dropped, oldestVersion: typeof oldest === 'number' ? oldest : null };
    },
    progress(statements: Statements): OutboxProgress {
      return statements
        .prepared('SELECT version, sums_before_ms AS sumsBeforeMs, rating FROM outbox_progress')
        .get() as OutboxProgress;
    },
    /** Calls that changed after they had been put here. */
    again(statements: Statements): string[] {
      return statements.prepared(`SELECT linkedid FROM outbox_again LIMIT ${MOST_AT_ONCE}`).pluck().all() as string[];
    },
    /** Which of these calls are not counted in the sums yet. */
    uncounted(statements: Statements, linkedids: readonly string[]): string[] {
      return statements
        .prepared('SELECT linkedid FROM json_each(?) CROSS JOIN calls ON linkedid = value WHERE is_counted = 0')
        .pluck()
        .all(JSON.stringify(linkedids)) as string[];
    },
    /** The linkedids that a call had before others were joined into it. */
    aliases(statements: Statements, linkedid: string): string[] {
      return statements
        .prepared('SELECT from_linkedid FROM call_aliases WHERE into_linkedid = ?')
        .pluck()
        .all(linkedid) as string[];
    },
    /** Sums by key; zeros for sums that no longer exist. */
    sums(statements: Statements, keys: readonly SumsKey[]): SumsRow[] {
      const one = statements.prepared(
        'SELECT * FROM call_sums WHERE span_ms = ? AND starts_at_ms = ? AND kind = ? AND scope = ?',
      );
      return keys.map((key) => {
        const { spanMs, startsAtMs, kind, scope } = key;
        const none: Row = { ...new ScoreSums().toRow(), span_ms: spanMs, starts_at_ms: startsAtMs, kind, scope };
        return sumsRow((one.get(spanMs, startsAtMs, kind, scope) as StoredSums | undefined) ?? none);
      });
    },
    /** All sums of the first day with sums at or after a time; null: there is none. */
    sumsOfDay(
      statements: Statements,
      sinceMs: number,
    ): { readonly dayMs: number; readonly rows: readonly SumsRow[] } | null {
      const dayMs = statements
        .prepared('SELECT min(starts_at_ms) FROM call_sums WHERE span_ms = ? AND starts_at_ms >= ?')
        .pluck()
        .get(SPANS_MS[0], sinceMs) as number | null;
      if (dayMs === null) return null;
      const rows = SPANS_MS.flatMap((spanMs) =>
        statements
          .prepared('SELECT * FROM call_sums WHERE span_ms = ? AND starts_at_ms >= ? AND starts_at_ms < ?')
          .all(spanMs, dayMs, dayMs + SPANS_MS[0]),
      ) as StoredSums[];
      return { dayMs, rows: rows.map(sumsRow) };
    },
    /** Ratings of known calls that were given or changed after the row `after`. */
    ratings(statements: Statements, after: number): ShippedRating[] {
      const last = statements.prepared('SELECT max(rowid) FROM ratings').pluck().get() as number | null;
      // SQLite reuses the numbers of the newest rows when those expire. Shipping a rating twice does no harm.
      const from = (last ?? 0) < after ? 0 : after;
      const rows = statements
        .prepared(
          `SELECT ratings.rowid AS row, calls.started_at_ms AS callStartedAtMs, ratings.* FROM ratings JOIN calls USING (linkedid)
            WHERE ratings.rowid > ? ORDER BY ratings.rowid LIMIT ${MOST_AT_ONCE}`,
        )
        .all(from) as (Row & { readonly row: number; readonly callStartedAtMs: number })[];
      return rows.map(({ row, callStartedAtMs, ...cells }) => ({ row, callStartedAtMs, cells }));
    },
  },
  forget(statements: Statements, linkedids: readonly string[]): void {
    statements.run(
      'DELETE FROM outbox_again WHERE linkedid IN (SELECT value FROM json_each(?))',
      JSON.stringify(linkedids),
    );
  },
} as const satisfies Feature;

type StoredSums = Row & { readonly scores?: Uint8Array };

function sumsRow({ kind, scores, ...row }: StoredSums): SumsRow {
  const sums = new ScoreSums();
  if (scores !== undefined) sums.addPacked(scores, 1);
  const counted = [...sums.scores.entries()].filter(([, calls]) => calls !== 0);
  return {
    ...(row as Readonly<Record<string, string | number>>),
    scope_kind: kind ?? '',
    score_hundredths: counted.map(([hundredths]) => hundredths),
    score_calls: counted.map(([, calls]) => calls),
  };
}

function countRows(statements: Statements): number {
  return statements.prepared('SELECT count(*) FROM outbox').pluck().get() as number;
}
