import type { Alert, AlertRule, QuietHours } from '../../model/alert.ts';

/** A message waits this long after the newest alert, so that alerts that come together are one message. */
export const MORE_NEWS_MS = 5000;
/** A message waits no longer than this after the oldest alert. */
export const LONGEST_WAIT_MS = 20_000;
/**
 * Pause after a message: long after a storm, short otherwise. A call that turns bad in the pause is reported within a minute.
 */
const REST_AFTER_STORM_MS = 300_000;
const REST_MS = 10_000;
/** A message of so many alerts is a storm. */
export const STORM = 3;

export interface Gathering {
  readonly alerts: readonly Alert[];
  readonly rules: readonly AlertRule[];
  readonly nowMs: number;
  /** Of the local day, 0-1439. */
  readonly minuteOfDay: number;
  /** Time of the last message and its number of alerts; null: there was none yet. */
  readonly last: { readonly atMs: number; readonly alerts: number } | null;
}

/** The alerts of a message that is due now, marked as sent; empty: no message is due yet. */
export function dueNews(gathering: Gathering): Alert[] {
  const { nowMs, last } = gathering;
  const news = gathering.alerts.flatMap((alert) => newsOf(alert, gathering));
  if (news.length === 0) return [];
  const times = news.map(({ atMs }) => atMs);
  const isWhole = nowMs - Math.max(...times) >= MORE_NEWS_MS || nowMs - Math.min(...times) >= LONGEST_WAIT_MS;
  const restMs = last === null ? 0 : last.alerts >= STORM ? REST_AFTER_STORM_MS : REST_MS;
  if (!isWhole || (last !== null && nowMs - last.atMs < restMs)) return [];
  return news.map(({ alert }) =>
    alert.clearedAtMs === null
      ? { ...alert, toldAtMs: nowMs }
      : { ...alert, toldAtMs: alert.toldAtMs ?? nowMs, endToldAtMs: nowMs },
  );
}

function newsOf(alert: Alert, { rules, nowMs, minuteOfDay }: Gathering): { alert: Alert; atMs: number }[] {
  const rule = rules.find(({ name }) => name === alert.rule);
  const wasTold = alert.toldAtMs !== null;
  // An end is sent whenever the beginning was, also when the rule is gone by now.
  if (rule === undefined ? !wasTold : !rule.send && !wasTold) return [];
  if (rule?.quiet && isQuiet(rule.quiet, minuteOfDay)) return [];
  if (alert.clearedAtMs !== null) return alert.endToldAtMs === null ? [{ alert, atMs: alert.clearedAtMs }] : [];
  if (alert.toldAtMs === null) return [{ alert, atMs: alert.raisedAtMs }];
  const againAtMs = alert.toldAtMs + (rule?.againMs ?? Number.POSITIVE_INFINITY);
  return againAtMs <= nowMs ? [{ alert, atMs: againAtMs }] : [];
}

export function isQuiet({ fromMinute, toMinute }: QuietHours, minuteOfDay: number): boolean {
  return fromMinute <= toMinute
    ? minuteOfDay >= fromMinute && minuteOfDay < toMinute
    : minuteOfDay >= fromMinute || minuteOfDay < toMinute;
}
