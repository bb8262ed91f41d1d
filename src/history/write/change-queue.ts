import type { HistoryChange, IntervalRecord } from '../../model/record.ts';
import { OperationQueue } from './operation-queue.ts';
import { countOf, IntervalPacker, type PackedIntervals, withoutFirst } from './packed-intervals.ts';
import type { Batch } from '../thread/protocol.ts';

/** When operations have to go, this part of the queue goes at once, so that the search for them is paid rarely. */
const EVICTED_SHARE = 0.1;

/**
 * Changes that wait for the disk, at most `limit` of them, in numbers: as objects they would live until the commit, and
 * cost the collector. Of a channel or call only the last state waits. When the queue is full the oldest intervals go
 * first, then states of channels and calls that are up, endings last.
 */
export class ChangeQueue {
  readonly #limit: number;
  /** Intervals in pieces, oldest first; the packer has the last of them. */
  #pieces: PackedIntervals[] = [];
  readonly #packer = new IntervalPacker();
  /** In all of these, less those that were dropped: the first `#skipped`. */
  #intervals = 0;
  #skipped = 0;
  readonly #operations = new OperationQueue();
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#intervals + this.#operations.size;
  }

  /** Changes dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  push(change: HistoryChange): void {
    if (change.kind === 'interval') this.#pushInterval(change.interval);
    else this.#operations.push(change);
    this.#makeRoom();
  }

  /** Everything that waits; the queue is empty then. */
  take(): Batch {
    return { operations: this.#operations.take(), intervals: this.#takeIntervals() };
  }

  /** Gives back what could not be committed; it comes before what was pushed since. */
  putBack(batch: Batch): void {
    this.#operations.putBack(batch.operations);
    this.#pieces = [...batch.intervals, ...this.#takeIntervals()];
    this.#intervals = this.#pieces.reduce((sum, piece) => sum + countOf(piece), 0);
    this.#makeRoom();
  }

  /** What is committed; nobody may look at it any more. */
  giveBack({ operations, intervals }: Batch): void {
    this.#operations.giveBack(operations);
    this.#packer.giveBack(intervals);
  }

  #takeIntervals(): PackedIntervals[] {
    if (this.#packer.count > 0) this.#pieces.push(this.#packer.take());
    const [oldest, ...others] = this.#pieces;
    const whole = oldest === undefined ? [] : [withoutFirst(oldest, this.#skipped), ...others];
    this.#pieces = [];
    this.#intervals = 0;
    this.#skipped = 0;
    return whole.filter((piece) => countOf(piece) > 0);
  }

  #pushInterval(interval: IntervalRecord): void {
    this.#packer.add(interval);
    this.#intervals++;
    if (this.#packer.isFull) this.#pieces.push(this.#packer.take());
  }

  #makeRoom(): void {
    let surplus = this.size - this.#limit;
    if (surplus <= 0) return;
    const goingIntervals = Math.min(surplus, this.#intervals);
    if (goingIntervals > 0) this.#dropIntervals(goingIntervals);
    surplus -= goingIntervals;
    if (surplus <= 0) return;
    // Losing an ending is the very last resort, so no more of them go than must.
    const most = Math.max(surplus, Math.floor(this.#limit * EVICTED_SHARE));
    this.#dropped += this.#operations.drop(surplus, most);
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
}
