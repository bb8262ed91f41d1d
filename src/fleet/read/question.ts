import type { KindName } from '../kinds.ts';
import { type FleetStore, StoreError } from '../store.ts';
import { namesOf, type Scope, scopeTest } from './scope.ts';
import { allOf, newest, window } from './sql.ts';

/** How many shards answered, of how many. */
export interface Shards {
  readonly answered: number;
  readonly of: number;
}

/** Asks the store within one scope. Remembers how complete the answers were. */
export class Question {
  readonly database: string;
  /** The scope as a condition in SQL. */
  readonly mine: string;
  readonly #store: Pick<FleetStore, 'ask'>;
  readonly #names: readonly string[] | undefined;
  #shards: Shards | null = null;
  /** True: an answer that lacks a shard is an error. */
  isStrict = false;

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope) {
    this.#store = store;
    this.database = database;
    this.mine = scopeTest(scope);
    this.#names = namesOf(scope);
  }

  /** The least complete answer so far; null: nothing was asked. */
  get shards(): Shards | null {
    return this.#shards;
  }

  /** Rows of all shards, one shard after the other. Rejects with StoreError. */
  async ask<T>(sql: string): Promise<readonly T[]> {
    if (this.#names?.length === 0) return [];
    const { rows, shardsAnswered: answered, shards: of } = await this.#store.ask<T>(sql, this.#names);
    if (this.isStrict && answered < of)
      throw new StoreError(`only ${answered} of ${of} shards answered`, 'gone', undefined);
    const missing = this.#shards === null ? -1 : this.#shards.of - this.#shards.answered;
    if (of - answered > missing) this.#shards = { answered, of };
    return rows;
  }

  /**
   * SQL for the newest version of the rows of calls that began in a range. `sieve` is tested on older versions, too, so test it
   * again outside.
   */
  newest(
    kind: KindName,
    columns: string,
    range: { readonly fromMs: number; readonly toMs: number },
    sieve = '',
  ): string {
    return newest(this.database, kind, columns, allOf(window(range), this.mine, sieve));
  }

  /** A condition in SQL that leaves out calls which were joined into others after they had been shipped. */
  isNoAlias(range: { readonly fromMs: number; readonly toMs: number }): string {
    // The call that it was joined into may have begun earlier or later.
    const wide = { fromMs: range.fromMs - ALIAS_SLACK_MS, toMs: range.toMs + ALIAS_SLACK_MS };
    return `(pbx, linkedid) NOT IN (SELECT pbx, from_linkedid FROM ${this.database}.mes_aliases
      WHERE ${allOf(window(wide), this.mine)})`;
  }
}

const ALIAS_SLACK_MS = 86_400_000;
