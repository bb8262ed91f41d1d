import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client';
import {
  createStatements,
  dropPartitionStatement,
  isPartitionBefore,
  keepAlertsStatement,
  missingColumnStatements,
  type StoreLayout,
  type TableName,
  tableOf,
  WATCH,
} from './ddl.ts';
import { type AnyKindName, KIND_NAMES, LIVE_KINDS, type LiveKindName } from './kinds.ts';
import { pbxIdOf, shardOf } from './shard.ts';
import { insertStatement, type PbxIdentity, type StoredRows } from './stored-rows.ts';

const INSERT_WAIT_MS = 20_000;
const DDL_WAIT_MS = 60_000;
const DAY_MS = 86_400_000;
/** How long to wait beyond the time that ClickHouse allows a question. After that, it hangs. */
const HANG_MS = 2000;
/** A server that did not answer is left alone for so long, if another has the same rows. */
const REST_AFTER_FAILURE_MS = 5000;

/** How much of ClickHouse one question may take. */
export interface QueryBounds {
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly rows: number;
}

export interface StoreOptions extends StoreLayout {
  readonly bounds?: QueryBounds;
  /**
   * The shards in the order in which the cluster names them. Each has the addresses of its replicas; the first that answers is
   * used.
   */
  readonly shards: readonly (readonly string[])[];
  readonly username: string;
  readonly password: string;
}

const BOUNDS: QueryBounds = { seconds: 10, memoryBytes: 2_000_000_000, rows: 2_000_000_000 };
/** ClickHouse's codes for a question beyond its bounds: time, rows (two codes), bytes or rows, memory, too slow. */
const BEYOND_BOUNDS: ReadonlySet<number> = new Set([158, 159, 160, 241, 307, 396]);

/** The store does not answer; the message is one sentence. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** `too-large`: the answer would take too much. A shorter time or fewer PBXs may do. */
  readonly why: 'gone' | 'too-large';

  constructor(message: string, why: StoreError['why'], cause: unknown) {
    super(message, { cause });
    this.why = why;
  }
}

