import { setFlagsFromString } from 'node:v8';

/**
 * By how many percent V8 lets a heap grow until it looks through all of it for garbage. By itself V8 lets it grow to four
 * times its size, which for 2,000 channels is 60 MB more. In a flood it would look through the heap five times a second,
 * which took a quarter of the processor time, since the calls of a flood soon are garbage.
 */
const GROWTH_PERCENT = { usual: 25, flood: 300 } as const;
/** A flood is over after so many looks without one: about a second. */
const CALM_LOOKS = 20;

export interface Heaps {
  /** V8 minds it after each collection of a heap, to say when the next one is due. */
  setGrowth(percent: number): void;
  /** Of all threads. */
  collect(): void;
}

export function setHeapGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/** Keeps the process's heaps small, but not in a flood. */
export class HeapGrowth {
  readonly #heaps: Heaps;
  #mayGrow = false;
  #calmLooks = 0;

  constructor(heaps: Heaps) {
    this.#heaps = heaps;
    heaps.setGrowth(GROWTH_PERCENT.usual);
  }

  /** To be told at each look, many times a second, whether events come in a flood. */
  follow(isFlood: boolean): void {
    this.#calmLooks = isFlood ? 0 : this.#calmLooks + 1;
    if (isFlood && !this.#mayGrow) {
      this.#mayGrow = true;
      this.#heaps.setGrowth(GROWTH_PERCENT.flood);
    } else if (this.#mayGrow && this.#calmLooks === CALM_LOOKS) {
      this.#mayGrow = false;
      this.#heaps.setGrowth(GROWTH_PERCENT.usual);
      // What V8 had allowed a heap in the flood it would be allowed for minutes still.
      this.#heaps.collect();
    }
  }
}
