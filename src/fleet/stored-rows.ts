import { storedName, tableOf } from './ddl.ts';
import { ALL_KINDS, type AnyKindName, type Cell, type FleetRow, type Kind } from './kinds.ts';
import { pbxIdOf } from './shard.ts';

/** Whose rows these are: the token says so, never a row. */
export interface PbxIdentity {
  readonly name: string;
  readonly site: string;
}

/** Rows as ClickHouse reads them, as bytes. They wait outside of the heap, where objects would be ten times as much. */
export interface StoredRows {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Text of this length is moved out of the heap. */
const CHUNK_CHARACTERS = 65_536;

/** Gathers lines by where they are to be stored. */
export class LineGatherer {
  readonly #open = new Map<string, { text: string; count: number }>();
  readonly #done = new Map<string, StoredRows[]>();

  add(target: string, line: string): void {
    let open = this.#open.get(target);
    if (open === undefined) this.#open.set(target, (open = { text: '', count: 0 }));
    open.text += line;
    open.count++;
    if (open.text.length >= CHUNK_CHARACTERS) this.#close(target, open);
  }

  /** All lines; nothing may be added afterwards. */
  end(): ReadonlyMap<string, readonly StoredRows[]> {
    for (const [target, open] of this.#open) this.#close(target, open);
    return this.#done;
  }

  #close(target: string, { text, count }: { readonly text: string; readonly count: number }): void {
    this.#open.delete(target);
    const done = this.#done.get(target) ?? [];
    this.#done.set(target, done);
    done.push({ bytes: Buffer.from(text), count });
  }
}

interface Form {
  readonly columns: readonly (readonly [name: string, whenUnknown: string])[];
  readonly statement: string;
}

/**
 * Lines of TabSeparated: writing one takes a third of the time of a line of JSONEachRow, and reading it half of ClickHouse's
 * (`npm run bench -- fleet`).
 */
const FORMS: Readonly<Record<string, Form>> = Object.fromEntries(
  Object.entries<Kind>(ALL_KINDS).map(([kind, { columns }]) => [
    kind,
    {
      // A list is never null.
      columns: [...columns].map(([name, type]) => [name, type === 'COUNTS' ? '\t[]' : '\t\\N'] as const),
      statement: `(${['pbx_id', 'pbx', 'site', 'row_version', 'call_started_at_ms', ...[...columns.keys()].map(storedName)].join(', ')}) FORMAT TabSeparated`,
    },
  ]),
);

/** What comes before the lines of one kind. */
export function insertStatement(database: string, kind: AnyKindName): string {
  return `INSERT INTO ${database}.${tableOf(kind)} ${FORMS[kind]?.statement ?? ''}`;
}

/** Writes rows of one PBX: a line each, with its end. Each cell must have been checked (batch.ts). */
export function lineWriter({ name, site }: PbxIdentity): (row: FleetRow<AnyKindName>) => string {
  const whose = `${pbxIdOf(name)}\t${escaped(name)}\t${escaped(site)}`;
  return ({ kind, version, callStartedAtMs, cells }) => {
    let line = `${whose}\t${version}\t${callStartedAtMs}`;
    for (const [column, whenUnknown] of FORMS[kind]?.columns ?? []) line += written(cells[column], whenUnknown);
    return `${line}\n`;
  };
}

function written(cell: Cell | undefined, whenUnknown: string): string {
  if (cell === undefined || cell === null) return whenUnknown;
  if (typeof cell === 'string') return `\t${escaped(cell)}`;
  return typeof cell === 'number' ? `\t${cell}` : `\t[${cell.join(',')}]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
};

function escaped(text: string): string {
  return /[\\\t\n\r\0]/.test(text) ? text.replaceAll(/[\\\t\n\r\0]/g, (one) => ESCAPES[one] ?? one) : text;
}
