import type { Alert, AlertRule, LegSample } from '../../model/alert.ts';
import type { CallHabit } from './call-habit.ts';
import { fits } from './endpoint-pattern.ts';
import { judge } from './judge.ts';
import { sights, TOGETHER } from './rule-value.ts';
import type { ReportingHabit } from './reporting-habit.ts';

/** How often a rule looks at the past; in the present it looks every few seconds. */
export const REPLAY_STEP_MS = 60_000;
/** A rule about what is gone looks also when there are no calls at all. */
const REPLAY_SILENCE_STEP_MS = 300_000;

export interface Past {
  readonly fromMs: number;
  readonly toMs: number;
  /** What was known before; goes on with the calls of the past. */
  readonly habit: ReportingHabit;
  readonly calls: CallHabit;
}

/**
 * When a rule would have raised an alert over calls of the past, oldest first. Calls count from their end on, so a rule about
 * calls that are up, or about the connection to Asterisk, cannot be tried. `legs` in the order of their ends.
 */
export function* replay(rule: AlertRule, legs: Iterable<LegSample>, past: Past): Generator<Alert> {
  const { fromMs, toMs, habit, calls } = past;
  const isSilence = rule.what === 'gone';
  const stepEveryMs = isSilence ? REPLAY_SILENCE_STEP_MS : REPLAY_STEP_MS;
  let window: LegSample[] = [];
  let open: Alert[] = [];
  let stepMs: number | null = isSilence ? fromMs : null;
  let count = 0;
  const step = (nowMs: number): Alert[] => {
    window = window.filter(({ endedAtMs }) => (endedAtMs ?? 0) > nowMs - rule.overMs);
    const around = {
      nowMs,
      amiDownSinceMs: null,
      watchedSinceMs: Number.NEGATIVE_INFINITY,
      usedToReport: (endpoint: string) => habit.usedToReport(endpoint, nowMs - rule.overMs),
      calls,
      reach: null,
    };
    const changed = judge(rule, open, sights(rule, window, around), nowMs, () => String(++count));
    const byId = new Map([...open, ...changed].map((alert) => [alert.id, alert]));
    const over = [...byId.values()].filter(({ clearedAtMs }) => clearedAtMs !== null);
    open = [...byId.values()].filter(({ clearedAtMs }) => clearedAtMs === null);
    return over;
  };
  for (const leg of legs) {
    const { endedAtMs } = leg;
    if (endedAtMs === null) continue;
    stepMs ??= Math.ceil(endedAtMs / stepEveryMs) * stepEveryMs;
    while (stepMs < endedAtMs) {
      yield* step(stepMs);
      stepMs += stepEveryMs;
      // Nothing can change until the next call ends, but for what ends by itself.
      if (window.length === 0 && open.length === 0 && !isSilence)
        stepMs = Math.ceil(endedAtMs / stepEveryMs) * stepEveryMs;
    }
    // Somebody spoke there all the time, which shows only now.
    if (isSilence) open = open.filter((alert) => !wasUp(rule, leg, alert));
    else window.push(leg);
    habit.take(leg);
    calls.take(leg);
  }
  if (stepMs !== null) {
    const isDone = (): boolean => !isSilence && window.length === 0 && open.length === 0;
    for (; stepMs <= toMs && !isDone(); stepMs += stepEveryMs) yield* step(stepMs);
  }
  yield* open;
}

/** Whether the channel was up, and somebody spoke, when the alert about its endpoint was raised. */
function wasUp(
  { by, endpoints }: AlertRule,
  { endpoint, site, startedAtMs, answered }: LegSample,
  { subject, raisedAtMs }: Alert,
): boolean {
  const own = by === 'all' ? TOGETHER : by === 'site' ? site : endpoint;
  return answered && own === subject && fits(endpoint, endpoints) && startedAtMs <= raisedAtMs;
}
