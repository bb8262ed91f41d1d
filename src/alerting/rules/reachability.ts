import type { Alert, AlertRule } from '../../model/alert.ts';
import { fits } from './endpoint-pattern.ts';
import type { RuleSight } from './rule-sight.ts';

/** What is usual is the mean of about this long: older time counts less and less. */
const USUAL_MS = 7 * 86_400_000;
/** From then on it is known what is usual. */
const KNOWN_ENOUGH_MS = 0.9 * 86_400_000;
/** Softphones that are closed in the evening are below this, trunks and desk phones above. */
const ALWAYS_SHARE = 0.9;
/** After so long nobody expects an endpoint back. */
const FORGOTTEN_MS = 14 * 86_400_000;
const MOST_ENDPOINTS = 10_000;

/**
 * By Asterisk's device state. `reachable`: registered, or its qualify is answered. `in-use`: in a call, which says nothing of that: an
 * endpoint without a registration goes from there to `unreachable`.
 */
export type EndpointState = 'reachable' | 'in-use' | 'unreachable';

/** What is kept of an endpoint over a restart: how long it was known, and reachable; older time counts less. */
export type UsualReach = readonly [endpoint: string, knownMs: number, reachableMs: number];

interface Known {
  /** Null: not known since the start. */
  state: EndpointState | null;
  /** Since when it is unreachable. */
  sinceMs: number;
  /** Whether it was always reachable before that. */
  wasAlways: boolean;
  wasEverReachable: boolean;
  knownMs: number;
  reachableMs: number;
  /** Until when the time is counted; null: it does not count now. */
  countedToMs: number | null;
}

/** Which endpoints Asterisk can reach, and which of them it always could. */
export class Reachability {
  readonly #endpoints = new Map<string, Known>();

