import type {
  CallRatings,
  KeptQuestions,
  Moment,
  Rating,
  RatingCursor,
  RatingFilter,
  RatingRequest,
} from '../../model/people/rating.ts';
import { RATING_CELLS, ratingOf, type RatingRow } from './rating-rows.ts';
import { FACTS_STEP, forgetFacts, keepFacts } from './rating-facts.ts';
import { ratingSummary } from './rating-summary.ts';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

const REQUEST_CELLS = 'linkedid, uniqueid, endpoint, side, probability, asked_at_ms AS askedAtMs';

/** Bound on the moments of one call; later ones are left out. */
const MOST_MOMENTS = 100;

/** What people said of calls, whom we asked, and the moments that they marked. */
export const RATINGS = {
  steps: [
    `CREATE TABLE ratings (
      id TEXT PRIMARY KEY,
      linkedid TEXT NOT NULL,
      uniqueid TEXT,
      endpoint TEXT,
      side TEXT NOT NULL,
      score INTEGER NOT NULL,
      issues TEXT NOT NULL,
      answers TEXT NOT NULL,
      comment TEXT,
      source TEXT NOT NULL,
      asked INTEGER NOT NULL,
      weight REAL NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ratings_by_call ON ratings (linkedid);
    CREATE INDEX ratings_by_time ON ratings (at_ms, id);
    CREATE TABLE rating_requests (
      linkedid TEXT NOT NULL,
      uniqueid TEXT NOT NULL,
      endpoint TEXT NOT NULL,
      side TEXT NOT NULL,
      probability REAL NOT NULL,
      asked_at_ms INTEGER NOT NULL,
      PRIMARY KEY (linkedid, uniqueid)
    ) STRICT;
    CREATE INDEX rating_requests_by_endpoint ON rating_requests (endpoint, asked_at_ms);
    CREATE TABLE moments (linkedid TEXT NOT NULL, uniqueid TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
    CREATE INDEX moments_by_call ON moments (linkedid)`,
    'CREATE TABLE rating_key (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), key TEXT NOT NULL) STRICT',
    `CREATE TABLE rating_questions (
      only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
      url TEXT NOT NULL,
      key TEXT NOT NULL,
      signed TEXT NOT NULL,
      signature TEXT NOT NULL
    ) STRICT`,
    // With the start of each rated call, so that they are found newest first. Triggers keep it, whatever comes first.
    `CREATE TABLE rated_calls (linkedid TEXT PRIMARY KEY, started_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX rated_calls_by_start ON rated_calls (started_at_ms, linkedid);
    INSERT INTO rated_calls SELECT linkedid, started_at_ms FROM calls WHERE linkedid IN (SELECT linkedid FROM ratings);
    CREATE TRIGGER rated_calls_by_rating AFTER INSERT ON ratings BEGIN
      INSERT OR IGNORE INTO rated_calls SELECT linkedid, started_at_ms FROM calls WHERE linkedid = NEW.linkedid;
    END;
    CREATE TRIGGER rated_calls_by_join AFTER UPDATE OF linkedid ON ratings BEGIN
      INSERT OR IGNORE INTO rated_calls SELECT linkedid, started_at_ms FROM calls WHERE linkedid = NEW.linkedid;
    END;
    CREATE TRIGGER rated_calls_by_call AFTER INSERT ON calls
    WHEN EXISTS (SELECT 1 FROM ratings WHERE ratings.linkedid = NEW.linkedid) BEGIN
      INSERT OR REPLACE INTO rated_calls VALUES (NEW.linkedid, NEW.started_at_ms);
    END;
    CREATE TRIGGER rated_calls_follow AFTER UPDATE OF started_at_ms ON calls WHEN OLD.started_at_ms <> NEW.started_at_ms BEGIN
      UPDATE rated_calls SET started_at_ms = NEW.started_at_ms WHERE linkedid = NEW.linkedid;
    END;
    CREATE TRIGGER rated_calls_end AFTER DELETE ON calls BEGIN
      DELETE FROM rated_calls WHERE linkedid = OLD.linkedid;
    END`,
    FACTS_STEP,
  ],
  writes: {
    /** A rating of the same id is replaced: whoever rates may change their mind. */
    rate(statements: Statements, rating: Rating): void {
      statements.run(
        `INSERT OR REPLACE INTO ratings (id, linkedid, uniqueid, endpoint, side, score, issues, answers, comment, source, asked, weight, at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        rating.id,
        rating.linkedid,
        rating.uniqueid,
        rating.endpoint,
        rating.side,
        rating.score,
        JSON.stringify(rating.issues),
        JSON.stringify(rating.answers),
        rating.comment,
        rating.source,
        rating.asked ? 1 : 0,
        rating.weight,
        Math.round(rating.atMs),
      );
      keepFacts(statements);
    },
    ask(statements: Statements, request: RatingRequest): void {
      statements.run(
        'INSERT OR IGNORE INTO rating_requests VALUES (?, ?, ?, ?, ?, ?)',
        request.linkedid,
        request.uniqueid,
        request.endpoint,
        request.side,
        request.probability,
        Math.round(request.askedAtMs),
      );
      keepFacts(statements);
    },
    /** The key of links; one that is there stays. */
    keep(statements: Statements, key: string): void {
      statements.run('INSERT OR IGNORE INTO rating_key VALUES (1, ?)', key);
    },
    /** The questions that were fetched last. */
    keepQuestions(statements: Statements, { url, key, signed, signature }: KeptQuestions): void {
      statements.run('INSERT OR REPLACE INTO rating_questions VALUES (1, ?, ?, ?, ?)', url, key, signed, signature);
    },
    mark(statements: Statements, { linkedid, uniqueid, atMs }: Moment): void {
      statements.run(
        'INSERT INTO moments SELECT ?, ?, ? WHERE (SELECT count(*) FROM moments WHERE linkedid = ?) < ?',
        linkedid,
        uniqueid,
        Math.round(atMs),
        linkedid,
        MOST_MOMENTS,
      );
    },
  },
  reads: {
    ofCall(statements: Statements, linkedid: string): CallRatings {
      const rows = (sql: string): unknown[] => statements.prepared(sql).all(linkedid);
      return {
        ratings: (rows(`SELECT ${RATING_CELLS} FROM ratings WHERE linkedid = ? ORDER BY at_ms, id`) as RatingRow[]).map(
          ratingOf,
        ),
        requests: rows(
          `SELECT ${REQUEST_CELLS} FROM rating_requests WHERE linkedid = ? ORDER BY asked_at_ms`,
        ) as RatingRequest[],
        moments: rows(
          'SELECT linkedid, uniqueid, at_ms AS atMs FROM moments WHERE linkedid = ? ORDER BY at_ms',
        ) as Moment[],
      };
    },
    key(statements: Statements): string | null {
      const found = statements.prepared('SELECT key FROM rating_key').pluck().get();
      return typeof found === 'string' ? found : null;
    },
    keptQuestions(statements: Statements): KeptQuestions | null {
      const found = statements.prepared('SELECT url, key, signed, signature FROM rating_questions').get();
      return (found ?? null) as KeptQuestions | null;
    },
    exists(statements: Statements, id: string): boolean {
      return statements.prepared('SELECT 1 FROM ratings WHERE id = ?').get(id) !== undefined;
    },
    /** Newest first. */
    list(
      statements: Statements,
      { filter, limit, cursor }: { filter: RatingFilter; limit: number; cursor: RatingCursor | null },
    ): { readonly ratings: Rating[]; readonly next: RatingCursor | null } {
      const { fromMs, toMs, endpoint, lowestScore, highestScore, issue } = filter;
      const conditions: string[] = ['TRUE'];
      const values: unknown[] = [];
      const want = (condition: string, ...given: unknown[]): void => {
        conditions.push(condition);
        values.push(...given);
      };
      if (fromMs !== undefined) want('at_ms >= ?', fromMs);
      if (toMs !== undefined) want('at_ms < ?', toMs);
      if (endpoint?.endsWith('*') === true)
        want('substr(endpoint, 1, ?) = ?', endpoint.length - 1, endpoint.slice(0, -1));
      else if (endpoint !== undefined) want('endpoint = ?', endpoint);
      if (lowestScore !== undefined) want('score >= ?', lowestScore);
      if (highestScore !== undefined) want('score <= ?', highestScore);
      if (issue !== undefined) want('EXISTS (SELECT 1 FROM json_each(issues) WHERE value = ?)', issue);
      if (cursor !== null) want('(at_ms, id) < (?, ?)', cursor.atMs, cursor.id);
      const rows = statements
        .prepared(
          `SELECT ${RATING_CELLS} FROM ratings WHERE ${conditions.join(' AND ')} ORDER BY at_ms DESC, id DESC LIMIT ?`,
        )
        .all(...values, limit + 1) as RatingRow[];
      const ratings = rows.slice(0, limit).map(ratingOf);
      const last = ratings.at(-1);
      return { ratings, next: rows.length > limit && last !== undefined ? { atMs: last.atMs, id: last.id } : null };
    },
    /** How many were asked in [fromMs, toMs), and how many of these answered. */
    answered(
      statements: Statements,
      { fromMs, toMs }: { fromMs: number; toMs: number },
    ): { readonly asked: number; readonly answered: number } {
      return statements
        .prepared(
          `SELECT count(*) AS asked,
            count(*) FILTER (WHERE EXISTS (
              SELECT 1 FROM ratings WHERE ratings.linkedid = rating_requests.linkedid AND ratings.uniqueid = rating_requests.uniqueid
            )) AS answered
          FROM rating_requests WHERE asked_at_ms >= ? AND asked_at_ms < ?`,
        )
        .get(fromMs, toMs) as { readonly asked: number; readonly answered: number };
    },
    summary: ratingSummary,
    /** When each endpoint was last asked, of those that were since then. */
    lastAsked(statements: Statements, sinceMs: number): { readonly endpoint: string; readonly atMs: number }[] {
      return statements
        .prepared(
          'SELECT endpoint, max(asked_at_ms) AS atMs FROM rating_requests WHERE asked_at_ms >= ? GROUP BY endpoint',
        )
        .all(sinceMs) as { readonly endpoint: string; readonly atMs: number }[];
    },
    /** The channel of an endpoint that ended last, since then; null when none did. */
    lastEnded(
      statements: Statements,
      { endpoint, sinceMs }: { endpoint: string; sinceMs: number },
    ): { readonly linkedid: string; readonly uniqueid: string; readonly endedAtMs: number } | null {
      const found = statements
        .prepared(
          `SELECT linkedid, uniqueid, channels.ended_at_ms AS endedAtMs FROM calls JOIN channels USING (linkedid)
          WHERE calls.started_at_ms >= ? AND channels.ended_at_ms >= ? AND answered_at_ms IS NOT NULL AND endpoint = ?
          ORDER BY channels.ended_at_ms DESC LIMIT 1`,
        )
        .get(sinceMs - LONGEST_CALL_MS, sinceMs, endpoint);
      return (found ?? null) as { linkedid: string; uniqueid: string; endedAtMs: number } | null;
    },
  },
  forget(statements: Statements, linkedids: readonly string[]): void {
    const list = JSON.stringify(linkedids);
    for (const table of ['ratings', 'rating_requests', 'moments']) {
      statements.run(`DELETE FROM ${table} WHERE linkedid IN (SELECT value FROM json_each(?))`, list);
    }
  },
  join(statements: Statements, from: string, into: string): void {
    statements.run('UPDATE ratings SET linkedid = ? WHERE linkedid = ?', into, from);
    forgetFacts(statements, into);
    statements.run('UPDATE OR REPLACE rating_requests SET linkedid = ? WHERE linkedid = ?', into, from);
    statements.run('UPDATE moments SET linkedid = ? WHERE linkedid = ?', into, from);
  },
} as const satisfies Feature;

/** A call that began earlier is not looked for. */
const LONGEST_CALL_MS = 86_400_000;
