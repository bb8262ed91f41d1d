import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../history/schema/rows.ts';
import { SUM_COLUMNS } from '../history/sums/score-sums.ts';

/** A column's type: SQLite's, as the PBX stores it, or `COUNTS`, a list of whole numbers. */
export type ColumnType = 'TEXT' | 'REAL' | 'INTEGER' | 'COUNTS';

/** A kind of rows that is shipped: those of one table of the PBX's own history. */
export interface Kind {
  /** The columns by name, those of the key included. */
  readonly columns: ReadonlyMap<string, ColumnType>;
  /** The columns that make a row of one PBX the same row again. Never null. */
  readonly key: readonly string[];
  /** Further columns that are never null, on which readers of the store rely. */
  readonly required: readonly string[];
  /** The order of the table, where it is not the PBX followed by the key. It contains all columns of the key. */
  readonly order?: readonly string[];
}

function texts(...names: readonly string[]): Map<string, ColumnType> {
  return new Map(names.map((name) => [name, 'TEXT']));
}

interface Columns {
  readonly names: readonly string[];
  readonly types: readonly ColumnType[];
}

function kind(
  { names, types }: Columns,
  key: readonly string[],
  required: readonly string[] = [],
  more: Readonly<Record<string, ColumnType>> = {},
): Kind {
  const columns = new Map<string, ColumnType>(Object.entries(more));
  for (const [index, name] of names.entries()) columns.set(name, types[index] ?? 'TEXT');
  return { columns, key, required };
}

const OF_CALL = { linkedid: 'TEXT', uniqueid: 'TEXT' } as const;

/**
 * The tables of the fleet's store, derived from the history's. Their names are permanent. Keys begin with the call, so that
 * all that belongs to one lies together; a channel that is joined to another call leaves its old row to a linkedid that
 * `aliases` hides.
 */
export const KINDS = {
  calls: kind(CALL_COLUMNS, ['linkedid']),
  channels: kind(CHANNEL_COLUMNS, ['linkedid', 'uniqueid'], ['endpoint', 'started_at_ms']),
  streams: kind(STREAM_COLUMNS, ['linkedid', 'uniqueid', 'direction'], [], OF_CALL),
  segments: kind(
    SEGMENT_COLUMNS,
    ['linkedid', 'uniqueid', 'direction', 'segment_number'],
    ['started_at_ms', 'ended_at_ms'],
    OF_CALL,
  ),
  intervals: kind(INTERVAL_COLUMNS, ['linkedid', 'uniqueid', 'direction', 'report_number'], ['at_ms'], OF_CALL),
  /** A call that was joined into another, after it had been shipped. */
  aliases: { columns: texts('from_linkedid', 'into_linkedid'), key: ['from_linkedid'], required: ['into_linkedid'] },
  ratings: {
    columns: new Map<string, ColumnType>([
      ...texts('id', 'linkedid', 'uniqueid', 'endpoint', 'side', 'issues', 'answers', 'comment', 'source'),
      ['score', 'INTEGER'],
      ['asked', 'INTEGER'],
      ['weight', 'REAL'],
      ['at_ms', 'INTEGER'],
    ]),
    key: ['id'],
    required: ['linkedid', 'side', 'score', 'source', 'weight', 'at_ms'],
  },
  /** What people wrote about a call, in one row, so that what they take back goes as well. */
  remarks: {
    // Lists as JSON, and the tags once more with blanks between.
    columns: texts('linkedid', 'notes', 'tags', 'tag_words'),
    key: ['linkedid'],
    required: [],
  },
  /**
   * The PBX's sums of each hour and day (history/sums). They are shipped as they are, because summing versions in the store would
   * count a retry twice.
   */
  sums: {
    columns: new Map<string, ColumnType>([
      ['scope_kind', 'TEXT'],
      ['span_ms', 'INTEGER'],
      ['starts_at_ms', 'INTEGER'],
      ['scope', 'TEXT'],
      ...SUM_COLUMNS.map(([, column]): [string, ColumnType] => [column, 'INTEGER']),
      // Two lists of equal length: scores in hundredths, and how many calls had each.
      ['score_hundredths', 'COUNTS'],
      ['score_calls', 'COUNTS'],
    ]),
    key: ['scope_kind', 'span_ms', 'starts_at_ms', 'scope'],
    required: [...SUM_COLUMNS.map(([, column]) => column), 'score_hundredths', 'score_calls'],
    // A question is about one kind and one span, of all PBXs or of one.
    order: ['scope_kind', 'span_ms', 'pbx', 'starts_at_ms', 'scope'],
  },
  heartbeats: {
    columns: new Map<string, ColumnType>([
      ['hour', 'INTEGER'],
      ['at_ms', 'INTEGER'],
      ...texts('release', 'asterisk_version', 'problem'),
      ['calls_up', 'INTEGER'],
      ['outbox_rows', 'INTEGER'],
      ['outbox_dropped', 'INTEGER'],
      // When the oldest waiting row was put into the outbox.
      ['outbox_since_ms', 'INTEGER'],
      // By the gateway's clock: a PBX whose own is slow is not silent.
      ['heard_at_ms', 'INTEGER'],
    ]),
    // Of each hour the last row stays.
    key: ['hour'],
    required: ['at_ms'],
  },
} as const satisfies Readonly<Record<string, Kind>>;

/**
 * Live data, kept for minutes and apart from what is kept for months. `call_started_at_ms` of these tables is when the gateway
 * got the row, so that no PBX's clock matters.
 */
export const LIVE_KINDS = {
  live: {
    columns: new Map<string, ColumnType>([
      ...texts('uniqueid', 'linkedid', 'endpoint', 'codec', 'verdict'),
      ['at_ms', 'INTEGER'],
      ['mes', 'REAL'],
      // Null: it is up.
      ['ended_at_ms', 'INTEGER'],
      // The cells of the channel and of its streams as JSON.
      ...texts('cells'),
    ]),
    key: ['uniqueid'],
    required: ['at_ms'],
    order: ['call_started_at_ms', 'pbx', 'uniqueid'],
  },
  /** One row a batch: how many channels are up there, even when none is. */
  live_pbxs: {
    columns: new Map<string, ColumnType>([
      ['at_ms', 'INTEGER'],
      ['channels_up', 'INTEGER'],
    ]),
    key: [],
    required: ['at_ms', 'channels_up'],
    order: ['call_started_at_ms', 'pbx'],
  },
} as const satisfies Readonly<Record<string, Kind>>;

export const ALL_KINDS = { ...KINDS, ...LIVE_KINDS };

/** The length of a partition of live data. A partition is dropped as a whole. */
export const LIVE_PARTITION_MS = 600_000;

export type LiveKindName = keyof typeof LIVE_KINDS;
export type AnyKindName = keyof typeof ALL_KINDS;

export type KindName = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

export type Cell = string | number | readonly number[] | null;

/** A row on its way. Its natural key and its version make it idempotent. */
export interface FleetRow<Name extends AnyKindName = KindName> {
  readonly kind: Name;
  /** A higher version replaces a lower one with the same key. */
  readonly version: number;
  /** When the call began, epoch milliseconds. So all versions of a row lie in one partition. */
  readonly callStartedAtMs: number;
  readonly cells: Readonly<Record<string, Cell>>;
}
