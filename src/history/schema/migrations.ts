import type { Database } from 'better-sqlite3';
import { HistoryError } from '../history-error.ts';
import { CORE_STEPS } from './core.ts';
import { NUMBERED_STEPS } from './numbered-steps.ts';
import type { Features } from './feature.ts';
import { FEATURES } from './features.ts';
import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  type RecordColumns,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from './rows.ts';

/** Marks the file as ours ("MES1"), so that another program's database is never written to. */
const APPLICATION_ID = 0x4d45_5331;

/** Up to this one, the schema's number was that of its last step. */
export const LAST_NUMBERED_STEP = NUMBERED_STEPS.length;

/** The schema of this release and all later ones: `schema_steps` has the names of what was done to the database. */
export const NAMED_STEPS_SCHEMA = 8;

const NAMED_STEPS = `
  -- What was done to this database: steps of features by name and number, and added columns.
  CREATE TABLE schema_steps (
    name TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
`;

/** The tables that have a row of `rows.ts` each: a column that they lack is added. */
const RECORD_TABLES: Readonly<Record<string, Pick<RecordColumns<never>, 'names' | 'types'>>> = {
  calls: CALL_COLUMNS,
  channels: CHANNEL_COLUMNS,
  streams: STREAM_COLUMNS,
  segments: SEGMENT_COLUMNS,
  stored_intervals: INTERVAL_COLUMNS,
  // The view `intervals` has the columns of both by their places: they are added to both in the same order.
  recent_intervals: INTERVAL_COLUMNS,
};

/** A step that is done once to a database. */
interface Step {
  readonly name: string;
  readonly sql: string;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Called before each step on an older database: its number, counted from 1, and the number of all steps. */
export type OnStep = (step: number, steps: number) => void;

/**
 * Brings the database to this release's schema, each step in a transaction of its own. Throws HistoryError when the file belongs
 * to another program or was written by a newer release. `lastNumbered`: not further than to this number, as an older release
 * left it.
 */
export function migrate(
  database: Database,
  path: string,
  features: Features = FEATURES,
  lastNumbered: number = NAMED_STEPS_SCHEMA,
  onStep: OnStep = () => {},
): void {
  const version = numberOf(database.pragma('user_version', { simple: true }));
  const owner = numberOf(database.pragma('application_id', { simple: true }));
  const tables = numberOf(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (owner !== APPLICATION_ID && (tables > 0 || version !== 0)) {
    throw new HistoryError(`${path} is a database of another program; set another path in [history]`);
  }
  if (version > NAMED_STEPS_SCHEMA) throw newer(path, `schema ${version}`);
  if (version === NAMED_STEPS_SCHEMA) refuseNewer(database, path, features);

  const numbered = [...NUMBERED_STEPS, NAMED_STEPS];
  const named = version === NAMED_STEPS_SCHEMA ? stepsDone(database) : new Set<string>();
  const toDo = stepsOf(features).filter(({ name }) => !named.has(name));
  const steps = numbered.length - version + toDo.length;
  let step = 0;
  const begin = (): void => {
    step++;
    if (tables > 0) onStep(step, steps);
  };
  for (const [index, sql] of numbered.slice(0, lastNumbered).entries()) {
    if (index < version) continue;
    begin();
    const apply = database.transaction(() => {
      database.exec(sql);
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${index + 1}`);
    });
    apply.immediate();
  }
  if (lastNumbered < NAMED_STEPS_SCHEMA) return;
  for (const one of toDo) {
    begin();
    applySteps(database, [one]);
  }
  applySteps(database, missingColumns(database));
}

function applySteps(database: Database, steps: readonly Step[]): void {
  const note = database.prepare('INSERT INTO schema_steps (name) VALUES (?)');
  const apply = database.transaction(() => {
    for (const { name, sql } of steps) {
      database.exec(sql);
      note.run(name);
    }
  });
  if (steps.length > 0) apply.immediate();
}

function stepsDone(database: Database): Set<string> {
  return new Set(database.prepare<unknown[], string>('SELECT name FROM schema_steps').pluck().all());
}

function stepsOf(features: Features): Step[] {
  const all: Features = { core: { steps: CORE_STEPS }, ...features };
  return Object.entries(all).flatMap(([feature, { steps }]) =>
    steps.map((sql, index) => ({ name: `${feature} ${index + 1}`, sql })),
  );
}

/** A step for each column of a record's table, in case it is missing. The columns are nullable: older rows lack them. */
function columnsOf(table: string): Step[] {
  const { names = [], types = [] } = RECORD_TABLES[table] ?? {};
  return names.map((column, index) => ({
    name: `column ${table}.${column}`,
    sql: `ALTER TABLE ${table} ADD COLUMN ${column} ${types[index]}`,
  }));
}

function missingColumns(database: Database): Step[] {
  const inTable = database.prepare<unknown[], string>(`SELECT 'column ' || ? || '.' || name FROM pragma_table_info(?)`);
  return Object.keys(RECORD_TABLES).flatMap((table) => {
    const there = new Set(inTable.pluck().all(table, table));
    return columnsOf(table).filter(({ name }) => !there.has(name));
  });
}

/** Throws HistoryError when the database has unknown steps: this release would leave their columns empty. */
function refuseNewer(database: Database, path: string, features: Features): void {
  const known = new Set(
    [...stepsOf(features), ...Object.keys(RECORD_TABLES).flatMap(columnsOf)].map(({ name }) => name),
  );
  const unknown = [...stepsDone(database)].find((name) => !known.has(name));
  if (unknown !== undefined) throw newer(path, unknown);
}

function newer(path: string, what: string): HistoryError {
  return new HistoryError(
    `the history ${path} was written by a newer asterisk-mes (it has ${what}, which this one does not know); upgrade asterisk-mes, or set another path in [history]`,
  );
}
