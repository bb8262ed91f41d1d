import type { HistoryChange } from '../../model/record.ts';
import { CALL_COLUMNS, type Cell, CHANNEL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS } from '../schema/rows.ts';

/** Every change but an interval. */
export type Operation = Exclude<HistoryChange, { kind: 'interval' }>;
export type OperationKind = Operation['kind'];

/** Cells of a channel with its resume state, and of each of its streams, which follow. */
export const CHANNEL_CELLS = CHANNEL_COLUMNS.names.length + 1;
export const STREAM_CELLS = STREAM_COLUMNS.names.length;
/** One for each direction. */
export const MOST_STREAMS = 2;

const KINDS = ['segment', 'channel', 'call', 'call-merged'] as const satisfies readonly OperationKind[];
/** In place of the number of a kind. */
export const GONE = -1;
/** Before the cells of a row: the number of its kind, and how many they are. */
export const HEADER_CELLS = 2;

const IS_TEXT: Readonly<Record<OperationKind, readonly boolean[]>> = {
  segment: SEGMENT_COLUMNS.isText,
  channel: [
    ...CHANNEL_COLUMNS.isText,
    true,
    ...Array.from({ length: MOST_STREAMS }, () => STREAM_COLUMNS.isText).flat(),
  ],
  call: CALL_COLUMNS.isText,
  'call-merged': [true, true],
};

/** How rows of packed operations are to be read: what the numbers of the kinds mean, and the columns of each in their order. */
export interface OperationLayout {
  readonly kinds: readonly OperationKind[];
  /** Of a channel those of its own, which `stream`s follow. */
  readonly columns: Readonly<Record<OperationKind | 'stream', readonly string[]>>;
}

/** That of this release. */
export const OPERATION_LAYOUT: OperationLayout = {
  kinds: KINDS,
  columns: {
    segment: SEGMENT_COLUMNS.names,
    channel: [...CHANNEL_COLUMNS.names, 'resume'],
    stream: STREAM_COLUMNS.names,
    call: CALL_COLUMNS.names,
    'call-merged': ['from_linkedid', 'into_linkedid'],
  },
};

/** Numbers row by row, and the texts that some of them are places of. */
export interface OperationTable {
  /**
   * Of each row the number of its kind, how many cells it has, and these, in the order of the columns: a number, the place
   * of a text in `texts`, or NaN for null. None: the record was broken.
   */
  readonly values: Float64Array;
  /** So many of `values` are in use. */
  readonly length: number;
  readonly texts: readonly string[];
}

/**
 * Some operations, one after the other, in numbers alone: as objects they would live until the commit, and cost the
 * collector and the way to the writer's thread.
 */
export interface PackedOperations extends OperationTable {
  /** Rows without those that are gone. */
  readonly count: number;
}

/** One of them where it stands. The cells of a channel: its own, its resume state, its streams'. */
export interface OperationRow {
  readonly kind: OperationKind;
  readonly table: OperationTable;
  /** Where its cells begin. */
  readonly at: number;
  readonly cells: number;
}

export function kindNumber(kind: OperationKind): number {
  return KINDS.indexOf(kind);
}

/** The row that begins at `start`; undefined when it is gone. */
export function rowAt(table: OperationTable, start: number): OperationRow | undefined {
  const kind = KINDS[table.values[start] ?? GONE];
  return kind && { kind, table, at: start + HEADER_CELLS, cells: table.values[start + 1] ?? 0 };
}

/** Takes out the row that begins at `start`. */
export function removeRow({ values }: OperationTable, start: number): void {
  values[start] = GONE;
}

/** Where the row after the one that begins at `start` begins. */
export function nextStart({ values }: OperationTable, start: number): number {
  return start + HEADER_CELLS + (values[start + 1] ?? 0);
}

/** In their order. */
export function* rowsOf(piece: PackedOperations): Generator<OperationRow> {
  for (let start = 0; start < piece.length; start = nextStart(piece, start)) {
    const row = rowAt(piece, start);
    if (row !== undefined) yield row;
  }
}

export function cellAt({ kind, table, at }: OperationRow, column: number): Cell {
  const value = table.values[at + column] ?? Number.NaN;
  if (Number.isNaN(value)) return null;
  return IS_TEXT[kind][column] === true ? (table.texts[value] ?? null) : value;
}

/** What SQLite is given for a cell: NaN is stored as null, which takes several times as long to hand over. */
export type BoundCell = string | number;

/** `count` of its cells, all unless told, from the column `first` on. */
export function cellsOf({ kind, table, at, cells }: OperationRow, first = 0, count = cells): BoundCell[] {
  const isText = IS_TEXT[kind];
  const bound: BoundCell[] = [];
  for (let column = first; column < first + count; column++) {
    const value = table.values[at + column] ?? Number.NaN;
    bound.push(isText[column] === true ? (table.texts[value] ?? Number.NaN) : value);
  }
  return bound;
}

/** Whether each cell of such a row is the place of a text. */
export function textCells(kind: OperationKind): readonly boolean[] {
  return IS_TEXT[kind];
}