/** An answer, and how many shards gave their part of it. */
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
  /** Until when a server is left alone, by `performance.now()`. */
  readonly #restsUntilMs = new Map<ClickHouseClient, number>();

  constructor(options: StoreOptions) {
    this.#options = options;
    const { username, password } = options;
    this.#clients = options.shards.map((replicas) =>
      replicas.map((url) =>
        createClient({
          url,
          username,
          password,
          // Each request but an insert has a shorter limit of its own.
          request_timeout: INSERT_WAIT_MS,
          // It would write to the console. Whoever asked logs the failure.
          log: { level: ClickHouseLogLevel.OFF },
          // The gateway is beside its store. Packing rows would take as much processor time as everything else that it does.
          compression: { request: false, response: false },
          // Shorter than the server's: otherwise a request could meet a connection that is just being closed.
          keep_alive: { enabled: true, idle_socket_ttl: 2000 },
        }),
      ),
    );
  }

  get shardCount(): number {
    return this.#clients.length;
  }

  /** Creates missing tables, and adds the columns of a newer release. */
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

  /** The shard and the kind of this row: `2 calls`. */
  targetOf({ name }: PbxIdentity, kind: AnyKindName): string {
    return `${shardOf(pbxIdOf(name), this.shardCount)} ${kind}`;
  }

  /** Resolves when the shard has the rows. */
  async insert(target: string, rows: readonly StoredRows[]): Promise<void> {
    const [shard = '0', kind = ''] = target.split(' ');
    const statement = insertStatement(this.#options.database, kind as AnyKindName);
    try {
      await this.#firstOf(Number(shard), (client) => written(client, statement, rows));
    } catch (error) {
      throw new StoreError(`ClickHouse does not take rows (${reasonOf(error)})`, 'gone', error);
    }
  }

  /**
   * Asks the shards that have rows of these PBXs, or all. Each is asked by itself, so that one that hangs hides no other. Rejects
   * with StoreError if none answers, or if the question is too large for one.
   */
  async ask<T>(query: string, pbxs?: readonly string[]): Promise<Answered<T>> {
    const all = this.#clients.map((_, shard) => shard);
    const wanted = pbxs === undefined ? all : [...new Set(pbxs.map((name) => shardOf(pbxIdOf(name), all.length)))];
    const answers = await Promise.allSettled(wanted.map((shard) => this.#askShard<T>(shard, query)));
    for (const answer of answers) {
      if (answer.status === 'rejected' && BEYOND_BOUNDS.has(codeOf(answer.reason) ?? 0)) {
        const { seconds } = this.#options.bounds ?? BOUNDS;
        throw new StoreError(
          `this question is too much for ClickHouse (${reasonOf(answer.reason)}; it may take ${seconds} s); ask for a shorter time or fewer PBXs`,
          'too-large',
          answer.reason,
        );
      }
    }
    const given = answers.filter((answer) => answer.status === 'fulfilled');
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (given.length === 0 && failed !== undefined) {
      throw new StoreError(`ClickHouse does not answer (${reasonOf(failed.reason)})`, 'gone', failed.reason);
    }
    return { rows: given.flatMap(({ value }) => value), shardsAnswered: given.length, shards: answers.length };
  }

  /** Asks the first shard, which has what gateways know together. Rejects with StoreError. */
  async askFirst<T>(query: string): Promise<readonly T[]> {
    try {
      return await this.#askShard<T>(0, query);
    } catch (error) {
      throw new StoreError(`ClickHouse does not answer (${reasonOf(error)})`, 'gone', error);
    }
  }

  /** Stores on the first shard. Rejects with StoreError. */
  async insertFirst(statement: string, bytes: Buffer): Promise<void> {
    try {
      await this.#firstOf(0, (client) => written(client, statement, [{ bytes, count: 1 }]));
    } catch (error) {
      throw new StoreError(`ClickHouse does not take what alerts say (${reasonOf(error)})`, 'gone', error);
    }
  }

  async #askShard<T>(shard: number, query: string): Promise<T[]> {
    const { seconds, memoryBytes, rows } = this.#options.bounds ?? BOUNDS;
    const settings = {
      max_execution_time: seconds,
      max_memory_usage: String(memoryBytes),
      max_rows_to_read: String(rows),
      output_format_json_quote_64bit_integers: 0,
      // Keeps conditions where they are written: outside of the choice of the newest version.
      enable_optimize_predicate_expression: 0,
    } as const;
    return this.#firstOf(shard, (client) => ask<T>(client, query, seconds * 1000 + HANG_MS, settings));
  }

  /**
   * The answer of a shard's first replica that gives one. A replica that just failed is asked last. Rejects with the last one's
   * error.
   */
  async #firstOf<T>(shard: number, work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    const nowMs = performance.now();
    const rests = (client: ClickHouseClient): number => Number((this.#restsUntilMs.get(client) ?? 0) > nowMs);
    let last: unknown = new Error('there is no such shard');
    for (const client of (this.#clients[shard] ?? []).toSorted((one, other) => rests(one) - rests(other))) {
      try {
        const answer = await work(client);
        this.#restsUntilMs.delete(client);
        return answer;
      } catch (error) {
        last = error;
        // It would be too large for another replica as well.
        if (BEYOND_BOUNDS.has(codeOf(error) ?? 0)) break;
        this.#restsUntilMs.set(client, performance.now() + REST_AFTER_FAILURE_MS);
      }
    }
    throw last;
  }

  /** Drops the weeks, and for sums the months, that end before `ms`. */
  async dropBefore(ms: number): Promise<void> {
    await this.#dropPartitions(KIND_NAMES, ms);
  }

  /** Drops live data from before `ms`. */
  async dropLiveBefore(ms: number): Promise<void> {
    await this.#dropPartitions(Object.keys(LIVE_KINDS) as LiveKindName[], ms);
  }

  /** Drops the months of alerts and their messages that end before `ms`. An alert that goes on is kept. */
  async dropWatchBefore(ms: number): Promise<void> {
    for (const client of this.#clients.flat()) {
      const months = await this.#partitionsBefore(client, WATCH, ms);
      if (months.length === 0) continue;
      // A day later, ClickHouse is in a month that stays, whatever its time zone is.
      await command(client, keepAlertsStatement(this.#options, months, ms + DAY_MS));
      await this.#drop(client, WATCH, months);
    }
  }

  async #dropPartitions(kinds: readonly AnyKindName[], beforeMs: number): Promise<void> {
    for (const client of this.#clients.flat()) {
      for (const kind of kinds) await this.#drop(client, kind, await this.#partitionsBefore(client, kind, beforeMs));
    }
  }

  /** The oldest first: the end of an alert must not go before its beginning. */
  async #partitionsBefore(client: ClickHouseClient, kind: TableName, ms: number): Promise<number[]> {
    const found = await ask<{ partition: string }>(
      client,
      `SELECT DISTINCT partition FROM system.parts
        WHERE active AND database = '${this.#options.database}' AND table = '${tableOf(kind)}'`,
    );
    return found
      .map(({ partition }) => Number(partition))
      .filter((partition) => isPartitionBefore(kind, partition, ms))
      .toSorted((one, other) => one - other);
  }

  async #drop(client: ClickHouseClient, kind: TableName, partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) await command(client, dropPartitionStatement(this.#options, kind, partition));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.flat().map((client) => client.close()));
  }
}

async function ask<T>(
  client: ClickHouseClient,
  query: string,
  waitMs = DDL_WAIT_MS,
  settings: ClickHouseSettings = {},
): Promise<T[]> {
  const result = await client.query({
    query,
    format: 'JSONEachRow',
    clickhouse_settings: settings,
    abort_signal: AbortSignal.timeout(waitMs),
  });
  return result.json<T>();
}

async function written(client: ClickHouseClient, query: string, rows: readonly StoredRows[]): Promise<void> {
  const bytes = rows.map((some) => some.bytes);
  const { stream } = await client.exec({ query, values: Readable.from(bytes, { objectMode: false }) });
  // The answer is empty, but the connection is free only after it was read.
  for await (const _ of stream);
}

async function command(client: ClickHouseClient, query: string): Promise<void> {
  await client.command({ query, abort_signal: AbortSignal.timeout(DDL_WAIT_MS) });
}

/** 18.16's error text is `Code: N, e.displayText() = …`, which the client does not take apart. */
function codeOf(error: unknown): number | undefined {
  const { message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : { message: '', code: '' };
  const found = /\bCode: (\d+)/.exec(message)?.[1] ?? /^\d+$/.exec(String(code))?.[0];
  return found === undefined ? undefined : Number(found);
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined) return `code ${code}`;
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.slice(0, 120).replaceAll(/\s+/g, ' ');
}
