import Sqlite from 'better-sqlite3';
import { explain, HistoryError } from '../history-error.ts';

/** What the far end's reports of one endpoint were good for. */
export interface ReporterUse {
  readonly endpoint: string;
  /** Calls in which it sent reports. */
  readonly calls: number;
  /** Calls in which more than half of the reports were about another stream than ours. */
  readonly unusableCalls: number;
}

/** The use of reports in calls that began since then. The history may be in use. Throws HistoryError. */
export function unusedReports(path: string, sinceMs: number): ReporterUse[] {
  let database: Sqlite.Database | undefined;
  try {
    database = new Sqlite(path, { readonly: true, fileMustExist: true });
    return database
      .prepare<[number], ReporterUse>(
        `SELECT channels.endpoint, count(DISTINCT channels.linkedid) AS calls,
          count(DISTINCT CASE WHEN 2 * streams.unused_reports > streams.reports THEN channels.linkedid END) AS unusableCalls
        FROM calls JOIN channels ON channels.linkedid = calls.linkedid JOIN streams ON streams.uniqueid = channels.uniqueid
        WHERE calls.started_at_ms >= ? AND streams.direction = 'tx' AND streams.reports > 0
        GROUP BY channels.endpoint`,
      )
      .all(sinceMs);
  } catch (error) {
    throw new HistoryError(explain(error, path), { cause: error });
  } finally {
    database?.close();
  }
}
