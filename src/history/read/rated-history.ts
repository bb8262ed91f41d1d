import { existsSync } from 'node:fs';
import type { CallWithChannels } from '../../model/ports.ts';
import type { Rating, RatingCursor } from '../../model/people/rating.ts';
import { RATINGS } from '../features/ratings.ts';
import { explain, HistoryError, missingHistory } from '../history-error.ts';
import { openForReading } from '../schema/database.ts';
import { Statements } from '../schema/statements.ts';
import { Queries } from './queries.ts';

/** Newest first: more tell nothing new. */
const MOST_RATINGS = 50_000;
const PAGE_RATINGS = 500;

export interface RatedRecord {
  readonly rating: Rating;
  readonly call: CallWithChannels;
}

/**
 * Gives each rating of [fromMs, toMs) with its call, the newest first. It reads beside a running sidecar and changes
 * nothing. Throws HistoryError.
 */
export function readRated(
  path: string,
  range: { readonly fromMs: number | undefined; readonly toMs: number | undefined },
  onRated: (rated: RatedRecord) => void,
): void {
  if (!existsSync(path)) throw missingHistory(path);
  try {
    const database = openForReading(path);
    try {
      const tables = database.prepare("SELECT count(*) FROM sqlite_master WHERE name IN ('ratings', 'calls')").pluck();
      // A history of an older release has calls and no ratings.
      if (tables.get() !== 2) return;
      const statements = new Statements(database);
      const queries = new Queries(database);
      let cursor: RatingCursor | null = null;
      for (let read = 0; read < MOST_RATINGS; read += PAGE_RATINGS) {
        const page: { readonly ratings: Rating[]; readonly next: RatingCursor | null } = RATINGS.reads.list(
          statements,
          {
            filter: range,
            limit: PAGE_RATINGS,
            cursor,
          },
        );
        for (const rating of page.ratings) {
          const call = queries.call(rating.linkedid);
          if (call !== null) onRated({ rating, call });
        }
        cursor = page.next;
        if (cursor === null) return;
      }
    } finally {
      database.close();
    }
  } catch (error) {
    throw new HistoryError(explain(error, path), { cause: error });
  }
}
