/** Things that wait for their moment, sent within a millisecond of it. */
export class DepartureQueue<T> {
  readonly #send: (item: T) => void;
  readonly #heap: { dueMs: number; order: number; item: T }[] = [];
  #order = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (item: T) => void) {
    this.#send = send;
  }

  /** Sends `item` at `dueMs` (see `epochMs`), at once when that has passed; equal moments keep their order. */
  add(dueMs: number, item: T): void {
    if (dueMs <= epochMs() && this.#heap.length === 0) {
      this.#send(item);
      return;
    }
    this.#push({ dueMs, order: this.#order, item });
    this.#order += 1;
    this.#schedule();
  }

  /** Timers count whole milliseconds: half of one early is the nearest that can be had without burning a processor. */
  #schedule(): void {
    const next = this.#heap[0];
    if (next === undefined || next.dueMs >= this.#wakeAtMs) return;
    clearTimeout(this.#timer);
    this.#wakeAtMs = next.dueMs;
    this.#timer = setTimeout(() => this.#sendDue(), Math.max(1, Math.floor(next.dueMs - epochMs())));
  }

  #sendDue(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const limitMs = epochMs() + SLACK_MS;
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= limitMs; next = this.#heap[0]) {
      this.#pop();
      this.#send(next.item);
    }
    this.#schedule();
  }

  #push(entry: { dueMs: number; order: number; item: T }): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

/** Good enough: sent this much early rather than waited for. */
const SLACK_MS = 0.6;

interface Moment {
  readonly dueMs: number;
  readonly order: number;
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}

/** Epoch milliseconds with a fraction; never steps back. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
