import type { RuleSight } from '../../../alerting/rules/rule-sight.ts';
import { sightsInSteps } from '../../../alerting/rules/rule-value.ts';
import type { Surroundings } from '../../../alerting/rules/surroundings.ts';
import type { AlertRule, LegSample } from '../../../model/alert.ts';

export interface RuleRoundsOptions {
  readonly rules: readonly AlertRule[];
  /** Time between the beginnings of two rounds; a long round delays the next. */
  readonly everyMs: number;
  readonly legs: () => Iterable<LegSample>;
  readonly around: (rule: AlertRule, nowMs: number) => Surroundings;
  readonly onSeen: (rule: AlertRule, seen: readonly RuleSight[], nowMs: number) => void;
}

interface Work {
  readonly rule: AlertRule;
  readonly steps: Generator<undefined, RuleSight[]>;
}

/** Evaluates one rule after the other over the legs, a step in each tick. */
export class RuleRounds {
  readonly #options: RuleRoundsOptions;
  #left: AlertRule[] = [];
  #nextRoundMs = 0;
  #work: Work | null = null;

  constructor(options: RuleRoundsOptions) {
    this.#options = options;
  }

  tick(nowMs: number): void {
    this.#work ??= this.#next(nowMs);
    if (this.#work === null) return;
    const { rule, steps } = this.#work;
    const { done, value } = steps.next();
    if (done !== true) return;
    this.#work = null;
    this.#options.onSeen(rule, value, nowMs);
  }

  #next(nowMs: number): Work | null {
    const { rules, everyMs, legs, around } = this.#options;
    if (this.#left.length === 0) {
      // A clock that was set back must not stop it.
      if (nowMs < this.#nextRoundMs && nowMs > this.#nextRoundMs - everyMs) return null;
      this.#nextRoundMs = nowMs + everyMs;
      this.#left = [...rules];
    }
    const rule = this.#left.shift();
    return rule === undefined ? null : { rule, steps: sightsInSteps(rule, legs(), around(rule, nowMs)) };
  }
}
