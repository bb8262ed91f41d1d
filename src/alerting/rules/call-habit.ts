import type { EndedLegs, LegSample } from '../../model/alert.ts';

/** Calls are counted by the quarter of an hour in which they ended. */
export const QUARTER_MS = 900_000;
const WEEK_MS = 7 * 86_400_000;
/** Of a longer silence only its last three days are held against what is usual. */
export const LONGEST_SILENCE_MS = 3 * 86_400_000;
/** The same hours of the week before and of the one before that say what is usual. */
const WEEKS = [1, 2] as const;
/** What has to be known of the past. */
export const HABIT_MS = WEEKS.length * WEEK_MS + LONGEST_SILENCE_MS;
/** One more at each end: partly used, and looked at beside one that is. */
const QUARTERS = HABIT_MS / QUARTER_MS + 3;
/** A trunk with an endpoint for each caller must not take all memory: 1.7 KB each. */
export const MOST_ENDPOINTS = 10_000;
/** Calls of one endpoint in a quarter of an hour; more are not told apart. */
const MOST_CALLS = 255;

/** Counts of the last quarters of an hour, in a ring. */
class QuarterCounts {
  readonly #counts: Uint8Array | Uint32Array;
  readonly #most: number;
  #newest = 0;

  constructor(counts: Uint8Array | Uint32Array, most: number) {
    this.#counts = counts;
    this.#most = most;
  }

