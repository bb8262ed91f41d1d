import {
  ALL_KINDS,
  type AnyKindName,
  type ColumnType,
  type Kind,
  type KindName,
  LIVE_KINDS,
  LIVE_PARTITION_MS,
} from './kinds.ts';

/** How the store is laid out. */
export interface StoreLayout {
  readonly database: string;
  /** The cluster's name in ClickHouse's configuration; null: one server. */
  readonly cluster: string | null;
  /** Whether each shard has replicas, kept together by ZooKeeper or Keeper under the macros `shard` and `replica`. */
  readonly isReplicated: boolean;
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  TEXT: 'String',
  REAL: 'Float64',
  INTEGER: 'Int64',
  COUNTS: 'Array(Int64)',
};

/** Of every table, before the columns of the PBX's own. */
const FRAME = [
  ['pbx_id', 'UInt32'],
  ['pbx', 'String'],
  ['site', 'String'],
  ['row_version', 'UInt64'],
  ['call_started_at_ms', 'UInt64'],
] as const;

/** Columns as ClickHouse has them: what may be unknown is Nullable, the key is not. */
export function storeColumns({ columns, key }: Kind): (readonly [name: string, type: string])[] {
  const own = [...columns].map(([name, type]) => {
    const plain = TYPES[type];
    // ClickHouse has no list that may be null; an empty one is as good.
    return [storedName(name), key.includes(name) || type === 'COUNTS' ? plain : `Nullable(${plain})`] as const;
  });
  return [...FRAME, ...own];
}

/** Columns of a PBX's rows whose names the store has for something else: the release that scored, and where a device is. */
const RENAMED: Readonly<Record<string, string>> = { version: 'mes_version', site: 'device_site' };

export function storedName(column: string): string {
  return RENAMED[column] ?? column;
}

/** The columns by which a table is sorted: those that make a row the same row again. */
export function orderOf({ key, order = ['pbx', ...key] }: Kind): readonly string[] {
  return order.map(storedName);
}

export function tableOf(kind: AnyKindName): string {
  return `mes_${kind}`;
}

/** The tables that questions look through by time: of the others the order or a month is narrow enough. */
const BY_WEEK: ReadonlySet<string> = new Set<KindName>(['calls', 'channels', 'streams', 'segments', 'intervals']);

/** One insert may touch a hundred partitions in today's releases: weeks of 400 days are 58. */
function partitionOf(kind: AnyKindName): string {
  if (kind in LIVE_KINDS) return `intDiv(call_started_at_ms, ${LIVE_PARTITION_MS})`;
  const day = 'toDate(toDateTime(intDiv(call_started_at_ms, 1000)))';
  return BY_WEEK.has(kind) ? `toYYYYMMDD(toMonday(${day}))` : `toYYYYMM(${day})`;
}

/** Partitions of weeks have eight digits; tables that an earlier build made have months there as well, of six. */
const LEAST_WEEK = 10_000_000;

/** Whether all in a partition is of before the one that this moment lies in. */
export function isPartitionBefore(kind: AnyKindName, partition: number, ms: number): boolean {
  if (kind in LIVE_KINDS) return partition < Math.floor(ms / LIVE_PARTITION_MS);
  const date = new Date(ms);
  // Days since Monday.
  if (partition >= LEAST_WEEK) date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  const month = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
  return partition < (partition >= LEAST_WEEK ? month * 100 + date.getUTCDate() : month);
}

/**
 * The statements that make all tables on one server, each to be run on every server of a cluster. The same on ClickHouse
 * 18.16 and today's: no TTL, no DateTime64, no column codecs.
 */
export function createStatements({ database, cluster, isReplicated }: StoreLayout): string[] {
  const tables = Object.entries<Kind>(ALL_KINDS).flatMap(([name, kind]) => {
    const table = tableOf(name as AnyKindName);
    const columns = storeColumns(kind)
      .map(([column, type]) => `${column} ${type}`)
      .join(', ');
    const engine = isReplicated
      ? `ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/${database}.${table}', '{replica}', row_version)`
      : 'ReplacingMergeTree(row_version)';
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
  return [`CREATE DATABASE IF NOT EXISTS ${database}`, ...tables];
}

/** The statements that add what a newer release stores, given the columns that a server has by table. */
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

/** Drops a partition: a week, a month, or of what is live some minutes. */
export function dropPartitionStatement({ database }: StoreLayout, kind: AnyKindName, partition: number): string {
  return `ALTER TABLE ${database}.${tableOf(kind)} DROP PARTITION ${partition}`;
}
