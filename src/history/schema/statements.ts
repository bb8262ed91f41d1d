import type { Database, Statement } from 'better-sqlite3';

/** A database's statements, each prepared when it is first needed. */
export class Statements {
  readonly database: Database;
  readonly #known = new Map<string, Statement>();

  constructor(database: Database) {
    this.database = database;
  }

  /**
   * Returns how many rows it changed. Parameters one by one: those of an array are each looked up by name, half as long
   * again.
   */
  run(sql: string, ...parameters: unknown[]): number {
    return this.prepared(sql).run(...parameters).changes;
  }

  prepared(sql: string): Statement {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    this.#known.set(sql, statement);
    return statement;
  }
}
