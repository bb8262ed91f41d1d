import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { CallHabit, HABIT_MS as CALL_HABIT_MS, QUARTER_MS } from '../alerting/rules/call-habit.ts';
import { replay } from '../alerting/rules/replay.ts';
import { ReportingHabit } from '../alerting/rules/reporting-habit.ts';
import { ALERTS } from '../history/features/alerts.ts';
import { explain, HistoryError, missingHistory } from '../history/history-error.ts';
import { Statements } from '../history/schema/statements.ts';
import type { Alert, AlertRule, LegSample } from '../model/alert.ts';

export interface AlertTestOptions {
  readonly path: string;
  readonly rule: AlertRule;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface AlertTestOutcome {
  /** Channels that ended in the range. */
  readonly channels: number;
  readonly alerts: readonly Alert[];
}

const DAY_MS = 86_400_000;
/** The stretch that is read at once. */
const SLICE_MS = 6 * 3_600_000;
/** The legs of this time before the range show the habits of endpoints. */
const HABIT_MS = 7 * DAY_MS;
/** Bound on the legs in that time; an Asterisk has fewer. */
const MOST_LEGS = 1_000_000;

/** Tries a rule on a history, which a sidecar may be using. Throws HistoryError. */
export function testAlertRule({ path, rule, fromMs, toMs }: AlertTestOptions): AlertTestOutcome {
  if (!existsSync(path)) throw missingHistory(path);
  let database: Sqlite.Database | undefined;
  try {
    database = new Sqlite(path, { readonly: true, fileMustExist: true });
    const statements = new Statements(database);
    const habit = new ReportingHabit();
    const calls = new CallHabit();
    if (rule.what === 'no-reports') {
      for (const leg of legsBetween(statements, fromMs - HABIT_MS, fromMs)) habit.take(leg);
    }
    if (rule.what === 'gone') {
      const query = { fromMs: fromMs - CALL_HABIT_MS, toMs: fromMs, endedBeforeMs: fromMs, stretchMs: QUARTER_MS };
      for (const ended of ALERTS.reads.ends(statements, query)) calls.add(ended);
    }
    let channels = 0;
    const counted = function* (): Generator<LegSample> {
      for (const leg of legsBetween(statements, fromMs, toMs)) {
        channels++;
        yield leg;
      }
    };
    const alerts = [...replay(rule, counted(), { fromMs, toMs, habit, calls })];
    return { channels, alerts: alerts.toSorted((one, other) => one.raisedAtMs - other.raisedAtMs) };
  } catch (error) {
    throw error instanceof HistoryError ? error : new HistoryError(explain(error, path), { cause: error });
  } finally {
    database?.close();
  }
}

/** Slice by slice, so that a year does not have to fit into memory. */
function* legsBetween(statements: Statements, fromMs: number, toMs: number): Generator<LegSample> {
  for (let atMs = fromMs; atMs < toMs; atMs += SLICE_MS) {
    yield* ALERTS.reads.legs(statements, { fromMs: atMs, toMs: Math.min(toMs, atMs + SLICE_MS), limit: MOST_LEGS });
  }
}
