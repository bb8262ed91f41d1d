/** Bodies that are in memory, as they came. */
const MOST_BYTES = 64_000_000;
/** Also of an empty body something is kept. */
const LEAST_BYTES = 32_000;
const BYTES_OF_ONE = 0.25;
const ROWS_OF_ONE = 0.5;

interface Taken {
  /** Null: there is room. Otherwise nothing was taken. */
  readonly whyNot: 'of-one' | 'of-all' | null;
  /** Gives it back; to be called once. */
  readonly give: () => void;
}

/** A gateway's room for bodies and rows. No PBX gets all of it, so that the others are served whatever one does. */
export class Room {
  readonly #all: Readonly<Record<'bytes' | 'rows', Share>>;

  constructor(mostRows: number) {
    this.#all = {
      bytes: new Share(MOST_BYTES, MOST_BYTES * BYTES_OF_ONE, LEAST_BYTES),
      rows: new Share(mostRows, mostRows * ROWS_OF_ONE, 1),
    };
  }

  take(what: 'bytes' | 'rows', pbx: string, amount: number): Taken {
    return this.#all[what].take(pbx, amount);
  }
}

class Share {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #least: number;
  readonly #of = new Map<string, number>();
  #sum = 0;

  constructor(most: number, mostOfOne: number, least: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
    this.#least = least;
  }

  take(pbx: string, wanted: number): Taken {
    const amount = Math.max(this.#least, wanted);
    if ((this.#of.get(pbx) ?? 0) + amount > this.#mostOfOne) return { whyNot: 'of-one', give: () => {} };
    if (this.#sum + amount > this.#most) return { whyNot: 'of-all', give: () => {} };
    this.#add(pbx, amount);
    return { whyNot: null, give: () => this.#add(pbx, -amount) };
  }

  #add(pbx: string, amount: number): void {
    const own = (this.#of.get(pbx) ?? 0) + amount;
    if (own === 0) this.#of.delete(pbx);
    else this.#of.set(pbx, own);
    this.#sum += amount;
  }
}
