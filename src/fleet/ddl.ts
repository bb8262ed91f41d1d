import {
  ALL_KINDS,
  type AnyKindName,
  type ColumnType,
  type Kind,
  type KindName,
  LIVE_KINDS,
  LIVE_PARTITION_MS,
} from './kinds.ts';

/** The layout of the store. */
export interface StoreLayout {
  readonly database: string;
  /** The cluster's name in ClickHouse's configuration; null: one server. */
  readonly cluster: string | null;
  /** Whether each shard has replicas, which ZooKeeper or Keeper holds together by the macros `shard` and `replica`. */
  readonly isReplicated: boolean;
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  TEXT: 'String',
  REAL: 'Float64',
  INTEGER: 'Int64',
  COUNTS: 'Array(Int64)',
};

/** The first columns of every table. The PBX's own columns follow. */
const FRAME = [
  ['pbx_id', 'UInt32'],
  ['pbx', 'String'],
  ['site', 'String'],
  ['row_version', 'UInt64'],
  ['call_started_at_ms', 'UInt64'],
] as const;

/** The columns with their types in ClickHouse. A column that may be unknown is Nullable; one of the key is not. */
export function storeColumns({ columns, key }: Kind): (readonly [name: string, type: string])[] {
  const own = [...columns].map(([name, type]) => {
    const plain = TYPES[type];
    // ClickHouse has no Nullable list; an empty one serves as well.
    return [storedName(name), key.includes(name) || type === 'COUNTS' ? plain : `Nullable(${plain})`] as const;
  });
  return [...FRAME, ...own];
}

/**
 * The store uses these names of a PBX's columns for something else (the release that scored, and where a device is), so the
 * columns get other names there.
 */
const RENAMED: Readonly<Record<string, string>> = { version: 'mes_version', site: 'device_site' };

export function storedName(column: string): string {
  return RENAMED[column] ?? column;
}

/** The columns that a table is sorted by: two rows that agree in these are versions of one row. */
export function orderOf({ key, order = ['pbx', ...key] }: Kind): readonly string[] {
  return order.map(storedName);
}

export function tableOf(kind: TableName): string {
  return `mes_${kind}`;
}

/** Tables that are searched by time. In others the order or a month narrows the search enough. */
const BY_WEEK: ReadonlySet<string> = new Set<KindName>(['calls', 'channels', 'streams', 'segments', 'intervals']);

/** Partitions of weeks: 400 days are 58 of them, and in today's releases one insert may touch a hundred partitions. */
function partitionOf(kind: AnyKindName): string {
  if (kind in LIVE_KINDS) return `intDiv(call_started_at_ms, ${LIVE_PARTITION_MS})`;
  const day = 'toDate(toDateTime(intDiv(call_started_at_ms, 1000)))';
  return BY_WEEK.has(kind) ? `toYYYYMMDD(toMonday(${day}))` : `toYYYYMM(${day})`;
}

/** What gateways know together lies in a table of its own, by months. */
export const WATCH = 'watch';
export type TableName = AnyKindName | typeof WATCH;
const WATCH_COLUMNS = ['kind', 'id', 'row_version', 'stored_at_ms', 'began_at_ms', 'ended_at_ms', 'body'] as const;
const WATCH_MONTH = 'toYYYYMM(toDate(toDateTime(intDiv(stored_at_ms, 1000))))';

/** A partition of a week has eight digits. Tables of an earlier build also have months, of six digits. */
const LEAST_WEEK = 10_000_000;

/** Whether everything in the partition is older than the partition that has this moment. */
export function isPartitionBefore(kind: TableName, partition: number, ms: number): boolean {
  if (kind in LIVE_KINDS) return partition < Math.floor(ms / LIVE_PARTITION_MS);
  const date = new Date(ms);
  // Days since Monday.
  if (partition >= LEAST_WEEK) date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  const month = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
  return partition < (partition >= LEAST_WEEK ? month * 100 + date.getUTCDate() : month);
}