  /** Takes a device state. Null: Asterisk does not know the endpoint, or its state. */
  take(endpoint: string, state: EndpointState | null, atMs: number): void {
    const known = this.#endpoints.get(endpoint);
    if (known === undefined) {
      if (state === null || this.#endpoints.size >= MOST_ENDPOINTS) return;
      const begun = { knownMs: 0, reachableMs: 0, wasEverReachable: false, wasAlways: false, sinceMs: atMs };
      this.#endpoints.set(endpoint, { ...begun, state: null, countedToMs: null });
      return this.take(endpoint, state, atMs);
    }
    count(known, atMs);
    if (state === 'unreachable' && known.state !== 'unreachable') {
      known.sinceMs = atMs;
      known.wasAlways = isAlways(known);
    }
    known.wasEverReachable ||= state === 'reachable';
    known.state = state;
    known.countedToMs = state === null ? null : atMs;
  }

  /** Nothing is heard of Asterisk from now on. The next state of each endpoint goes on from its last one. */
  linkLost(atMs: number): void {
    for (const known of this.#endpoints.values()) {
      count(known, atMs);
      known.countedToMs = null;
    }
  }

  /** Null: not known, as of an endpoint that never registers. */
  isReachable(endpoint: string): boolean | null {
    const known = this.#endpoints.get(endpoint);
    if (known === undefined || known.state === null) return null;
    if (known.state === 'unreachable') return known.wasEverReachable ? false : null;
    return true;
  }

  /** To be stored: those that were reachable. */
  usual(nowMs: number): UsualReach[] {
    const kept: UsualReach[] = [];
    for (const [endpoint, known] of this.#endpoints) {
      count(known, nowMs);
      if (known.wasEverReachable) kept.push([endpoint, Math.round(known.knownMs), Math.round(known.reachableMs)]);
    }
    return kept;
  }

  /** Goes on with what was stored. States that came meanwhile stay. */
  restore(stored: readonly UsualReach[]): void {
    for (const [endpoint, knownMs, reachableMs] of stored) {
      const known = this.#endpoints.get(endpoint);
      if (known === undefined) {
        if (this.#endpoints.size >= MOST_ENDPOINTS) return;
        const unheard = { state: null, sinceMs: 0, wasAlways: false, countedToMs: null };
        this.#endpoints.set(endpoint, { ...unheard, wasEverReachable: true, knownMs, reachableMs });
        continue;
      }
      known.knownMs += knownMs;
      known.reachableMs += reachableMs;
      known.wasEverReachable = true;
      if (known.state === 'unreachable') known.wasAlways ||= isAlways(known);
    }
  }

  /**
   * What the rule makes of it. An endpoint counts when the rule names endpoints and it was ever reachable, else when it always was.
   * The value is how many cannot be reached for as long as the rule says. It is null while it may be too few only because the
   * sidecar has not looked for long enough.
   */
  sights(
    rule: AlertRule,
    { nowMs, amiDownSinceMs }: { readonly nowMs: number; readonly amiDownSinceMs: number | null },
    siteOf: (endpoint: string) => string | null,
  ): RuleSight[] {
    if (amiDownSinceMs !== null) return [];
    const isNamed = !rule.endpoints.includes('*');
    const groups = new Map<string, Group>();
    for (const [endpoint, known] of this.#endpoints) {
      if (known.state === null || !fits(endpoint, rule.endpoints)) continue;
      const subject = rule.by === 'all' ? 'all' : rule.by === 'site' ? siteOf(endpoint) : endpoint;
      if (subject === null) continue;
      let group = groups.get(subject);
      if (group === undefined) groups.set(subject, (group = { gone: 0, perhaps: 0, known: 0, sinceMs: nowMs }));
      group.known++;
      if (known.state !== 'unreachable') continue;
      const goneMs = nowMs - known.sinceMs;
      const isMissed = goneMs < FORGOTTEN_MS && known.wasEverReachable && (isNamed || known.wasAlways);
      if (isMissed && goneMs >= rule.overMs) {
        group.gone++;
        group.sinceMs = Math.min(group.sinceMs, known.sinceMs);
      } else if (isMissed || rule.by === 'endpoint') group.perhaps++;
    }
    return [...groups].map(([subject, group]) => sightOf(rule, subject, group));
  }
}

interface Group {
  gone: number;
  perhaps: number;
  known: number;
  sinceMs: number;
}

function sightOf(
  { raise, clear, by }: AlertRule,
  subject: string,
  { gone, perhaps, known, sinceMs }: Group,
): RuleSight {
  const isSure = gone >= raise || gone + perhaps <= clear;
  return {
    subject,
    value: isSure ? gone : null,
    judged: known,
    isUp: false,
    linkedids: [],
    sinceMs: gone === 0 ? null : sinceMs,
    place: null,
    isReachable: by === 'endpoint' ? gone + perhaps === 0 : null,
  };
}

function count(known: Known, nowMs: number): void {
  const { countedToMs, state } = known;
  if (countedToMs === null || nowMs <= countedToMs) return;
  const passedMs = nowMs - countedToMs;
  const kept = Math.exp(-passedMs / USUAL_MS);
  known.knownMs = known.knownMs * kept + passedMs;
  known.reachableMs = known.reachableMs * kept + (state === 'unreachable' ? 0 : passedMs);
  known.countedToMs = nowMs;
}

function isAlways({ knownMs, reachableMs }: Known): boolean {
  return knownMs >= KNOWN_ENOUGH_MS && reachableMs >= ALWAYS_SHARE * knownMs;
}

/** An alert that goes on until the endpoint is back. What is not known changes nothing. */
export function goOnBeingUnreachable(
  alert: Alert,
  sight: Pick<RuleSight, 'value' | 'sinceMs'> | undefined,
  nowMs: number,
  isClear: (value: number) => boolean,
): Alert {
  const value = sight?.value ?? null;
  if (value === null) {
    return nowMs - alert.sinceMs < FORGOTTEN_MS ? alert : { ...alert, clearedAtMs: nowMs, clearedBecause: 'no-calls' };
  }
  if (isClear(value)) return { ...alert, value, clearedAtMs: nowMs, clearedBecause: 'better' };
  return value === alert.value ? alert : { ...alert, value, worst: Math.max(alert.worst, value) };
}
