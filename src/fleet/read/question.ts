import type { KindName } from '../kinds.ts';
import { type FleetStore, StoreError } from '../store.ts';
import { namesOf, type Scope, scopeTest } from './scope.ts';
import { allOf, newest, window } from './sql.ts';

/** How many shards gave their part of an answer. */
export interface Shards {
  readonly answered: number;
  readonly of: number;
}

/** Asks the store within one scope, and remembers how whole the answers were. */
export class Question {
  readonly database: string;
  /** The scope as a condition. */
  readonly mine: string;
  readonly #store: Pick<FleetStore, 'ask'>;
  readonly #names: readonly string[] | undefined;
  #shards: Shards | null = null;
  /** A part of an answer is none. */
  isStrict = false;

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope) {
    this.#store = store;
    this.database = database;
    this.mine = scopeTest(scope);
    this.#names = namesOf(scope);
  }

  /** Of the least whole answer so far; null: nothing was asked. */
  get shards(): Shards | null {
    return this.#shards;
  }

  /** Rows of all shards, one shard's after the other's. Rejects with StoreError. */
  async ask<T>(sql: string): Promise<readonly T[]> {
    if (this.#names?.length === 0) return [];
    const { rows, shardsAnswered: answered, shards: of } = await this.#store.ask<T>(sql, this.#names);
    if (this.isStrict && answered < of)
      throw new StoreError(`only ${answered} of ${of} shards answered`, 'gone', undefined);
    const missing = this.#shards === null ? -1 : this.#shards.of - this.#shards.answered;
    if (of - answered > missing) this.#shards = { answered, of };
    return rows;
  }

  /** The newest version of the rows of calls that began in a range, with a first sieve. */
  newest(
    kind: KindName,
    columns: string,
    range: { readonly fromMs: number; readonly toMs: number },
    sieve = '',
  ): string {
    return newest(this.database, kind, columns, allOf(window(range), this.mine, sieve));
  }

  /** Leaves out calls that were joined into others after they had been shipped. */
  isNoAlias(range: { readonly fromMs: number; readonly toMs: number }): string {
    // The call that it was joined into may have begun earlier or later.
    const wide = { fromMs: range.fromMs - ALIAS_SLACK_MS, toMs: range.toMs + ALIAS_SLACK_MS };
    return `(pbx, linkedid) NOT IN (SELECT pbx, from_linkedid FROM ${this.database}.mes_aliases
      WHERE ${allOf(window(wide), this.mine)})`;
  }
}

const ALIAS_SLACK_MS = 86_400_000;
