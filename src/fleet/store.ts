import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import {
  createStatements,
  dropPartitionStatement,
  missingColumnStatements,
  type StoreLayout,
  storedName,
  tableOf,
} from './ddl.ts';
import { KIND_NAMES, type FleetRow, type KindName } from './kinds.ts';
import { pbxIdOf, shardOf } from './shard.ts';

const INSERT_WAIT_MS = 20_000;
const ASK_WAIT_MS = 10_000;

export interface StoreOptions extends StoreLayout {
  /** One address a shard, in the order in which the cluster names them; the first of several replicas that answers is used. */
  readonly shards: readonly (readonly string[])[];
  readonly username: string;
  readonly password: string;
}

/** Whose rows these are: the token says so, never a row. */
export interface PbxIdentity {
  readonly name: string;
  readonly site: string;
}

/** Rows as ClickHouse reads them (JSONEachRow). */
export type StoredRow = Readonly<Record<string, string | number>>;

/** Part of an answer: how many shards gave theirs. */
export interface Answered<T> {
  readonly rows: readonly T[];
  readonly shardsAnswered: number;
  readonly shards: number;
}

/** The fleet's store on ClickHouse. Everything rejects with an Error of one sentence. */
export class FleetStore {
  readonly #options: StoreOptions;
  /** By shard, then by replica. */
  readonly #clients: readonly (readonly ClickHouseClient[])[];

  constructor(options: StoreOptions) {
    this.#options = options;
    const { username, password } = options;
    this.#clients = options.shards.map((replicas) =>
      replicas.map((url) =>
        createClient({
          url,
          username,
          password,
          request_timeout: INSERT_WAIT_MS,
          // It would write to the console; what fails is told by whoever asked.
          log: { level: ClickHouseLogLevel.OFF },
          compression: { request: true, response: false },
          // Shorter than the server's, or a request meets a connection that is just being closed.
          keep_alive: { enabled: true, idle_socket_ttl: 2000 },
        }),
      ),
    );
  }

  get shardCount(): number {
    return this.#clients.length;
  }

  /** Makes the tables that are missing, and adds the columns that a newer release stores. */
  async migrate(): Promise<void> {
    for (const client of this.#clients.flat()) {
      for (const query of createStatements(this.#options)) await command(client, query);
      const columns = await ask<{ table: string; name: string }>(
        client,
        `SELECT table, name FROM system.columns WHERE database = '${this.#options.database}'`,
      );
      const byTable = new Map<string, Set<string>>();
      for (const { table, name } of columns) byTable.set(table, (byTable.get(table) ?? new Set()).add(name));
      for (const query of missingColumnStatements(this.#options, byTable)) await command(client, query);
    }
  }

  /** Which table of which shard has this row: `2 mes_calls`. */
  targetOf({ name }: PbxIdentity, kind: KindName): string {
    return `${shardOf(pbxIdOf(name), this.shardCount)} ${tableOf(kind)}`;
  }

  toStored({ name, site }: PbxIdentity, { version, callStartedAtMs, cells }: FleetRow): StoredRow {
    const row: Record<string, string | number> = {
      pbx_id: pbxIdOf(name),
      pbx: name,
      site,
      row_version: version,
      call_started_at_ms: callStartedAtMs,
    };
    // 18.16 takes no null for a column: one that is left out has its default, which is null.
    for (const [column, value] of Object.entries(cells)) if (value !== null) row[storedName(column)] = value;
    return row;
  }

  /** Resolves when the shard has them. */
  async insert(target: string, rows: readonly StoredRow[]): Promise<void> {
    const [shard = '0', table = ''] = target.split(' ');
    const replicas = this.#clients[Number(shard)] ?? [];
    let last: unknown = new Error('there is no such shard');
    for (const client of replicas) {
      try {
        await client.insert({ table: `${this.#options.database}.${table}`, values: [...rows], format: 'JSONEachRow' });
        return;
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`ClickHouse does not take rows (${reasonOf(last)})`, { cause: last });
  }

  /** Asks every shard by itself, so that one that hangs hides no other. Rejects when none answers. */
  async ask<T>(query: string): Promise<Answered<T>> {
    const answers = await Promise.allSettled(this.#clients.map((replicas) => askOne<T>(replicas, query)));
    const given = answers.filter((answer) => answer.status === 'fulfilled');
    if (given.length === 0) {
      const [first] = answers;
      throw new Error(`ClickHouse does not answer (${reasonOf(first?.status === 'rejected' ? first.reason : null)})`);
    }
    return { rows: given.flatMap(({ value }) => value), shardsAnswered: given.length, shards: answers.length };
  }

  /** Drops the months that lie wholly before then. */
  async dropBefore(ms: number): Promise<void> {
    const { database } = this.#options;
    const date = new Date(ms);
    const firstKept = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
    for (const client of this.#clients.flat()) {
      for (const kind of KIND_NAMES) {
        const partitions = await ask<{ partition: string }>(
          client,
          `SELECT DISTINCT partition FROM system.parts WHERE active AND database = '${database}' AND table = '${tableOf(kind)}'`,
        );
        for (const { partition } of partitions) {
          if (Number(partition) < firstKept)
            await command(client, dropPartitionStatement(this.#options, kind, Number(partition)));
        }
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.flat().map((client) => client.close()));
  }
}

async function askOne<T>(replicas: readonly ClickHouseClient[], query: string): Promise<T[]> {
  let last: unknown;
  for (const client of replicas) {
    try {
      return await ask<T>(client, query);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

async function ask<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow', abort_signal: AbortSignal.timeout(ASK_WAIT_MS) });
  return result.json<T>();
}

async function command(client: ClickHouseClient, query: string): Promise<void> {
  await client.command({ query, abort_signal: AbortSignal.timeout(INSERT_WAIT_MS) });
}

/** 18.16's error text is `Code: N, e.displayText() = …`, which the client does not take apart. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = /\bCode: (\d+)/.exec(text)?.[1];
  return code === undefined ? text.slice(0, 120).replaceAll(/\s+/g, ' ') : `code ${code}`;
}