/**
 * The statements that create all tables on one server; each server of a cluster runs them. They are the same for ClickHouse 18.16
 * and today's, so they have no TTL, no DateTime64 and no column codecs.
 */
export function createStatements({ database, cluster, isReplicated }: StoreLayout): string[] {
  const tables = Object.entries<Kind>(ALL_KINDS).flatMap(([name, kind]) => {
    const table = tableOf(name as AnyKindName);
    const columns = storeColumns(kind)
      .map(([column, type]) => `${column} ${type}`)
      .join(', ');
    const engine = engineOf(table, { database, isReplicated });
    const order = orderOf(kind).join(', ');
    return [
      `CREATE TABLE IF NOT EXISTS ${database}.${table} (${columns}) ENGINE = ${engine}
       PARTITION BY ${partitionOf(name as AnyKindName)} ORDER BY (${order})`,
      ...(cluster === null
        ? []
        : [
            `CREATE TABLE IF NOT EXISTS ${database}.${table}_all (${columns})
             ENGINE = Distributed(${cluster}, ${database}, ${table}, cityHash64(pbx_id))`,
          ]),
    ];
  });
  // By when a row was stored: what is stored at once lies in one partition, so that it is there as a whole or not at all.
  const watch = `CREATE TABLE IF NOT EXISTS ${database}.mes_watch (kind String, id String, row_version UInt64, stored_at_ms UInt64,
       began_at_ms UInt64, ended_at_ms Nullable(UInt64), body String) ENGINE = ${engineOf('mes_watch', { database, isReplicated })}
       PARTITION BY ${WATCH_MONTH} ORDER BY (kind, id)`;
  return [`CREATE DATABASE IF NOT EXISTS ${database}`, ...tables, watch];
}

function engineOf(table: string, { database, isReplicated }: Pick<StoreLayout, 'database' | 'isReplicated'>): string {
  return isReplicated
    ? `ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/${database}.${table}', '{replica}', row_version)`
    : 'ReplacingMergeTree(row_version)';
}

/** The statements that add a newer release's columns, given each table's present columns. */
export function missingColumnStatements(
  { database, cluster }: StoreLayout,
  existing: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  return Object.entries<Kind>(ALL_KINDS).flatMap(([name, kind]) => {
    const table = tableOf(name as AnyKindName);
    const tables = cluster === null ? [table] : [table, `${table}_all`];
    return tables.flatMap((one) => {
      const have = existing.get(one) ?? new Set<string>();
      return storeColumns(kind)
        .filter(([column]) => !have.has(column))
        .map(([column, type]) => `ALTER TABLE ${database}.${one} ADD COLUMN ${column} ${type}`);
    });
  });
}

/** Drops a partition: a week, a month, or some minutes of live data. */
export function dropPartitionStatement({ database }: StoreLayout, kind: TableName, partition: number): string {
  return `ALTER TABLE ${database}.${tableOf(kind)} DROP PARTITION ${partition}`;
}

/**
 * Copies alerts that go on out of months that are to be dropped, as if they were stored at `storedAtMs`. They keep their
 * versions, so that what another gateway stores of them meanwhile counts more.
 */
export function keepAlertsStatement({ database }: StoreLayout, months: readonly number[], storedAtMs: number): string {
  const columns = WATCH_COLUMNS.join(', ');
  const copied = WATCH_COLUMNS.map((name) => (name === 'stored_at_ms' ? `toUInt64(${Math.round(storedAtMs)})` : name));
  const table = `${database}.${tableOf(WATCH)}`;
  return `INSERT INTO ${table} (${columns}) SELECT ${copied.join(', ')} FROM (SELECT ${columns} FROM ${table}
    WHERE kind = 'alert' ORDER BY row_version DESC LIMIT 1 BY kind, id)
    WHERE isNull(ended_at_ms) AND ${WATCH_MONTH} IN (${months.join(', ')})`;
}
