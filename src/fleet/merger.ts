/** Rows of many PBXs for one table of one shard, and those who wait until they are stored. */
interface Block<Row> {
  rows: Row[];
  waiting: { resolve: () => void; reject: (error: Error) => void }[];
  firstAtMs: number;
  count: number;
}

export interface MergerOptions<Row> {
  /** Stores a block; resolves when the store has it. */
  readonly store: (target: string, rows: readonly Row[]) => Promise<void>;
  readonly nowMs: () => number;
  /** A block is stored when it has so many rows. */
  readonly blockRows?: number;
  /** It is also stored when its first row has waited so long. */
  readonly blockMs?: number;
  /** How many rows one of these is, 1 unless given. */
  readonly countOf?: (row: Row) => number;
  /** Bound on the rows that wait or are being stored. Above it nothing is taken. */
  readonly mostRows?: number;
}

const BLOCK_ROWS = 50_000;
const BLOCK_MS = 1000;
export const MOST_ROWS = 200_000;

/** The store is behind: nothing was taken, and the PBX has to send the rows again. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/**
 * Merges rows of many senders into blocks, because inserts wear a store out and rows do not. Whoever adds rows waits until they
 * are stored. If an insert fails, all who have rows in it fail, and each sends its rows again.
 */
export class Merger<Row> {
  readonly #options: Required<MergerOptions<Row>>;
  readonly #blocks = new Map<string, Block<Row>>();
  readonly #storing = new Set<Promise<void>>();
  #rows = 0;

  constructor(options: MergerOptions<Row>) {
    this.#options = { blockRows: BLOCK_ROWS, blockMs: BLOCK_MS, mostRows: MOST_ROWS, countOf: () => 1, ...options };
  }

  /** Rows that are not stored yet. */
  get waitingRows(): number {
    return this.#rows;
  }

  /** Resolves when all of these are stored. Rejects with BusyError, or with the store's error. */
  async add(byTarget: ReadonlyMap<string, readonly Row[]>): Promise<void> {
    const count = [...byTarget.values()].reduce((sum, rows) => sum + this.#countOf(rows), 0);
    if (this.#rows + count > this.#options.mostRows) throw new BusyError('too many rows wait for the store');
    this.#rows += count;
    await Promise.all([...byTarget].map(([target, rows]) => this.#addTo(target, rows)));
  }

  /** Call it several times a second. */
  tick(): void {
    const { nowMs, blockMs } = this.#options;
    for (const [target, block] of this.#blocks) {
      if (nowMs() - block.firstAtMs >= blockMs) this.#flush(target, block);
    }
  }

  /** Stores what waits; resolves when nothing does any more. */
  async close(): Promise<void> {
    for (const [target, block] of this.#blocks) this.#flush(target, block);
    await Promise.allSettled(this.#storing);
  }

  #addTo(target: string, rows: readonly Row[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const block = this.#blocks.get(target) ?? { rows: [], waiting: [], firstAtMs: this.#options.nowMs(), count: 0 };
    this.#blocks.set(target, block);
    for (const row of rows) block.rows.push(row);
    block.count += this.#countOf(rows);
    block.waiting.push({ resolve: () => resolve(), reject });
    if (block.count >= this.#options.blockRows) this.#flush(target, block);
    return promise;
  }

  #countOf(rows: readonly Row[]): number {
    return rows.reduce((sum, row) => sum + this.#options.countOf(row), 0);
  }

  #flush(target: string, block: Block<Row>): void {
    this.#blocks.delete(target);
    const stored = this.#store(target, block);
    this.#storing.add(stored);
    void stored.finally(() => {
      this.#storing.delete(stored);
      this.#rows -= block.count;
    });
  }

  /** Never rejects: those who wait get the error. */
  async #store(target: string, { rows, waiting }: Block<Row>): Promise<void> {
    try {
      await this.#options.store(target, rows);
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      const told = error instanceof Error ? error : new Error(String(error));
      for (const { reject } of waiting) reject(told);
    }
  }
}