  add(quarter: number, count: number): void {
    if (quarter <= this.#newest - QUARTERS) return;
    if (quarter > this.#newest) {
      const first = Math.max(this.#newest + 1, quarter - QUARTERS + 1);
      for (let passed = first; passed <= quarter; passed++) this.#counts[passed % QUARTERS] = 0;
      this.#newest = quarter;
    }
    this.#counts[quarter % QUARTERS] = Math.min(this.#most, this.at(quarter) + count);
  }

  at(quarter: number): number {
    if (quarter > this.#newest || quarter <= this.#newest - QUARTERS) return 0;
    return this.#counts[quarter % QUARTERS] ?? 0;
  }

  /**
   * How many there were. Of a quarter that is partly inside, its share counts, but no more than that of the one beside it
   * that is not: an office that opens at half past nine has not had a third of its calls by twenty past.
   */
  between(fromMs: number, toMs: number): number {
    const first = Math.floor(fromMs / QUARTER_MS);
    const last = Math.floor(toMs / QUARTER_MS);
    const atStart = Math.min(this.at(first), this.at(first + 1));
    const atEnd = Math.min(this.at(last), this.at(last - 1));
    if (first === last) return (Math.min(this.at(first - 1), this.at(first + 1), atEnd) * (toMs - fromMs)) / QUARTER_MS;
    let sum = atStart * (first + 1 - fromMs / QUARTER_MS) + atEnd * (toMs / QUARTER_MS - last);
    for (let quarter = first + 1; quarter < last; quarter++) sum += this.at(quarter);
    return sum;
  }

  /** From the beginning of a quarter of an hour on; of the one that has just begun, its share. */
  sinceQuarter(first: number, toMs: number): number {
    const last = Math.floor(toMs / QUARTER_MS);
    let sum = this.at(last) * (toMs / QUARTER_MS - last);
    for (let quarter = first; quarter < last; quarter++) sum += this.at(quarter);
    return sum;
  }
}

/** When one endpoint had calls that show that it was there. */
export interface EndpointHabit {
  readonly endpoint: string;
  /** As its last channel had it. */
  site: string | null;
  /** When it was last seen; the moment of the last look where somebody speaks there. */
  lastMs: number;
  readonly alive: QuarterCounts;
}

/** When which endpoint usually has calls, so that their absence can be told from a night. */
export class CallHabit {
  readonly #endpoints = new Map<string, EndpointHabit>();
  /** Of all endpoints, also what was tried in vain. */
  readonly #legs = new QuarterCounts(new Uint32Array(QUARTERS), 0xffff_ffff);
  #leftOut = 0;

  /** Channels of endpoints that are not looked at, since there are too many. */
  get leftOut(): number {
    return this.#leftOut;
  }

  endpoints(): Iterable<EndpointHabit> {
    return this.#endpoints.values();
  }

  /** Null: not known. */
  siteOf(endpoint: string): string | null {
    return this.#endpoints.get(endpoint)?.site ?? null;
  }

  /** A channel that has ended. */
  take({ endpoint, site, linkedid, uniqueid, endedAtMs, answered }: LegSample): void {
    if (endedAtMs === null) return;
    const isAlive = answered || uniqueid === linkedid;
    const stretch = Math.floor(endedAtMs / QUARTER_MS);
    this.add({ endpoint, site, stretch, legs: 1, alive: Number(isAlive), lastAliveMs: isAlive ? endedAtMs : null });
  }

  /** Channels that have ended. Local channels are Asterisk's own. */
  add({ endpoint, site, stretch, legs, alive, lastAliveMs }: EndedLegs): void {
    if (endpoint.startsWith('Local/')) return;
    this.#legs.add(stretch, legs);
    if (lastAliveMs === null) return;
    const habit = this.#habitOf(endpoint, lastAliveMs);
    if (habit === null) return;
    habit.alive.add(stretch, alive);
    if (lastAliveMs < habit.lastMs) return;
    habit.lastMs = lastAliveMs;
    habit.site = site;
  }

  /** A channel that is up: as long as somebody speaks there, it is there. */
  isUp({ endpoint, answered }: Pick<LegSample, 'endpoint' | 'answered'>, nowMs: number): void {
    const habit = answered ? this.#endpoints.get(endpoint) : undefined;
    if (habit !== undefined) habit.lastMs = Math.max(habit.lastMs, nowMs);
  }

  #habitOf(endpoint: string, nowMs: number): EndpointHabit | null {
    const known = this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    if (this.#endpoints.size >= MOST_ENDPOINTS) this.#forget(nowMs);
    if (this.#endpoints.size >= MOST_ENDPOINTS) {
      this.#leftOut++;
      return null;
    }
    const alive = new QuarterCounts(new Uint8Array(QUARTERS), MOST_CALLS);
    const habit = { endpoint, site: null, lastMs: 0, alive };
    this.#endpoints.set(endpoint, habit);
    return habit;
  }

  /** Endpoints of which nothing is known any more. */
  #forget(nowMs: number): void {
    for (const [endpoint, { lastMs }] of this.#endpoints) {
      if (lastMs < nowMs - HABIT_MS) this.#endpoints.delete(endpoint);
    }
  }

  /** How many calls these endpoints had in the same time a week before, and two weeks before. */
  usual(endpoints: readonly EndpointHabit[], fromMs: number, toMs: number): readonly number[] {
    return WEEKS.map((weeks) => {
      const ago = weeks * WEEK_MS;
      return endpoints.reduce((sum, { alive }) => sum + alive.between(fromMs - ago, toMs - ago), 0);
    });
  }

  /**
   * How busy this server is beside the busier of the two weeks before, 0-1, by all that was tried: on a holiday nobody calls,
   * and an endpoint without calls is no news. When a trunk is gone, people go on trying.
   */
  busyShare(fromMs: number, toMs: number): number {
    const since = (ago: number): number => this.#legs.sinceQuarter(Math.floor((fromMs - ago) / QUARTER_MS), toMs - ago);
    const usual = Math.max(...WEEKS.map((weeks) => since(weeks * WEEK_MS)));
    // Of the quarter that has just begun, everything that came is there.
    const last = Math.floor(toMs / QUARTER_MS);
    const now = this.#legs.sinceQuarter(Math.floor(fromMs / QUARTER_MS), last * QUARTER_MS) + this.#legs.at(last);
    return usual === 0 ? 0 : Math.min(1, now / usual);
  }
}
