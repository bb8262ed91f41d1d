import type { IntervalRecord, StateChange } from '../../model/record.ts';
import type { Waiting } from './change-queue.ts';

/** What has piled up is committed in parts: each takes some tens of milliseconds, and a stop waits for those that were sent. */
const MOST_INTERVALS = 10_000;
const MOST_STATES = 2000;

/** Changes that a commit must not come between: of a call, its channels, their reports, and of calls that are joined. */
interface Unit {
  states: StateChange[];
  intervals: IntervalRecord[];
  /** The unit of which it has become a part. */
  joined?: Unit;
}

/**
 * What is committed together, in this order. A state that is stored counts no report that a crash could still take, and no report
 * is stored before the first state of its channel: it would be nobody's after a crash, and the channel, found anew, would count
 * from 1 again. So the reports of a channel go with its state; those without a state in the queue are of a channel that is stored.
 */
export function partsOf(all: Waiting): Waiting[] {
  if (all.states.length <= MOST_STATES && all.intervals.length <= MOST_INTERVALS) return [all];
  const units = new Units();
  for (const change of all.states) units.add(change);
  const free: IntervalRecord[] = [];
  for (const interval of all.intervals) (units.ofChannel(interval.uniqueid)?.intervals ?? free).push(interval);

  const parts: Waiting[] = [];
  let begun = 0;
  for (; free.length - begun > MOST_INTERVALS; begun += MOST_INTERVALS)
    parts.push({ states: [], intervals: free.slice(begun, begun + MOST_INTERVALS) });
  let part: Unit = { states: [], intervals: free.slice(begun) };
  for (const unit of units.all()) {
    if (part.states.length >= MOST_STATES || part.intervals.length >= MOST_INTERVALS) {
      parts.push(part);
      part = { states: [], intervals: [] };
    }
    for (const change of unit.states) part.states.push(change);
    for (const interval of unit.intervals) part.intervals.push(interval);
  }
  if (part.states.length + part.intervals.length > 0) parts.push(part);
  return parts;
}

class Units {
  readonly #calls = new Map<string, Unit>();
  readonly #channels = new Map<string, Unit>();
  readonly #inOrder: Unit[] = [];

  add(change: StateChange): void {
    this.#unitOf(change).states.push(change);
  }

  ofChannel(uniqueid: string): Unit | undefined {
    const unit = this.#channels.get(uniqueid);
    return unit === undefined ? undefined : nowIn(unit);
  }

  /** In the order of their first changes. */
  all(): Unit[] {
    return this.#inOrder.filter(({ joined }) => joined === undefined);
  }

  #unitOf(change: StateChange): Unit {
    if (change.kind === 'segment') return this.#find(this.#channels, change.segment.uniqueid);
    if (change.kind === 'call') return this.#find(this.#calls, change.call.linkedid);
    if (change.kind === 'channel') return this.#ofCall(change.channel.linkedid, [change.channel.uniqueid]);
    if (change.kind === 'call-merged')
      return this.#join(this.#find(this.#calls, change.fromLinkedid), this.#find(this.#calls, change.intoLinkedid));
    const { linkedid, channels } = change.scores;
    return this.#ofCall(
      linkedid,
      channels.map(({ uniqueid }) => uniqueid),
    );
  }

  #ofCall(linkedid: string, uniqueids: readonly string[]): Unit {
    let unit = this.#find(this.#calls, linkedid);
    for (const uniqueid of uniqueids) {
      const known = this.#channels.get(uniqueid);
      if (known === undefined) this.#channels.set(uniqueid, unit);
      else unit = this.#join(nowIn(known), unit);
    }
    return unit;
  }

  #find(units: Map<string, Unit>, id: string): Unit {
    const known = units.get(id);
    if (known !== undefined) return nowIn(known);
    const unit: Unit = { states: [], intervals: [] };
    units.set(id, unit);
    this.#inOrder.push(unit);
    return unit;
  }

  /** What has come so far of the one does not depend on what has come of the other. */
  #join(one: Unit, other: Unit): Unit {
    if (one === other) return one;
    for (const change of other.states) one.states.push(change);
    other.states = [];
    other.joined = one;
    return one;
  }
}

/** The unit that it has become part of. */
function nowIn(unit: Unit): Unit {
  let at = unit;
  while (at.joined !== undefined) at = at.joined;
  return at;
}
