import type { HistoryChange, IntervalRecord, StateChange } from '../../model/record.ts';

/** Changes that wait, or that were taken out to be committed. */
export interface Waiting {
  /** In the order in which they are to be applied. */
  readonly states: readonly StateChange[];
  /** Oldest first; they do not depend on states. */
  readonly intervals: readonly IntervalRecord[];
}

/** When states have to go, this part of the queue goes at once, so that the search for them is paid rarely. */
const EVICTED_SHARE = 0.1;

/**
 * Changes that wait for the disk, at most `limit` of them. Of a channel, segment or call only the last state waits, behind the
 * others: only a merge changes what another change means. When the queue is full the oldest intervals go first, then states of
 * what is up, endings last.
 */
export class ChangeQueue {
  readonly #limit: number;
  #states = new Map<string, StateChange>();
  #intervals: IntervalRecord[] = [];
  /** How many of them, the oldest first, were dropped. */
  #skipped = 0;
  #merges = 0;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#states.size + this.#intervals.length - this.#skipped;
  }

  /** Changes dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  push(change: HistoryChange): void {
    if (change.kind === 'interval') this.#intervals.push(change.interval);
    else this.#add(change);
    this.#makeRoom();
  }

  /** Everything that waits; the queue is empty then. */
  take(): Waiting {
    const intervals = this.#skipped === 0 ? this.#intervals : this.#intervals.slice(this.#skipped);
    const taken = { states: [...this.#states.values()], intervals };
    this.#states = new Map();
    this.#intervals = [];
    this.#skipped = 0;
    return taken;
  }

  /** Gives back what could not be committed; it comes before what was pushed since. */
  putBack({ states, intervals }: Waiting): void {
    const since = this.take();
    for (const change of [...states, ...since.states]) this.#add(change);
    this.#intervals = [...intervals, ...since.intervals];
    this.#makeRoom();
  }

  #add(change: StateChange): void {
    // A merge changes what a linkedid means: nothing behind it may replace what is in front of it.
    if (change.kind === 'call-merged') this.#merges++;
    const key = `${this.#merges} ${keyOf(change)}`;
    this.#states.delete(key);
    this.#states.set(key, change);
  }

  #makeRoom(): void {
    let surplus = this.size - this.#limit;
    if (surplus <= 0) return;
    const before = this.size;
    const goingIntervals = Math.min(surplus, this.#intervals.length - this.#skipped);
    this.#skipped += goingIntervals;
    if (this.#skipped > this.#intervals.length / 2) {
      this.#intervals = this.#intervals.slice(this.#skipped);
      this.#skipped = 0;
    }
    surplus -= goingIntervals;
    if (surplus > 0) {
      this.#dropOldest(Math.max(surplus, Math.floor(this.#limit * EVICTED_SHARE)), (change) => !isEnding(change));
      // Losing an ending is the very last resort, so no more of them go than must.
      this.#dropOldest(this.size - this.#limit, () => true);
    }
    this.#dropped += before - this.size;
  }

  #dropOldest(most: number, mayGo: (change: StateChange) => boolean): void {
    let left = most;
    for (const [key, change] of this.#states) {
      if (left <= 0) return;
      if (!mayGo(change)) continue;
      this.#states.delete(key);
      left--;
    }
  }
}

/** What a later state replaces. By its beginning, too: Asterisk may use an id again. */
function keyOf(change: StateChange): string {
  if (change.kind === 'channel') return `channel ${change.channel.uniqueid} ${change.channel.startedAtMs}`;
  if (change.kind === 'call') return `call ${change.call.linkedid} ${change.call.startedAtMs}`;
  if (change.kind === 'scores') return `scores ${change.scores.linkedid}`;
  if (change.kind === 'call-merged') return 'merge';
  const { uniqueid, direction, segmentNumber } = change.segment;
  return `segment ${uniqueid} ${direction} ${segmentNumber}`;
}

function isEnding(change: StateChange): boolean {
  if (change.kind === 'channel') return change.channel.endedAtMs !== null;
  if (change.kind === 'call') return change.call.endedAtMs !== null;
  return change.kind === 'call-merged';
}
