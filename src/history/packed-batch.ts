import type { Batch, Operation } from './protocol.ts';
import type { PackedIntervals } from './packed-intervals.ts';
import { CALL_COLUMNS, type Cell, CHANNEL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS } from './rows.ts';

/** Longer texts are hardly ever the same twice. */
const LONGEST_SHARED_TEXT = 64;

const NULL = 0;
const NUMBER = 1;
const TEXT = 2;

type Kind = Operation['kind'];
const KINDS = ['segment', 'channel', 'call', 'call-merged'] as const satisfies readonly Kind[];

/**
 * A batch on its way to the writer's thread: its intervals, and of its operations the cells in a row of numbers that
 * changes hands without being copied. Objects would be copied property by property, which takes longer than to write them
 * to the database.
 */
export interface PackedBatch {
  readonly intervals: readonly PackedIntervals[];
  /** Of each row its kind, how many cells it has, and these: a number, or the place of its text in `texts`. */
  readonly values: Float64Array<ArrayBuffer>;
  /** What each of `values` is. */
  readonly types: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly texts: readonly string[];
}

/**
 * The cells of one change. Those of a channel: its own, its resume state, its streams'. A broken record has none, and the
 * database refuses it.
 */
export interface PackedRow {
  readonly kind: Kind;
  readonly cells: readonly Cell[];
}

class Packer {
  #values = new Float64Array(4096);
  #types = new Uint8Array(4096);
  #length = 0;
  readonly #texts: string[] = [];
  readonly #places = new Map<string, number>();

  add(kind: Kind, cells: readonly Cell[]): void {
    this.#makeRoom(cells.length + 2);
    this.#put(NUMBER, KINDS.indexOf(kind));
    this.#put(NUMBER, cells.length);
    for (const cell of cells) {
      if (typeof cell === 'number') this.#put(NUMBER, cell);
      else if (typeof cell === 'string') this.#put(TEXT, this.#placeOf(cell));
      else this.#put(NULL, 0);
    }
  }

  finish(intervals: readonly PackedIntervals[]): PackedBatch {
    return { intervals, values: this.#values, types: this.#types, length: this.#length, texts: this.#texts };
  }

  #put(type: number, value: number): void {
    this.#types[this.#length] = type;
    this.#values[this.#length++] = value;
  }

  #placeOf(text: string): number {
    if (text.length > LONGEST_SHARED_TEXT) return this.#texts.push(text) - 1;
    let place = this.#places.get(text);
    if (place === undefined) this.#places.set(text, (place = this.#texts.push(text) - 1));
    return place;
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#values.length) return;
    const size = Math.max(this.#length + more, 2 * this.#values.length);
    const [values, types] = [new Float64Array(size), new Uint8Array(size)];
    values.set(this.#values);
    types.set(this.#types);
    [this.#values, this.#types] = [values, types];
  }
}

function cellsOf(change: Operation): readonly Cell[] {
  if (change.kind === 'segment') return SEGMENT_COLUMNS.toCells(change.segment);
  if (change.kind === 'call') return CALL_COLUMNS.toCells(change.call);
  if (change.kind === 'call-merged') return [change.fromLinkedid, change.intoLinkedid];
  const { channel, resume } = change;
  const streams = channel.streams.flatMap((stream) => STREAM_COLUMNS.toCells(stream));
  return [...CHANNEL_COLUMNS.toCells(channel), resume, ...streams];
}

export function packBatch({ operations, intervals }: Batch): PackedBatch {
  const packer = new Packer();
  for (const operation of operations) {
    let cells: readonly Cell[] = [];
    try {
      cells = cellsOf(operation);
    } catch {
      // The others of the batch are to be stored all the same.
    }
    packer.add(operation.kind, cells);
  }
  return packer.finish(intervals);
}

/** The operations, in their order. */
export function* unpackBatch({ values, types, length, texts }: PackedBatch): Generator<PackedRow> {
  const cellAt = (place: number): Cell => {
    const value = values[place] ?? 0;
    if (types[place] === NUMBER) return value;
    return types[place] === TEXT ? (texts[value] ?? null) : null;
  };
  for (let place = 0; place < length;) {
    const kind = KINDS[values[place] ?? 0] ?? 'segment';
    const cells: Cell[] = [];
    const end = place + 2 + (values[place + 1] ?? 0);
    for (place += 2; place < end; place++) cells.push(cellAt(place));
    yield { kind, cells };
  }
}
