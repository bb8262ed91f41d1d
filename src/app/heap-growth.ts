import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * By how many percent V8 lets a heap grow until it looks through all of it for garbage. By itself V8 lets it grow to four
 * times its size, which for 2,000 channels is 60 MB more. In a flood it would look through the heap five times a second,
 * which took a quarter of the processor time, since the calls of a flood soon are garbage.
 */
const GROWTH_PERCENT = { usual: 25, flood: 300 } as const;
/** A flood is over after so many looks without one: a second. */
const CALM_LOOKS = 20;

export interface Heap {
  /** V8 minds it after each collection, to say when the next one is due. */
  setGrowth(percent: number): void;
  /** Takes some 50 ms. */
  collect(): void;
}

const V8_HEAP: Heap = {
  setGrowth: (percent) => setFlagsFromString(`--heap-growing-percent=${percent}`),
  collect: () => {
    // Node has no other way to V8's own function than to begin a context that has it.
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') collect();
  },
};

/** Keeps the process's heaps small, but not in a flood. */
export class HeapGrowth {
  readonly #heap: Heap;
  #mayGrow = false;
  #calmLooks = 0;

  constructor(heap = V8_HEAP) {
    this.#heap = heap;
    heap.setGrowth(GROWTH_PERCENT.usual);
  }

  /** To be told at each look, every 50 ms, whether events come in a flood. */
  follow(isFlood: boolean): void {
    this.#calmLooks = isFlood ? 0 : this.#calmLooks + 1;
    if (isFlood && !this.#mayGrow) {
      this.#mayGrow = true;
      this.#heap.setGrowth(GROWTH_PERCENT.flood);
    } else if (this.#mayGrow && this.#calmLooks === CALM_LOOKS) {
      this.#mayGrow = false;
      this.#heap.setGrowth(GROWTH_PERCENT.usual);
      // What V8 had allowed the heap in the flood it would be allowed for minutes still.
      this.#heap.collect();
    }
  }
}
