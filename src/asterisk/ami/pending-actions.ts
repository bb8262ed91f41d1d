import type { Answer } from 'asterisk-manager';

/** An action under way, and who waits for its answer. */
export interface PendingAction {
  /** The number of the action, counted from 1. */
  readonly number: number;
  readonly name: string;
  readonly timeoutMs: number;
  /** By `performance.now()`. */
  readonly dueAtMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Actions under way by number, each in a slot of its own. A Map is slower here: with hundreds a second through a few dozen entries
 * V8 rebuilds its table ten times a second, and old tables keep old answers alive until a full collection.
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
    // Actions without an answer still have their slots.
    do this.#lastNumber++;
    while (this.#places[this.#placeOf(this.#lastNumber)] !== undefined);
    return this.#lastNumber;
  }

  /** Adds the action with the number that was given last. */
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

  /** Takes out overdue actions. */
  takeOverdue(nowMs: number): PendingAction[] {
    const overdue = this.#all().filter(({ dueAtMs }) => dueAtMs <= nowMs);
    for (const action of overdue) this.#free(action);
    return overdue;
  }

  /** Takes out all actions, the newest first. */
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
