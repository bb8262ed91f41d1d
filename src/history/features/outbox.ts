import type { Feature } from '../schema/feature.ts';
import type { Row } from '../schema/rows.ts';
import type { Statements } from '../schema/statements.ts';
import { ScoreSums } from '../sums/score-sums.ts';
import { SPANS_MS } from '../sums/counted-calls.ts';

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
  /** When the row that has waited longest was put there, epoch milliseconds; null: nothing waits. */
  readonly oldestVersion: number | null;
}

/** How far the shipper has come; 0 before its first. */
export interface OutboxProgress {
  /** The highest that a row was given: a clock that is set back makes none lower. */
  readonly version: number;
  /** All sums of the days before this one were put. */
  readonly sumsBeforeMs: number;
  /** The last row of the ratings that was put. */
  readonly rating: number;
}

/** Which sums of the history. */
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
  /** Rows that the outbox may have. */
  readonly most: number;
  /** Of a call: when it ended. */
  readonly endedAtMs?: number | null;
  /** Of a call: all that changed of it by now is in the rows. */
  readonly linkedid?: string | null;
  readonly progress?: Partial<OutboxProgress>;
}

/** Calls that a read looks at together. */
const MOST_AT_ONCE = 1000;

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
    `CREATE TABLE outbox_progress (version INTEGER NOT NULL, sums_before_ms INTEGER NOT NULL, rating INTEGER NOT NULL) STRICT;
    INSERT INTO outbox_progress VALUES (0, 0, 0);
    -- Calls that changed after they had been put here.
    CREATE TABLE outbox_again (linkedid TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
  ],
  writes: {
    /** Adds rows; where that makes more than `most`, the oldest go, reports before anything else, and are counted. */
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
    /** Sums by key; of those that are not there any more, nothing but zeros. */
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
    /** All sums of the first day with any that begins at this moment or later; null: there is none. */
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
    /** Ratings that were given or changed after that one, of calls that are known. */
    ratings(statements: Statements, after: number): ShippedRating[] {
      const last = statements.prepared('SELECT max(rowid) FROM ratings').pluck().get() as number | null;
      // When the newest have expired, their numbers are given again; to ship a rating twice does no harm.
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
