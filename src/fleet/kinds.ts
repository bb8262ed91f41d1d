import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../history/schema/rows.ts';

/** Of a column: SQLite's type, which is how the PBX stores it. */
export type ColumnType = 'TEXT' | 'REAL' | 'INTEGER';

/** What is shipped: rows of one table, as the PBX's own history has them. */
export interface Kind {
  /** Columns by name, with those of the key. */
  readonly columns: ReadonlyMap<string, ColumnType>;
  /** Of one PBX: what makes a row the same row again. Never null. */
  readonly key: readonly string[];
}

interface Columns {
  readonly names: readonly string[];
  readonly types: readonly ColumnType[];
}

function kind(
  { names, types }: Columns,
  key: readonly string[],
  more: Readonly<Record<string, ColumnType>> = {},
): Kind {
  const columns = new Map<string, ColumnType>(Object.entries(more));
  for (const [index, name] of names.entries()) columns.set(name, types[index] ?? 'TEXT');
  return { columns, key };
}

/** The tables of the fleet's store, derived from the history's. Their names are permanent. */
export const KINDS = {
  calls: kind(CALL_COLUMNS, ['linkedid']),
  channels: kind(CHANNEL_COLUMNS, ['uniqueid'], { linkedid: 'TEXT' }),
  streams: kind(STREAM_COLUMNS, ['uniqueid', 'direction'], { linkedid: 'TEXT', uniqueid: 'TEXT' }),
  segments: kind(SEGMENT_COLUMNS, ['uniqueid', 'direction', 'segment_number'], { linkedid: 'TEXT' }),
  heartbeats: {
    columns: new Map<string, ColumnType>([
      ['minute', 'INTEGER'],
      ['release', 'TEXT'],
      ['asterisk_version', 'TEXT'],
      ['calls_up', 'INTEGER'],
      ['outbox_rows', 'INTEGER'],
      ['outbox_dropped', 'INTEGER'],
    ]),
    key: ['minute'],
  },
  intervals: kind(INTERVAL_COLUMNS, ['uniqueid', 'direction', 'report_number'], { linkedid: 'TEXT' }),
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

export type Cell = string | number | null;

/** One row on its way: its natural key and its version make it idempotent. */
export interface FleetRow {
  readonly kind: KindName;
  /** A higher version of the same key takes the place of a lower one. */
  readonly version: number;
  /** When the call began, epoch milliseconds: all versions of a row lie in one partition. */
  readonly callStartedAtMs: number;
  readonly cells: Readonly<Record<string, Cell>>;
}
