import type { StateChange } from '../../../src/model/record.ts';

/** What can be told from the record alone: which later one replaces it; undefined for a merge. */
function keyOf(operation: StateChange): string | undefined {
  if (operation.kind === 'channel') return `channel ${operation.channel.uniqueid} ${operation.channel.startedAtMs}`;
  if (operation.kind === 'call') return `call ${operation.call.linkedid} ${operation.call.startedAtMs}`;
  if (operation.kind === 'call-merged') return undefined;
  if (operation.kind === 'scores') return `scores ${operation.scores.linkedid}`;
  const { uniqueid, direction, segmentNumber } = operation.segment;
  return `segment ${uniqueid} ${direction} ${segmentNumber}`;
}

function isEnding(operation: StateChange): boolean {
  if (operation.kind === 'channel') return operation.channel.endedAtMs !== null;
  if (operation.kind === 'call') return operation.call.endedAtMs !== null;
  return operation.kind === 'call-merged';
}

interface Waiting {
  readonly operation: StateChange;
  /** How many merges came before it: what it may replace came after as many. */
  readonly merges: number;
}

export interface PlainBatch {
  readonly operations: readonly StateChange[];
  /** By their numbers. */
  readonly intervals: readonly number[];
}

/** What a `ChangeQueue` is to do, in the plainest way: lists of objects that are searched from end to end. */
export class PlainQueue {
  readonly #limit: number;
  #operations: Waiting[] = [];
  #intervals: number[] = [];
  #merges = 0;
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#operations.length + this.#intervals.length;
  }

  pushInterval(reportNumber: number): void {
    this.#intervals.push(reportNumber);
    this.#makeRoom();
  }

  push(operation: StateChange): void {
    this.#add(operation);
    this.#makeRoom();
  }

  take(): PlainBatch {
    const batch = { operations: this.#operations.map(({ operation }) => operation), intervals: this.#intervals };
    [this.#operations, this.#intervals] = [[], []];
    return batch;
  }

  putBack({ operations, intervals }: PlainBatch): void {
    const since = this.take();
    for (const operation of [...operations, ...since.operations]) this.#add(operation);
    this.#intervals = [...intervals, ...since.intervals];
    this.#makeRoom();
  }

  #add(operation: StateChange): void {
    const key = keyOf(operation);
    if (key === undefined) this.#merges++;
    const isReplaced = (one: Waiting): boolean => one.merges === this.#merges && keyOf(one.operation) === key;
    if (key !== undefined) this.#operations = this.#operations.filter((one) => !isReplaced(one));
    this.#operations.push({ operation, merges: this.#merges });
  }

  #makeRoom(): void {
    const before = this.size;
    this.#intervals = this.#intervals.slice(Math.max(0, before - this.#limit));
    const surplus = this.size - this.#limit;
    if (surplus > 0) {
      this.#dropOldest(Math.max(surplus, Math.floor(this.#limit / 10)), ({ operation }) => !isEnding(operation));
      this.#dropOldest(Math.max(0, this.size - this.#limit), () => true);
    }
    this.dropped += before - this.size;
  }

  #dropOldest(most: number, mayGo: (one: Waiting) => boolean): void {
    const going = new Set(this.#operations.filter(mayGo).slice(0, most));
    this.#operations = this.#operations.filter((one) => !going.has(one));
  }
}
