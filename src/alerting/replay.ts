import type { Alert, AlertRule, LegSample } from '../model/alert.ts';
import { judge } from './judge.ts';
import { sights } from './rule-value.ts';
import type { ReportingHabit } from './reporting-habit.ts';

/** How often a rule looks at the past; in the present it looks every few seconds. */
export const REPLAY_STEP_MS = 60_000;

/**
 * When a rule would have raised an alert over calls of the past, oldest first. Calls count from their end on, so a rule about
 * calls that are up, or about the connection to Asterisk, cannot be tried. `legs` in the order of their ends.
 */
export function* replay(
  rule: AlertRule,
  legs: Iterable<LegSample>,
  toMs: number,
  habit: ReportingHabit,
): Generator<Alert> {
  let window: LegSample[] = [];
  let open: Alert[] = [];
  let stepMs: number | null = null;
  let count = 0;
  const step = (nowMs: number): Alert[] => {
    window = window.filter(({ endedAtMs }) => (endedAtMs ?? 0) > nowMs - rule.overMs);
    const around = {
      nowMs,
      amiDownSinceMs: null,
      usedToReport: (endpoint: string) => habit.usedToReport(endpoint, nowMs - rule.overMs),
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
    stepMs ??= Math.ceil(endedAtMs / REPLAY_STEP_MS) * REPLAY_STEP_MS;
    while (stepMs < endedAtMs) {
      yield* step(stepMs);
      stepMs += REPLAY_STEP_MS;
      // Nothing can change until the next call ends, but for what ends by itself.
      if (window.length === 0 && open.length === 0) stepMs = Math.ceil(endedAtMs / REPLAY_STEP_MS) * REPLAY_STEP_MS;
    }
    window.push(leg);
    habit.take(leg);
  }
  if (stepMs !== null) {
    for (; stepMs <= toMs && (window.length > 0 || open.length > 0); stepMs += REPLAY_STEP_MS) yield* step(stepMs);
  }
  yield* open;
}
