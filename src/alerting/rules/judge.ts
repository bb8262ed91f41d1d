import type { Alert, AlertRule } from '../../model/alert.ts';
import { goOnBeingGone } from './gone.ts';
import { goOnBeingUnreachable } from './reachability.ts';
import type { RuleSight } from './rule-sight.ts';
import { isClear, reaches } from './rule-value.ts';

/** Linkedids that an alert keeps. */
export const MOST_LINKEDIDS = 100;
/** An alert about an endpoint that has no calls any more ends after this long. */
export const NO_CALLS_MS = 86_400_000;

/**
 * Compares what a rule sees with its alerts that go on. Between `clear` and `raise` everything stays as it is; where too few
 * calls tell anything, an alert stays as well, and ends after a day without calls. `newId` names new alerts.
 */
export function judge(
  rule: AlertRule,
  open: readonly Alert[],
  seen: readonly RuleSight[],
  nowMs: number,
  newId: () => string,
): Alert[] {
  const changed: Alert[] = [];
  const sightOf = new Map(seen.map((sight) => [sight.subject, sight]));
  for (const alert of open) {
    const sight = sightOf.get(alert.subject);
    const next = withReach(goOn(rule, alert, sight, nowMs), sight);
    if (next !== alert) changed.push(next);
  }
  const isOpen = new Set(open.map(({ subject }) => subject));
  for (const sight of seen) {
    if (isOpen.has(sight.subject) || sight.value === null || !reaches(rule, sight.value)) continue;
    changed.push(begin(rule, sight, sight.value, nowMs, newId()));
  }
  return changed;
}

function begin(rule: AlertRule, sight: RuleSight, value: number, nowMs: number, id: string): Alert {
  return {
    id,
    rule: rule.name,
    what: rule.what,
    subject: sight.subject,
    by: rule.by,
    sinceMs: sight.sinceMs ?? nowMs,
    raisedAtMs: nowMs,
    clearedAtMs: null,
    clearedBecause: null,
    value,
    worst: value,
    calls: sight.linkedids.length,
    linkedids: sight.linkedids.slice(0, MOST_LINKEDIDS),
    place: sight.place,
    isReachable: sight.isReachable,
    toldAtMs: null,
    endToldAtMs: null,
  };
}

/** An endpoint may stop being reachable only after it fell silent. How it was at the end of an alert says nothing of the alert. */
function withReach(alert: Alert, sight: RuleSight | undefined): Alert {
  const isReachable = sight?.isReachable ?? null;
  if (isReachable === null || alert.clearedAtMs !== null || alert.isReachable === isReachable) return alert;
  return { ...alert, isReachable };
}

function goOn(rule: AlertRule, alert: Alert, sight: RuleSight | undefined, nowMs: number): Alert {
  const isOver = (value: number): boolean => isClear(rule, value);
  if (rule.what === 'gone') return goOnBeingGone(alert, sight, nowMs, isOver);
  if (rule.what === 'unreachable') return goOnBeingUnreachable(alert, sight, nowMs, isOver);
  if (sight === undefined || (sight.judged === 0 && rule.what !== 'ami')) {
    return withoutCalls(rule, alert, sight?.isUp ?? false, nowMs);
  }
  const linkedids = [...new Set([...alert.linkedids, ...sight.linkedids])];
  const added = sight.linkedids.filter((linkedid) => !alert.linkedids.includes(linkedid)).length;
  const kept = linkedids.slice(0, MOST_LINKEDIDS);
  const isFull = alert.linkedids.length >= MOST_LINKEDIDS;
  // Of more than it keeps, only the number is known, and only as far as they are in the window now.
  const calls = isFull ? Math.max(alert.calls, sight.linkedids.length) : alert.calls + added;
  const { value } = sight;
  const worst = value === null ? alert.worst : worse(rule, alert.worst, value);
  const next: Alert = { ...alert, value, worst, calls, linkedids: kept, place: sight.place ?? alert.place };
  if (value !== null && isClear(rule, value)) return { ...next, clearedAtMs: nowMs, clearedBecause: 'better' };
  const isSame =
    next.value === alert.value && alert.worst === worst && calls === alert.calls && next.place === alert.place;
  return isSame ? alert : next;
}

function withoutCalls(rule: AlertRule, alert: Alert, isUp: boolean, nowMs: number): Alert {
  // Of a call that is up, its next report tells; without any call nothing is bad now.
  if (rule.what === 'bad-live' && isUp) return alert;
  if (rule.what === 'bad-live') return { ...alert, value: 0, clearedAtMs: nowMs, clearedBecause: 'better' };
  const lastMs = Math.max(alert.raisedAtMs, alert.toldAtMs ?? 0);
  if (nowMs - lastMs >= NO_CALLS_MS && rule.what !== 'ami') {
    return { ...alert, value: null, clearedAtMs: nowMs, clearedBecause: 'no-calls' };
  }
  return alert.value === null ? alert : { ...alert, value: null };
}

function worse({ what }: AlertRule, one: number, other: number): number {
  return what === 'p5' ? Math.min(one, other) : Math.max(one, other);
}
