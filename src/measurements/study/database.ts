import Sqlite, { type Database } from 'better-sqlite3';
import type { MeasurementDocument } from '../format/document.ts';
import {
  ANSWER_FIELDS,
  type Fields,
  LEG_FIELDS,
  POINT_FIELDS,
  RATING_FIELDS,
  STREAM_FIELDS,
} from '../format/fields.ts';
import { errorText } from '../../units/error-text.ts';

/** Marks the file as ours in its header. */
const APPLICATION_ID = 0x6d65_7374;

/** A table for each part of a document; the columns are those of the table of fields. */
const TABLES: Readonly<Record<string, Fields>> = {
  legs: LEG_FIELDS,
  streams: STREAM_FIELDS,
  course: POINT_FIELDS,
  ratings: RATING_FIELDS,
  answers: ANSWER_FIELDS,
};

export interface LoadedFile {
  readonly name: string;
  /** Hash of the bytes: the same file may come under two names. */
  readonly digest: string;
}

/** The opened documents as tables for SQL. */
export class StudyDatabase {
  readonly #database: Database;

  /** Opens the file, or makes it (mode 0600). Throws an Error of one sentence when it is no study. */
  constructor(path: string, options: { readonly readonly?: boolean } = {}) {
    try {
      this.#database = new Sqlite(path, {
        readonly: options.readonly === true,
        fileMustExist: options.readonly === true,
      });
      this.#prepare(path, options.readonly === true);
    } catch (error) {
      throw new Error(
        `${path} cannot be opened as a study (${errorText(error)}); name a file that "asterisk-mes open" has written`,
        { cause: error },
      );
    }
  }

  #prepare(path: string, isReadonly: boolean): void {
    const id = this.#database.pragma('application_id', { simple: true });
    if (id === APPLICATION_ID) return;
    const tables = this.#database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as {
      readonly count: number;
    };
    if (isReadonly || tables.count > 0) throw new Error(`${path} is another database`);
    const columns = (fields: Fields): string =>
      Object.keys(fields)
        .map((name) => `"${name}"`)
        .join(', ');
    this.#database.transaction(() => {
      this.#database.exec(
        'CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, forget TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0)',
      );
      this.#database.exec(
        'CREATE INDEX files_by_digest ON files (digest); CREATE INDEX files_by_token ON files (forget)',
      );
      this.#database.exec('CREATE TABLE tokens (hash TEXT PRIMARY KEY)');
      for (const [table, fields] of Object.entries(TABLES)) {
        this.#database.exec(
          `CREATE TABLE ${table} (file_id INTEGER NOT NULL REFERENCES files (id), ${columns(fields)})`,
        );
        this.#database.exec(`CREATE INDEX ${table}_by_file ON ${table} (file_id)`);
      }
      this.#database.exec('CREATE INDEX legs_by_call ON legs (call); CREATE INDEX ratings_by_call ON ratings (call)');
      this.#database.pragma(`application_id = ${APPLICATION_ID}`);
    })();
  }

  hasFile(name: string): boolean {
    return this.#database.prepare('SELECT 1 FROM files WHERE name = ?').get(name) !== undefined;
  }

  /**
   * Loads a document. `double`: the same bytes were loaded before. `deleted`: its sender wants it deleted, so it is not loaded.
   */
  load(file: LoadedFile, document: MeasurementDocument): 'loaded' | 'double' | 'deleted' {
    return this.#database.transaction(() => {
      const isDouble = this.#database.prepare('SELECT 1 FROM files WHERE digest = ?').get(file.digest) !== undefined;
      const isDeleted =
        this.#database.prepare('SELECT 1 FROM tokens WHERE hash = ?').get(document.forget) !== undefined;
      const { lastInsertRowid } = this.#database
        .prepare('INSERT INTO files (name, digest, forget, deleted) VALUES (?, ?, ?, ?)')
        .run(file.name, file.digest, document.forget, isDeleted ? 1 : 0);
      if (isDeleted) return 'deleted';
      if (isDouble) return 'double';
      this.#insert(document.kind === 'leg' ? 'legs' : 'ratings', lastInsertRowid, document);
      if (document.kind === 'leg') {
        for (const stream of document.streams) this.#insert('streams', lastInsertRowid, stream);
        for (const point of document.course) this.#insert('course', lastInsertRowid, point);
      } else {
        for (const answer of document.answers) this.#insert('answers', lastInsertRowid, answer);
      }
      return 'loaded';
    })();
  }

  /** Deletes all documents with this token hash, and refuses later ones. Returns the names of their files. */
  forget(tokenHash: string): string[] {
    return this.#database.transaction(() => {
      this.#database.prepare('INSERT OR IGNORE INTO tokens (hash) VALUES (?)').run(tokenHash);
      const files = this.#database
        .prepare('SELECT id, name FROM files WHERE forget = ? AND deleted = 0')
        .all(tokenHash) as {
        readonly id: number;
        readonly name: string;
      }[];
      for (const { id } of files) {
        for (const table of Object.keys(TABLES))
          this.#database.prepare(`DELETE FROM ${table} WHERE file_id = ?`).run(id);
        this.#database.prepare('UPDATE files SET deleted = 1 WHERE id = ?').run(id);
      }
      return files.map(({ name }) => name);
    })();
  }

  all<Row>(sql: string): Row[] {
    return this.#database.prepare(sql).all() as Row[];
  }

  close(): void {
    this.#database.close();
  }

  #insert(table: string, fileId: number | bigint, values: object): void {
    const names = Object.keys(TABLES[table] ?? {});
    const cells = names.map((name) => cell((values as Readonly<Record<string, unknown>>)[name]));
    this.#database
      .prepare(
        `INSERT INTO ${table} (file_id, ${names.map((name) => `"${name}"`).join(', ')}) VALUES (?${', ?'.repeat(names.length)})`,
      )
      .run(fileId, ...cells);
  }
}

function cell(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) ? JSON.stringify(value) : (value ?? null);
}
