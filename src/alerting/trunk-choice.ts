import type { LegSample } from '../model/alert.ts';
import { isBad, isJudged } from './rules/rule-value.ts';

/** A trunk with fewer recent calls than this is not judged. */
export const FEWEST_CALLS = 5;
/** Calls change to another trunk only when it is better by so much on the opinion scale. */
export const MARGIN = 0.2;
/** One call in so many takes a trunk that is not the best, to notice when that one is good again. */
export const PROBE_EVERY = 10;
/** Each newer call multiplies the weight of older calls by this; five calls halve it. */
export const WEIGHT_OF_OLDER = 0.5 ** (1 / 5);
/** Time halves the weight as well: an hour ago says little about now. */
export const HALF_LIFE_MS = 600_000;
/** A trunk without a call for so long is unknown. */
export const FORGET_AFTER_MS = 3_600_000;
/** Bound on the calls kept of one trunk. */
const MOST_CALLS = 1000;
/** Score of a bad call that has none: the lowest on the scale. */
export const WORST_OPINION = 1;
/** Bound on the remembered lists of trunks. */
const MOST_LISTS = 1000;

/** How a trunk's recent calls went. */
export interface TrunkQuality {
  readonly endpoint: string;
  /** Calls of the last hour. */
  readonly calls: number;
  readonly badCalls: number;
  /** Weighted mean, the newest calls count most; null: fewer than `FEWEST_CALLS`. */
  readonly recentMes: number | null;
  readonly lastAtMs: number;
}

interface Trunk {
  sum: number;
  weight: number;
  atMs: number;
  calls: { readonly atMs: number; readonly isBad: boolean }[];
}

interface Choice {
  best: string;
  asked: number;
  probed: number;
}

/** Chooses the trunk for the next call: the one whose recent calls were best. */
export class TrunkChoice {
  readonly #trunks = new Map<string, Trunk>();
  readonly #choices = new Map<string, Choice>();
  readonly #stored: (endpoint: string) => string;

  /** `stored`: an endpoint as ended channels have it, where numbers in it are hidden. */
  constructor(stored: (endpoint: string) => string = (endpoint) => endpoint) {
    this.#stored = stored;
  }

  /** Counts an ended channel, unless it says nothing about quality. */
  take(leg: LegSample): void {
    const { endpoint, endedAtMs, verdict } = leg;
    if (endedAtMs === null || endpoint.startsWith('Local/') || !isJudged(verdict)) return;
    const mes = isOneWay(leg) ? WORST_OPINION : leg.mes;
    if (mes === null) return;
    let trunk = this.#trunks.get(endpoint);
    if (trunk === undefined) this.#trunks.set(endpoint, (trunk = { sum: 0, weight: 0, atMs: endedAtMs, calls: [] }));
    const fade = WEIGHT_OF_OLDER * 0.5 ** (Math.max(0, endedAtMs - trunk.atMs) / HALF_LIFE_MS);
    trunk.sum = trunk.sum * fade + mes;
    trunk.weight = trunk.weight * fade + 1;
    trunk.atMs = Math.max(trunk.atMs, endedAtMs);
    trunk.calls.push({ atMs: endedAtMs, isBad: isBad(verdict) });
    // Drop old calls now and then. With every call it would cost a thousand steps each time.
    if (trunk.calls.length >= 2 * MOST_CALLS) {
      trunk.calls = trunk.calls.slice(-MOST_CALLS).filter(({ atMs }) => endedAtMs - atMs < FORGET_AFTER_MS);
    }
  }

  /** Returns one of `names` as given; `PJSIP/` may be left out in them. Undefined only when `names` is empty. */
  choose(names: readonly string[], nowMs: number): string | undefined {
    const [first] = names;
    if (first === undefined || names.length === 1) return first;
    const key = names.join(',');
    let choice = this.#choices.get(key);
    if (choice === undefined) {
      if (this.#choices.size >= MOST_LISTS) this.#choices.clear();
      this.#choices.set(key, (choice = { best: first, asked: 0, probed: 0 }));
    }
    choice.best = this.#best(names, choice.best, nowMs);
    choice.asked++;
    // While all are unknown there is nothing to compare: take the first.
    const isAnyKnown = names.some((name) => this.#mesOf(name, nowMs) !== null);
    if (choice.asked % PROBE_EVERY !== 0 || !isAnyKnown) return choice.best;
    const others = names.filter((name) => name !== choice.best);
    return others[choice.probed++ % others.length];
  }

  /** A trunk of unknown quality is neither better nor worse: calls stay on `before`, or go back to the first of `names`. */
  #best(names: readonly string[], before: string, nowMs: number): string {
    const [first = before] = names;
    const stay = this.#mesOf(before, nowMs) === null ? first : before;
    const present = this.#mesOf(stay, nowMs);
    if (present === null) return stay;
    let best = stay;
    let bestMes = present + MARGIN;
    for (const name of names) {
      const mes = this.#mesOf(name, nowMs);
      if (name === stay || mes === null || mes < bestMes) continue;
      best = name;
      bestMes = mes;
    }
    if (best !== stay || !isPoor(present)) return best;
    // This one is known to be bad and none is known to be better: try an unknown one.
    return names.find((name) => this.#mesOf(name, nowMs) === null) ?? stay;
  }

  #mesOf(name: string, nowMs: number): number | null {
    return this.quality(this.#stored(withTechnology(name)), nowMs)?.recentMes ?? null;
  }

  /** Null: no recent call. */
  quality(endpoint: string, nowMs: number): TrunkQuality | null {
    const trunk = this.#trunks.get(endpoint);
    if (trunk === undefined || nowMs - trunk.atMs >= FORGET_AFTER_MS) return null;
    const calls = trunk.calls.slice(-MOST_CALLS).filter(({ atMs }) => nowMs - atMs < FORGET_AFTER_MS);
    return {
      endpoint,
      calls: calls.length,
      badCalls: calls.filter((call) => call.isBad).length,
      recentMes: calls.length < FEWEST_CALLS ? null : trunk.sum / trunk.weight,
      lastAtMs: trunk.atMs,
    };
  }

  /** All trunks with a recent call, the best first; those with too few calls to judge come last. */
  all(nowMs: number): TrunkQuality[] {
    const known = [...this.#trunks.keys()].flatMap((endpoint) => this.quality(endpoint, nowMs) ?? []);
    return known.toSorted(
      (one, other) => (other.recentMes ?? 0) - (one.recentMes ?? 0) || one.endpoint.localeCompare(other.endpoint),
    );
  }

  /** Forgets trunks without a recent call. */
  tidy(nowMs: number): void {
    for (const [endpoint, { atMs }] of this.#trunks) {
      if (nowMs - atMs >= FORGET_AFTER_MS) this.#trunks.delete(endpoint);
    }
  }
}

/** Below G.109's "some users dissatisfied". */
function isPoor(mes: number): boolean {
  return mes < 3.6;
}

function isOneWay({ verdict }: LegSample): boolean {
  return verdict === 'no-media' || verdict === 'one-way-rx' || verdict === 'one-way-tx';
}

/** The name as Asterisk prints it: a bare trunk name is one of PJSIP. */
function withTechnology(name: string): string {
  return name.includes('/') ? name : `PJSIP/${name}`;
}
