import type { Answer } from 'asterisk-manager';

/** An action that was sent, and who waits for its answer. */
export interface PendingAction {
  /** Of all that were sent, from 1. */
  readonly number: number;
  readonly name: string;
  readonly timeoutMs: number;
  /** By `performance.now()`. */
  readonly dueAtMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Actions under way, by their numbers, each in a place of its own. Not in a Map: hundreds a second through a Map of some
 * dozens make its table anew ten times a second, and the old tables keep the answers of long ago from being freed until V8
 * looks through the whole heap.
 */
export class PendingActions {
  readonly #places: (PendingAction | undefined)[];
  #count = 0;
  #lastNumber = 0;

  /** `most` may be under way at the same time. */
  constructor(most: number) {
    this.#places = Array.from({ length: most }, () => undefined);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** A number for the next action; undefined when there are too many. */
  nextNumber(): number | undefined {
    if (this.#count === this.#places.length) return undefined;
    // Those of which the answer never came still have their places.
    do this.#lastNumber++;
    while (this.#places[this.#placeOf(this.#lastNumber)] !== undefined);
    return this.#lastNumber;
  }

  /** Its number is the last one that was given. */
  add(action: PendingAction): void {
    this.#places[this.#placeOf(action.number)] = action;
    this.#count++;
  }

  /** Takes out the action of that number; undefined when none is under way. */
  take(number: number): PendingAction | undefined {
    if (!Number.isSafeInteger(number) || number < 1) return undefined;
    const action = this.#places[this.#placeOf(number)];
    if (action?.number !== number) return undefined;
    this.#free(action);
    return action;
  }

  /** Takes out those that are overdue. */
  takeOverdue(nowMs: number): PendingAction[] {
    const overdue = this.#all().filter(({ dueAtMs }) => dueAtMs <= nowMs);
    for (const action of overdue) this.#free(action);
    return overdue;
  }

  /** Takes out all, the newest first. */
  takeAll(): PendingAction[] {
    const all = this.#all();
    for (const action of all) this.#free(action);
    return all.sort((one, other) => other.number - one.number);
  }

  #all(): PendingAction[] {
    return this.#places.filter((action): action is PendingAction => action !== undefined);
  }

  #placeOf(number: number): number {
    return number % this.#places.length;
  }

  #free({ number }: PendingAction): void {
    this.#places[this.#placeOf(number)] = undefined;
    this.#count--;
  }
}
