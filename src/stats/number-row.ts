import { momentsAt, type Moments, MOMENTS_SIZE, setMomentsAt } from './moments.ts';

/** A row as it is stored; null is unknown. */
export type StoredRow = readonly (number | null)[];

/** Named numbers in one array of doubles; `numberRow` makes such a class. */
export class NumberRow {
  /** NaN is unknown. */
  readonly values: number[];

  constructor(values: number[]) {
    this.values = values;
  }

  /** The names of its single numbers; those of moments are in `sampledNames`. */
  get names(): readonly string[] {
    return [];
  }

  /** The names of those that are epoch milliseconds. */
  get timeNames(): readonly string[] {
    return [];
  }

  /** The names of its moments. */
  get sampledNames(): readonly string[] {
    return [];
  }

  /** What JSON turns into a `StoredRow`: it writes null for NaN. */
  toJSON(): object {
    return this.values;
  }
}

export interface RowNames<Known extends string, Unknown extends string, Time extends string, Sampled extends string> {
  /** Numbers that begin with 0. */
  readonly known: readonly Known[];
  /** Numbers that are null until they are known. */
  readonly unknown: readonly Unknown[];
  /** Epoch milliseconds that are null until they are known. They move with the clock when it is set. */
  readonly times: readonly Time[];
  /** Moments that begin without samples. */
  readonly sampled: readonly Sampled[];
}

type Row<Known extends string, Unknown extends string, Time extends string, Sampled extends string> = NumberRow &
  Record<Known, number> &
  Record<Unknown | Time, number | null> &
  Record<Sampled, Moments>;

interface RowClass<Known extends string, Unknown extends string, Time extends string, Sampled extends string> {
  /** Where the moments of each name stand in `values`, to add samples and to read parts without a copy. */
  readonly places: Readonly<Record<Sampled, number>>;
  new (stored?: StoredRow): Row<Known, Unknown, Time, Sampled>;
}

/**
 * A class whose instances have these numbers as properties, all in one array of doubles. There each takes eight bytes and is
 * changed in place; as properties of plain objects they would take eight for the property and sixteen for the number, made
 * anew by every change, and a channel that is up has a hundred of them.
 *
 * Moments are read as a copy, of which a report would make a dozen: what it takes of them it takes at their `places`. A row
 * that was stored is gone on with; what it lacks is as in the beginning.
 */
export function numberRow<
  const Known extends string,
  const Unknown extends string,
  const Time extends string,
  const Sampled extends string,
>({
  known,
  unknown,
  times,
  sampled,
}: RowNames<Known, Unknown, Time, Sampled>): RowClass<Known, Unknown, Time, Sampled> {
  const nullable: readonly string[] = [...unknown, ...times];
  const names: readonly string[] = [...known, ...nullable];
  const places = Object.fromEntries(sampled.map((name, index) => [name, names.length + index * MOMENTS_SIZE]));
  const beginning = doubles([
    ...known.map(() => 0),
    ...nullable.map(() => Number.NaN),
    ...Array.from({ length: sampled.length * MOMENTS_SIZE }, () => 0),
  ]);

  class NamedRow extends NumberRow {
    static readonly places = places;

    constructor(stored: StoredRow = []) {
      super(beginning.slice());
      for (const [at, value] of stored.slice(0, beginning.length).entries()) this.values[at] = value ?? Number.NaN;
    }

    override get names(): readonly string[] {
      return names;
    }

    override get timeNames(): readonly string[] {
      return times;
    }

    override get sampledNames(): readonly string[] {
      return sampled;
    }
  }

  // `this` is the instance; this defines the properties that its type promises.
  for (const [at, name] of known.entries()) {
    Object.defineProperty(NamedRow.prototype, name, {
      get(this: NamedRow): number {
        return this.values[at] ?? 0;
      },
      set(this: NamedRow, value: number) {
        this.values[at] = value;
      },
    });
  }
  for (const [index, name] of nullable.entries()) {
    const at = known.length + index;
    Object.defineProperty(NamedRow.prototype, name, {
      get(this: NamedRow): number | null {
        const value = this.values[at] ?? Number.NaN;
        return Number.isNaN(value) ? null : value;
      },
      set(this: NamedRow, value: number | null) {
        this.values[at] = value ?? Number.NaN;
      },
    });
  }
  for (const [name, at] of Object.entries(places)) {
    Object.defineProperty(NamedRow.prototype, name, {
      get(this: NamedRow): Moments {
        return momentsAt(this.values, at);
      },
      set(this: NamedRow, moments: Moments) {
        setMomentsAt(this.values, at, moments);
      },
    });
  }
  return NamedRow as unknown as RowClass<Known, Unknown, Time, Sampled>;
}

/** A copy that V8 stores as doubles. A row of zeros alone would be stored as integers, so the copy begins with a fraction. */
function doubles(values: readonly number[]): number[] {
  const copy = [Number.NaN, ...values];
  copy.shift();
  return copy;
}
