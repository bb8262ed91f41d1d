import type { HistoryChange, IntervalRecord } from '../model/record.ts';
import { countOf, IntervalPacker, type PackedIntervals, withoutFirst } from './packed-intervals.ts';
import type { Batch, Operation } from './protocol.ts';

/** When operations have to go, this part of the queue goes at once, so that the search for them is paid rarely. */
const EVICTED_SHARE = 0.1;

/** What a later change of the same channel, segment or call replaces; null for a merge, which nothing replaces. */
function replaceKey(operation: Operation): string | null {
  if (operation.kind === 'channel') return `channel ${operation.channel.uniqueid}`;
  if (operation.kind === 'call') return `call ${operation.call.linkedid}`;
  if (operation.kind === 'segment') {
    const { uniqueid, direction, segmentNumber } = operation.segment;
    return `segment ${uniqueid} ${direction} ${segmentNumber}`;
  }
  return null;
}

function isEnding(operation: Operation): boolean {
  if (operation.kind === 'channel') return operation.channel.endedAtMs !== null;
  if (operation.kind === 'call') return operation.call.endedAtMs !== null;
  return operation.kind === 'call-merged';
}

/**
 * Changes that wait for the disk, at most `limit` of them. Of a channel or call only the last state waits. When the
 * queue is full the oldest intervals go first, then states of channels and calls that are up, endings last.
 */
export class ChangeQueue {
  readonly #limit: number;
  /** Intervals in pieces, oldest first; the packer has the last of them. */
  #pieces: PackedIntervals[] = [];
  readonly #packer = new IntervalPacker();
  /** In all of these, less those that were dropped: the first `#skipped`. */
  #intervals = 0;
  #skipped = 0;
  #operations: Operation[] = [];
  /** Where in `#operations` the state of a channel or call waits, for those that a later one may replace. */
  #places = new Map<string, number>();
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#intervals + this.#operations.length;
  }

  /** Changes dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  push(change: HistoryChange): void {
    if (change.kind === 'interval') this.#pushInterval(change.interval);
    else this.#pushOperation(change);
    this.#makeRoom();
  }

  /** Everything that waits; the queue is empty then. */
  take(): Batch {
    if (this.#packer.count > 0) this.#pieces.push(this.#packer.take());
    const [oldest, ...others] = this.#pieces;
    const whole = oldest === undefined ? [] : [withoutFirst(oldest, this.#skipped), ...others];
    const batch = { operations: this.#operations, intervals: whole.filter((piece) => countOf(piece) > 0) };
    this.#clear();
    return batch;
  }

  /** Gives back what could not be committed; it comes before what was pushed since. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#pieces = [...batch.intervals, ...since.intervals];
    this.#intervals = this.#pieces.reduce((sum, piece) => sum + countOf(piece), 0);
    for (const operation of [...batch.operations, ...since.operations]) this.#pushOperation(operation);
    this.#makeRoom();
  }

  #clear(): void {
    this.#pieces = [];
    this.#intervals = 0;
    this.#skipped = 0;
    this.#operations = [];
    this.#places = new Map();
  }

  #pushInterval(interval: IntervalRecord): void {
    this.#packer.add(interval);
    this.#intervals++;
    if (this.#packer.isFull) this.#pieces.push(this.#packer.take());
  }

  #pushOperation(operation: Operation): void {
    const key = replaceKey(operation);
    if (key === null) {
      // A merge changes what the same linkedid means: nothing behind it may move in front of it.
      this.#places.clear();
      this.#operations.push(operation);
      return;
    }
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#places.set(key, this.#operations.length);
      this.#operations.push(operation);
    } else {
      this.#operations[place] = operation;
    }
  }

  #makeRoom(): void {
    let surplus = this.size - this.#limit;
    if (surplus <= 0) return;
    const goingIntervals = Math.min(surplus, this.#intervals);
    if (goingIntervals > 0) this.#dropIntervals(goingIntervals);
    surplus -= goingIntervals;
    if (surplus > 0) this.#evictOperations(Math.max(surplus, Math.floor(this.#limit * EVICTED_SHARE)));
  }

  #dropIntervals(count: number): void {
    this.#dropped += count;
    this.#intervals -= count;
    this.#skipped += count;
    if (this.#pieces.length === 0) this.#pieces.push(this.#packer.take());
    for (;;) {
      const [oldest] = this.#pieces;
      if (oldest === undefined || this.#skipped < countOf(oldest)) return;
      this.#skipped -= countOf(oldest);
      this.#pieces.shift();
    }
  }

  #evictOperations(count: number): void {
    const before = this.#operations.length;
    const withoutOldest = (most: number, mayGo: (operation: Operation) => boolean): Operation[] => {
      let left = most;
      return this.#operations.filter((operation) => {
        if (left === 0 || !mayGo(operation)) return true;
        left--;
        return false;
      });
    };
    this.#operations = withoutOldest(count, (operation) => !isEnding(operation));
    // Losing an ending is the very last resort, so no more of them go than must.
    this.#operations = withoutOldest(Math.max(0, this.size - this.#limit), () => true);
    this.#dropped += before - this.#operations.length;
    this.#places.clear();
  }
}
