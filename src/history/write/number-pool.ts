/**
 * Memory for pieces of packed numbers, all of one size, that this thread and the writer's both see: on the way there nothing
 * is copied, and what was committed is used again.
 */
export class NumberPool {
  readonly #bytes: number;
  #free: SharedArrayBuffer[] = [];
  /** So many are kept free: some commits after a flood the memory that it took is free for others. */
  #most = 0;

  /** `size`: numbers in a piece. */
  constructor(size: number) {
    this.#bytes = size * Float64Array.BYTES_PER_ELEMENT;
  }

  /** It may have anything in it. */
  take(): Float64Array {
    return new Float64Array(this.#free.pop() ?? new SharedArrayBuffer(this.#bytes));
  }

  /** What was taken here and is committed; nobody may look at it any more. */
  giveBack(pieces: readonly { readonly values: Float64Array }[]): void {
    for (const { values } of pieces) if (values.buffer instanceof SharedArrayBuffer) this.#free.push(values.buffer);
    this.#most = Math.max(1, pieces.length, Math.floor(this.#most / 2));
    this.#free = this.#free.slice(0, this.#most);
  }
}
