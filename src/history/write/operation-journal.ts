import type { Database, Statement } from 'better-sqlite3';
import { bytesOf, isTexts, numbersIn, parsedJson, readTexts } from './journal-cells.ts';
import {
  GONE,
  HEADER_CELLS,
  OPERATION_LAYOUT,
  type OperationKind,
  type OperationLayout,
  type PackedOperations,
} from './packed-operations.ts';

const LAYOUT = JSON.stringify(OPERATION_LAYOUT);

/** A row of `operation_journal`. */
export interface StoredOperations {
  readonly id: number;
  readonly operations: number;
  readonly texts: string;
  readonly layout: string;
  readonly cells: Buffer;
}

/**
 * Operations of a flood as they are committed: many in one row, at a tenth of the cost of the rows that they are in the
 * tables. The writer applies them when the flood is over, or somebody asks for what they tell.
 */
export class OperationJournal {
  readonly #put: Statement;
  readonly #oldest: Statement<unknown[], StoredOperations>;
  readonly #remove: Statement;
  readonly #count: Statement<unknown[], number>;

  constructor(database: Database) {
    this.#put = database.prepare(
      'INSERT INTO operation_journal (operations, texts, layout, cells) VALUES (?, ?, ?, ?)',
    );
    this.#oldest = database.prepare('SELECT * FROM operation_journal ORDER BY id LIMIT 1');
    this.#remove = database.prepare('DELETE FROM operation_journal WHERE id = ?');
    this.#count = database
      .prepare<unknown[], number>('SELECT coalesce(sum(operations), 0) FROM operation_journal')
      .pluck();
  }

  /** Operations in it. */
  count(): number {
    return this.#count.get() ?? 0;
  }

  add({ values, length, texts, count }: PackedOperations): void {
    this.#put.run(count, JSON.stringify(texts), LAYOUT, bytesOf(values, length));
  }

  oldest(): StoredOperations | undefined {
    return this.#oldest.get();
  }

  remove({ id }: StoredOperations): void {
    this.#remove.run(id);
  }
}

/**
 * By the layout that stands beside them: an older release's may have had fewer columns. Throws RangeError with what is wrong
 * when they cannot be read.
 */
export function readOperations({ operations, texts, layout, cells }: StoredOperations): PackedOperations {
  const own = layout === LAYOUT;
  const values = rowsFrom(numbersIn(cells), own ? OPERATION_LAYOUT : readLayout(layout), operations);
  return { values, length: values.length, texts: readTexts(texts), count: operations };
}

function readLayout(json: string): OperationLayout {
  const { kinds, columns } = (parsedJson(json) ?? {}) as Partial<Record<keyof OperationLayout, unknown>>;
  const byKind = (columns ?? {}) as Record<string, unknown>;
  const isWhole = Object.keys(OPERATION_LAYOUT.columns).every(
    (name) => isTexts(byKind[name]) && byKind[name].length > 0,
  );
  if (!areKinds(kinds) || !isWhole) throw new RangeError('it does not say which columns it has');
  return { kinds, columns: byKind as OperationLayout['columns'] };
}

function areKinds(value: unknown): value is readonly OperationKind[] {
  const known: readonly string[] = OPERATION_LAYOUT.kinds;
  return isTexts(value) && value.every((kind) => known.includes(kind));
}

/** The same rows with our own columns. */
function rowsFrom(values: Float64Array, from: OperationLayout, count: number): Float64Array {
  const rows: number[] = [];
  let found = 0;
  for (let start = 0; start < values.length;) {
    const [kindNumber = GONE, width = -1] = values.subarray(start, start + HEADER_CELLS);
    const kind = from.kinds[kindNumber];
    start += HEADER_CELLS;
    const end = start + width;
    if ((kind === undefined && kindNumber !== GONE) || !isWidth(width, kind, from) || end > values.length) {
      throw new RangeError(`its row ${found + 1} is none`);
    }
    if (kind !== undefined) {
      found++;
      if (from !== OPERATION_LAYOUT) {
        const cells = ownCells(values.subarray(start, end), kind, from.columns);
        rows.push(OPERATION_LAYOUT.kinds.indexOf(kind), cells.length, ...cells);
      }
    }
    start = end;
  }
  if (found !== count) throw new RangeError(`${found} rows are not ${count}`);
  return from === OPERATION_LAYOUT ? values : Float64Array.from(rows);
}

/** A broken record has no cells; a channel's streams follow its own. */
function isWidth(width: number, kind: OperationKind | undefined, { columns }: OperationLayout): boolean {
  if (!Number.isInteger(width) || width < 0) return false;
  if (kind === undefined || width === 0) return true;
  const others = width - columns[kind].length;
  return kind === 'channel' ? others >= 0 && others % columns.stream.length === 0 : others === 0;
}

function ownCells(cells: Float64Array, kind: OperationKind, from: OperationLayout['columns']): number[] {
  if (cells.length === 0) return [];
  const to = OPERATION_LAYOUT.columns;
  const own = byName(cells, from[kind], to[kind]);
  for (let at = from[kind].length; at < cells.length; at += from.stream.length) {
    own.push(...byName(cells.subarray(at), from.stream, to.stream));
  }
  return own;
}

/** In the order of our columns; NaN for those that were not there. */
function byName(cells: Float64Array, from: readonly string[], to: readonly string[]): number[] {
  return to.map((name) => cells[from.indexOf(name)] ?? Number.NaN);
}
