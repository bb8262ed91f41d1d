import type { LegSample } from '../model/alert.ts';
import { isBad, isJudged } from './rule-value.ts';

/** A trunk with fewer recent calls than this is not judged. */
export const FEWEST_CALLS = 5;
/** Another trunk has to be so much better, on the opinion scale, before calls change over to it. */
export const MARGIN = 0.2;
/** Each so many calls one goes over a trunk that is not the best, so that one that is good again is noticed. */
export const PROBE_EVERY = 10;
/** Each newer call takes this share of the weight of those before; after five calls it is half. */
const WEIGHT_OF_OLDER = 0.5 ** (1 / 5);
/** And each minute as well: what was an hour ago says little. */
const HALF_LIFE_MS = 600_000;
/** After so long without a call nothing is known. */
export const FORGET_AFTER_MS = 3_600_000;
/** Calls of a trunk that are looked at. */
const MOST_CALLS = 1000;
/** What a bad call without a score counts for: the lowest there is. */
const WORST_OPINION = 1;
/** Lists of trunks that are remembered. */
const MOST_LISTS = 1000;

/** How a trunk's calls of late went. */
export interface TrunkQuality {
  readonly endpoint: string;
  /** Of the last hour. */
  readonly calls: number;
  readonly badCalls: number;
  /** Weighted mean, the latest calls counting most; null: fewer than `FEWEST_CALLS`. */
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

/** Which of some trunks the next call should take: the one whose calls of late were best. */
export class TrunkChoice {
  readonly #trunks = new Map<string, Trunk>();
  readonly #choices = new Map<string, Choice>();

  /** A channel has ended. One that tells nothing of quality counts for nothing. */
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
    // Tidied up now and then: with each call it would be a thousand steps for each.
    if (trunk.calls.length >= 2 * MOST_CALLS) {
      trunk.calls = trunk.calls.slice(-MOST_CALLS).filter(({ atMs }) => endedAtMs - atMs < FORGET_AFTER_MS);
    }
  }

  /** The name as given. `PJSIP/` may be left out. Undefined only of an empty list. */
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
    // While nothing is known of any there is nothing to compare, and the first one named is asked for.
    const isAnyKnown = names.some((name) => this.#mesOf(name, nowMs) !== null);
    if (choice.asked % PROBE_EVERY !== 0 || !isAnyKnown) return choice.best;
    const others = names.filter((name) => name !== choice.best);
    return others[choice.probed++ % others.length];
  }

  /** A trunk without a known score is neither better nor worse: calls stay where they are, or go back to the first named. */
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
    // Nobody is known to be better, but this one is known to be bad: one that nobody knows is worth a try.
    return names.find((name) => this.#mesOf(name, nowMs) === null) ?? stay;
  }

  #mesOf(name: string, nowMs: number): number | null {
    return this.quality(withTechnology(name), nowMs)?.recentMes ?? null;
  }

  /** Null: no call of late. */
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

  /** All with a call of late, the best first; those of which too little is known last. */
  all(nowMs: number): TrunkQuality[] {
    const known = [...this.#trunks.keys()].flatMap((endpoint) => this.quality(endpoint, nowMs) ?? []);
    return known.toSorted(
      (one, other) => (other.recentMes ?? 0) - (one.recentMes ?? 0) || one.endpoint.localeCompare(other.endpoint),
    );
  }

  /** Forgets trunks without a call of late. */
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

/** Asterisk's own form; a trunk that is named alone is one of PJSIP. */
function withTechnology(name: string): string {
  return name.includes('/') ? name : `PJSIP/${name}`;
}
