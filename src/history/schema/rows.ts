/**
 * The columns of calls, channels, streams, segments and intervals, as the tables of fields describe them (`model/fields/`).
 * A field that is added there is a column: the writer adds it when it next opens a database (`migrations.ts`). Rows that were
 * stored before have null in it.
 */
import { CALL_FIELDS, FAULT } from '../../model/fields/call-fields.ts';
import { CHANNEL_FIELDS } from '../../model/fields/channel-fields.ts';
import type { Field, FieldKind, Fields, RecordOf, SampleSummary } from '../../model/fields/field.ts';
import { INTERVAL_FIELDS } from '../../model/fields/interval-fields.ts';
import { SEGMENT_FIELDS, STREAM_FIELDS } from '../../model/fields/stream-fields.ts';
import { snakeCase } from '../../model/naming.ts';

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;
export type ColumnType = 'TEXT' | 'REAL' | 'INTEGER';

/** A record's way into the columns of a table and back. */
export interface RecordColumns<T> {
  readonly names: readonly string[];
  /** One a name: its type where it is added to a table that was made without it. */
  readonly types: readonly ColumnType[];
  /** One a name: the column has texts, not numbers. */
  readonly isText: readonly boolean[];
  /** One a name, in their order. Times are kept to the millisecond. */
  toCells(record: T): Cell[];
  toRow(record: T): Row;
  /** Columns that are not the record's are left out. */
  fromRow(row: Row): T;
}

/** How a field is stored: as it is, 0 or 1, whole milliseconds, spread over six columns, or as JSON. */
type Storage = 'plain' | 'boolean' | 'boolean-or-null' | 'time' | 'summary' | 'json';

const STORED = {
  text: ['plain', 'TEXT'],
  word: ['plain', 'TEXT'],
  number: ['plain', 'REAL'],
  opinion: ['plain', 'REAL'],
  ssrc: ['plain', 'REAL'],
  truth: ['boolean', 'INTEGER'],
  moment: ['time', 'INTEGER'],
  summary: ['summary', 'REAL'],
  parts: ['json', 'TEXT'],
} as const satisfies Readonly<Record<FieldKind, readonly [Storage, ColumnType]>>;

interface StoredField {
  readonly property: string;
  readonly storage: Storage;
  readonly column: string;
  readonly type: ColumnType;
  /** The columns of a summary's parts; empty for other fields. */
  readonly parts: readonly (readonly [part: keyof SampleSummary, column: string])[];
}

const SUMMARY_PARTS = ['last', 'mean', 'min', 'max', 'stdev'] as const satisfies readonly (keyof SampleSummary)[];

function storedField(property: string, { kind, unit, isNullable }: Field): StoredField {
  const column = snakeCase(property);
  const [plainly, type] = STORED[kind];
  const storage = plainly === 'boolean' && isNullable ? 'boolean-or-null' : plainly;
  // `rttMs` is kept in `rtt_last_ms` … `rtt_stdev_ms` and `rtt_count`: the unit stays last.
  const quantity = column.slice(0, -unit.length - 1);
  const parts = SUMMARY_PARTS.map((part) => [part, `${quantity}_${part}_${unit}`] as const);
  return {
    property,
    storage,
    column,
    type,
    parts: kind === 'summary' ? [...parts, ['count', `${quantity}_count`]] : [],
  };
}

function recordColumns<Table extends Fields>(table: Table): RecordColumns<RecordOf<Table>> {
  const fields = Object.entries(table).map(([property, field]) => storedField(property, field));

  const names = fields.flatMap(({ column, parts }) => (parts.length > 0 ? parts.map(([, name]) => name) : [column]));
  const types = fields.flatMap(({ type, parts }) =>
    parts.length > 0 ? parts.map(([part]) => (part === 'count' ? 'INTEGER' : type)) : [type],
  );
  const isText = types.map((type) => type === 'TEXT');

  const empty: readonly Cell[] = names.map(() => null);
  // A loop by index into an array of the right length: an array that grows, and an iterator, would make four times as much
  // garbage, for each report.
  const toCells = (record: RecordOf<Table>): Cell[] => {
    const cells = empty.slice();
    const values = record as Readonly<Record<string, unknown>>;
    let at = 0;
    for (let index = 0; index < fields.length; index++) {
      const { property, storage, parts } = fields[index] as StoredField;
      const value = values[property];
      if (storage === 'time') cells[at++] = typeof value === 'number' ? Math.round(value) : null;
      else if (storage === 'boolean') cells[at++] = value === true ? 1 : 0;
      else if (storage === 'boolean-or-null') cells[at++] = value === null ? null : Number(value);
      else if (storage === 'json') cells[at++] = value === null ? null : JSON.stringify(value);
      else if (storage === 'summary') for (const [part] of parts) cells[at++] = (value as SampleSummary)[part];
      else cells[at++] = value as Cell;
    }
    return cells;
  };

  const toRow = (record: RecordOf<Table>): Row => {
    const cells = toCells(record);
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null]));
  };

  const fromRow = (row: Row): RecordOf<Table> => {
    const record: Record<string, unknown> = {};
    for (const { property, storage, column, parts } of fields) {
      if (storage === 'summary') {
        const summary: Record<string, unknown> = {};
        for (const [part, partColumn] of parts) summary[part] = row[partColumn];
        record[property] = summary;
      } else if (storage === 'json') {
        const text = row[column];
        record[property] = typeof text === 'string' ? JSON.parse(text) : null;
      } else if (storage === 'boolean-or-null') {
        record[property] = row[column] === null ? null : row[column] === 1;
      } else {
        record[property] = storage === 'boolean' ? row[column] === 1 : row[column];
      }
    }
    return record as RecordOf<Table>;
  };

  return { names, types, isText, toCells, toRow, fromRow };
}

function some<Table extends Fields, Name extends keyof Table>(
  table: Table,
  ...names: readonly Name[]
): Pick<Table, Name> {
  return Object.fromEntries(names.map((name) => [name, table[name]])) as Pick<Table, Name>;
}

export const CALL_COLUMNS = recordColumns(CALL_FIELDS);
export const CHANNEL_COLUMNS = recordColumns(CHANNEL_FIELDS);
export const STREAM_COLUMNS = recordColumns(STREAM_FIELDS);
export const SEGMENT_COLUMNS = recordColumns(SEGMENT_FIELDS);
export const INTERVAL_COLUMNS = recordColumns(INTERVAL_FIELDS);

/** What is brought up to date of a call that is up. */
export const CALL_SCORE_COLUMNS = recordColumns({
  ...some(CALL_FIELDS, 'linkedid', 'mes', 'mesMin', 'verdict'),
  ...FAULT,
});

export const CHANNEL_SCORE_COLUMNS = recordColumns(
  some(CHANNEL_FIELDS, 'uniqueid', 'mes', 'mesRx', 'mesTx', 'mesPeerRx', 'mesPeerTx', 'mesCall', 'mesMin', 'verdict'),
);

export const STREAM_SCORE_COLUMNS = recordColumns(some(STREAM_FIELDS, 'direction', 'mes', 'mes100', 'verdict'));
