import type { Alert, AlertRule } from '../../model/alert.ts';
import { type CallHabit, type EndpointHabit, LONGEST_SILENCE_MS } from './call-habit.ts';
import { fits } from './endpoint-pattern.ts';
import type { RuleSight } from './rule-sight.ts';
import type { Surroundings } from './surroundings.ts';

/** After so long nobody expects a call any more: what was usual is forgotten. */
const FORGOTTEN_MS = 14 * 86_400_000;
/** Endpoints that are looked at in one step. */
const ENDPOINTS_A_STEP = 50;

/** An hour that was put forward or back: at the edges of a working day the week before is not quite the same. */
const HOUR_MS = 3_600_000;

/**
 * What is gone: endpoints, sites, or all together, that have called nobody and answered no call for so long that many calls are
 * usual in that time. The value is how many, by the quieter of the two weeks before.
 */
export function* goneSights(
  rule: AlertRule,
  { nowMs, amiDownSinceMs, watchedSinceMs, calls, reach }: Surroundings,
): Generator<undefined, RuleSight[]> {
  // Who cannot see calls cannot miss them.
  if (calls === null || amiDownSinceMs !== null) return [];
  const groups = new Map<string, EndpointHabit[]>();
  for (const habit of calls.endpoints()) {
    if (!fits(habit.endpoint, rule.endpoints)) continue;
    const subject = rule.by === 'all' ? 'all' : rule.by === 'site' ? habit.site : habit.endpoint;
    if (subject === null) continue;
    const group = groups.get(subject);
    if (group === undefined) groups.set(subject, [habit]);
    else group.push(habit);
  }
  const seen: RuleSight[] = [];
  let count = 0;
  for (const [subject, group] of groups) {
    const lastMs = group.reduce((latest, habit) => Math.max(latest, habit.lastMs), 0);
    const fromMs = Math.max(lastMs, watchedSinceMs, nowMs - LONGEST_SILENCE_MS);
    const value = nowMs - fromMs < rule.overMs ? 0 : missing(rule, calls, group, { fromMs, toMs: nowMs });
    const judged = value === null ? 0 : 1;
    const isReachable = rule.by === 'endpoint' ? (reach?.isReachable(subject) ?? null) : null;
    seen.push({ subject, value, judged, isUp: false, linkedids: [], sinceMs: lastMs, place: null, isReachable });
    const before = count;
    count += group.length;
    if (Math.floor(before / ENDPOINTS_A_STEP) !== Math.floor(count / ENDPOINTS_A_STEP)) yield;
  }
  return seen;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Calls that are usual in this time; null: too few are known. */
function missing(rule: AlertRule, calls: CallHabit, group: readonly EndpointHabit[], span: Span): number | null {
  const { fromMs, toMs } = span;
  const usual = calls.usual(group, fromMs, toMs);
  if (usual.reduce((sum, count) => sum + count, 0) < rule.calls) return null;
  if (rule.by !== 'all') return Math.floor(Math.min(...usual) * calls.busyShare(fromMs, toMs));
  const shifted = [-HOUR_MS, HOUR_MS].flatMap((ms) => calls.usual(group, fromMs + ms, toMs + ms));
  return Math.floor(Math.min(...usual, ...shifted));
}

/** An alert that goes on. Only a call ends it, since what is usual falls by itself in the evening. */
export function goOnBeingGone(
  alert: Alert,
  sight: Pick<RuleSight, 'value' | 'sinceMs'> | undefined,
  nowMs: number,
  isClear: (value: number) => boolean,
): Alert {
  if (nowMs - alert.sinceMs >= FORGOTTEN_MS && (sight?.sinceMs ?? 0) <= alert.sinceMs) {
    return { ...alert, value: null, clearedAtMs: nowMs, clearedBecause: 'no-calls' };
  }
  if (sight === undefined || sight.value === null) return alert;
  const { value, sinceMs } = sight;
  if (sinceMs !== null && sinceMs > alert.sinceMs && isClear(value)) {
    return { ...alert, value, clearedAtMs: nowMs, clearedBecause: 'better' };
  }
  return value <= alert.worst ? alert : { ...alert, value, worst: value };
}
