import type { Database } from 'better-sqlite3';
import {
  CALL_COLUMNS,
  type Cell,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../schema/rows.ts';
import type { Cells, EncodedState } from './batch.ts';
import { Writer } from './writer.ts';

/** A row of the journals that schemas 6 and 7 had: numbers as bytes, and texts that some of them are places of. */
interface JournalRow {
  readonly texts: string;
  readonly layout: string;
  readonly cells: Buffer;
}

/** Cells by the names of their columns. */
type Named = ReadonlyMap<string, Cell>;

interface IntervalLayout {
  readonly columns: readonly string[];
  readonly texts: readonly string[];
}
interface OperationLayout {
  readonly kinds: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/** Columns of records that have texts; `linkedid` of a merge and `resume` beside those of `rows.ts`. */
const TEXTS = new Set([
  ...[CALL_COLUMNS, CHANNEL_COLUMNS, STREAM_COLUMNS, SEGMENT_COLUMNS].flatMap(({ names, types }) =>
    names.filter((_, column) => types[column] === 'TEXT'),
  ),
  'resume',
  'from_linkedid',
  'into_linkedid',
]);
/** In place of a kind: the row was taken out. */
const GONE = -1;

/** Puts what an older release left in its journals into the tables, and takes the journals away. */
export function emptyOldJournals(database: Database): void {
  const has = database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'interval_journal'").pluck();
  if (has.get() === 0) return;
  const rowsOf = (table: string): JournalRow[] =>
    database.prepare<unknown[], JournalRow>(`SELECT texts, layout, cells FROM ${table} ORDER BY id`).all();
  const empty = database.transaction(() => {
    const writer = new Writer(database);
    for (const row of rowsOf('operation_journal')) writer.commit({ states: [...statesOf(row)], intervals: [] });
    for (const row of rowsOf('interval_journal')) writer.commit({ states: [], intervals: intervalsOf(row) });
    database.exec('DROP TABLE operation_journal; DROP TABLE interval_journal');
  });
  empty.immediate();
}

function intervalsOf({ texts, layout, cells }: JournalRow): Cells[] {
  const { columns, texts: textColumns } = JSON.parse(layout) as IntervalLayout;
  const own = JSON.parse(texts) as readonly string[];
  const numbers = numbersIn(cells);
  return Array.from({ length: numbers.length / columns.length }, (_, row) => {
    const values = numbers.subarray(row * columns.length, (row + 1) * columns.length);
    return inOrder(INTERVAL_COLUMNS.names, named(values, columns, own, new Set(textColumns)));
  });
}

/** Row after row the number of its kind, how many cells it has, and these; of a channel its own, then those of its streams. */
function* statesOf({ texts, layout, cells }: JournalRow): Generator<EncodedState> {
  const { kinds, columns } = JSON.parse(layout) as OperationLayout;
  const own = JSON.parse(texts) as readonly string[];
  const numbers = numbersIn(cells);
  for (let start = 0; start < numbers.length;) {
    const [kind = GONE, width = 0] = numbers.subarray(start, start + 2);
    const values = numbers.subarray(start + 2, start + 2 + width);
    start += 2 + width;
    // A record that was broken has no cells.
    if (kind === GONE || width === 0) continue;
    yield stateOf(kinds[kind] ?? '', values, columns, own);
  }
}

function stateOf(
  kind: string,
  values: Float64Array,
  columns: OperationLayout['columns'],
  texts: readonly string[],
): EncodedState {
  const own = columns[kind] ?? [];
  const row = named(values, own, texts, TEXTS);
  if (kind === 'segment') return { kind, cells: inOrder(SEGMENT_COLUMNS.names, row) };
  if (kind === 'call') return { kind, cells: inOrder(CALL_COLUMNS.names, row) };
  if (kind !== 'channel') {
    return {
      kind: 'call-merged',
      fromLinkedid: String(row.get('from_linkedid')),
      intoLinkedid: String(row.get('into_linkedid')),
    };
  }
  const streams: Named[] = [];
  const ofStream = columns['stream'] ?? [];
  for (let at = own.length; at < values.length; at += ofStream.length) {
    streams.push(named(values.subarray(at, at + ofStream.length), ofStream, texts, TEXTS));
  }
  const reportsOf = (direction: string): number =>
    Number(streams.find((stream) => stream.get('direction') === direction)?.get('reports') ?? 0);
  const state = row.get('resume');
  return {
    kind,
    cells: inOrder(CHANNEL_COLUMNS.names, row),
    streams: streams.map((stream) => inOrder(STREAM_COLUMNS.names, stream)),
    resume: typeof state === 'string' ? { state, rxReports: reportsOf('rx'), txReports: reportsOf('tx') } : null,
  };
}

/** NaN stands for null. */
function named(
  values: Float64Array,
  columns: readonly string[],
  texts: readonly string[],
  textColumns: ReadonlySet<string>,
): Named {
  return new Map(
    columns.map((column, index) => {
      const value = values[index] ?? Number.NaN;
      if (Number.isNaN(value)) return [column, null];
      return [column, textColumns.has(column) ? (texts[value] ?? null) : value];
    }),
  );
}

/** Null in columns that the older release did not have. */
function inOrder(names: readonly string[], row: Named): Cells {
  return names.map((name) => row.get(name) ?? null);
}

function numbersIn(bytes: Buffer): Float64Array {
  // Aligned: bytes of a blob begin anywhere.
  const { buffer } = Uint8Array.from(bytes);
  return new Float64Array(buffer, 0, Math.floor(bytes.length / Float64Array.BYTES_PER_ELEMENT));
}
