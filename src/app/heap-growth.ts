import { setFlagsFromString } from 'node:v8';

/**
 * By how many percent V8 lets a heap grow until it looks through all of it for garbage. By itself V8 lets it grow to four
 * times its size, which for 2,000 channels is 60 MB more. In a flood it would look through the heap five times a second, which took
 * a quarter of the processor time, since the calls of a flood soon are garbage.
 */
const GROWTH_PERCENT = { usual: 30, flood: 300 } as const;

/** Keeps the process's heaps small, but not in a flood. After one they shrink at the next collection. */
export class HeapGrowth {
  #now: keyof typeof GROWTH_PERCENT = 'usual';

  constructor() {
    setGrowth('usual');
  }

  follow(isFlood: boolean): void {
    const wanted = isFlood ? 'flood' : 'usual';
    if (wanted === this.#now) return;
    this.#now = wanted;
    setGrowth(wanted);
  }
}

/** V8 reads it after each collection, to say when the next one is due. */
function setGrowth(when: keyof typeof GROWTH_PERCENT): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT[when]}`);
}
