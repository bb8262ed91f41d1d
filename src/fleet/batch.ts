import { type Cell, type ColumnType, type FleetRow, KINDS, type Kind, type KindName } from './kinds.ts';

/** Bound on the rows of one request. After a day's outage a PBX sends many requests. */
export const MOST_ROWS = 20_000;
const LONGEST_TEXT = 65_536;
const YEAR_MS = 366 * 86_400_000;
/** A PBX's clock may be ahead by this much. */
const CLOCK_SLACK_MS = 86_400_000;
/** The last moment of the year 9999. A later one is no date. */
const LAST_MS = 253_402_300_799_999;
/** Bound on the opinions, which come in hundredths, with room to spare. */
const MOST_COUNTS = 1024;
const IS_TIME = /(?:^|_)(?:at|since)_ms$/;
const DIRECTIONS: readonly unknown[] = ['rx', 'tx'];

/** A row, and the number that its PBX gave it. */
export interface SequencedRow extends FleetRow {
  readonly sequence: number;
}

/** Why a batch is refused: one sentence for whoever runs the PBX. Nothing of the batch is stored. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
}

export interface BatchEnd {
  readonly count: number;
  /** The sequence of the last row, which is acknowledged when all rows are stored. */
  readonly lastSequence: number;
  /** Columns that this gateway does not know, because the PBX has a newer release. Their values are left out. */
  readonly unknownColumns: ReadonlySet<string>;
}

/** A batch's text: one row a line, as `readBatch` takes it. */
export function writeBatch(rows: readonly SequencedRow[]): string {
  return rows
    .map(({ sequence, kind, version, callStartedAtMs, cells }) =>
      JSON.stringify({ sequence, kind, version, call_started_at_ms: callStartedAtMs, row: cells }),
    )
    .join('\n');
}

/**
 * Reads and checks every row, and gives each to `take`: all of them at once, as objects, would take ten times the memory of
 * their text. Throws BatchError, which names the line; then nothing of what was taken may be stored.
 */
export function readBatch(text: string, nowMs: number, take: (row: SequencedRow) => void): BatchEnd {
  const unknownColumns = new Set<string>();
  let lastSequence = -1;
  let count = 0;
  let number = 0;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at += line.length + 1;
    number++;
    if (line === '') continue;
    if (++count > MOST_ROWS) throw new BatchError(`more than ${MOST_ROWS} rows; send them in parts`);
    const row = readRow(line, number, nowMs, unknownColumns);
    if (row.sequence <= lastSequence) throw new BatchError(`line ${number}: its sequence is not above the one before`);
    lastSequence = row.sequence;
    take(row);
  }
  if (count === 0) throw new BatchError('there is no row; send at least one line');
  return { count, lastSequence, unknownColumns };
}

function readRow(line: string, number: number, nowMs: number, unknownColumns: Set<string>): SequencedRow {
  const refuse = (why: string): never => {
    throw new BatchError(`line ${number}: ${why}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return refuse('it is no JSON; was the request cut short?');
  }
  if (!isObject(parsed)) return refuse('it is no object');
  const { sequence, kind, version, call_started_at_ms: callStartedAtMs, row, ...more } = parsed;
  const [surplus] = Object.keys(more);
  if (surplus !== undefined)
    return refuse(`"${surplus.slice(0, 40)}" is not allowed; whose rows these are the token says`);
  if (!isCount(sequence)) return refuse('sequence is no whole number');
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
    return refuse('its kind is not known; is this gateway older than the PBX?');
  if (!isCount(version)) return refuse('version is no whole number');
  if (!isCount(callStartedAtMs)) return refuse('call_started_at_ms is no whole number');
  if (callStartedAtMs > nowMs + CLOCK_SLACK_MS) return refuse("the call began in the future; set the PBX's clock");
  if (callStartedAtMs < nowMs - 10 * YEAR_MS)
    return refuse("the call began more than ten years ago; set the PBX's clock");
  if (version > nowMs + CLOCK_SLACK_MS) return refuse("its version is of the future; set the PBX's clock");
  if (!isObject(row)) return refuse('row is no object');
  const name = kind as KindName;
  const cells = readCells(row, KINDS[name], unknownColumns, refuse);
  const stamped = name === 'heartbeats' ? { ...cells, heard_at_ms: Math.round(nowMs) } : cells;
  return { sequence, kind: name, version, callStartedAtMs, cells: stamped };
}

/** What a column's value has to be. */
interface ColumnTest {
  readonly isRight: (value: unknown) => boolean;
  readonly word: string;
  readonly isTime: boolean;
}

type Checked = Pick<Kind, 'columns' | 'key' | 'required'>;

/** What of a kind is asked of each row; made once. */
interface KindTests {
  readonly columns: Readonly<Record<string, ColumnTest>>;
  readonly needed: readonly string[];
}

const TESTS = new WeakMap<Checked, KindTests>();

function testsOf(kind: Checked): KindTests {
  let tests = TESTS.get(kind);
  if (tests === undefined) {
    const columns: Record<string, ColumnTest> = Object.create(null) as Record<string, ColumnTest>;
    for (const [name, type] of kind.columns)
      columns[name] = { isRight: TYPE_TESTS[type], word: TYPE_WORDS[type], isTime: IS_TIME.test(name) };
    tests = { columns, needed: [...kind.key, ...kind.required] };
    TESTS.set(kind, tests);
  }
  return tests;
}

/** Checks the cells of one row, and leaves out columns that are not known; `refuse` throws a BatchError that says of which row. */
export function readCells(
  row: Readonly<Record<string, unknown>>,
  kind: Checked,
  unknownColumns: Set<string>,
  refuse: (why: string) => never,
): Readonly<Record<string, Cell>> {
  const { columns, needed } = testsOf(kind);
  let isKnown = true;
  for (const name in row) {
    const value = row[name];
    const test = columns[name];
    if (test === undefined) {
      if (name === 'pbx' || name === 'site') refuse(`a row may not say its ${name}; the token does`);
      unknownColumns.add(name.slice(0, 60));
      isKnown = false;
    } else if (value !== null) {
      if (!test.isRight(value)) refuse(`${name} is no ${test.word}`);
      if (test.isTime && ((value as number) < 0 || (value as number) > LAST_MS)) refuse(`${name} is no time`);
    }
  }
  const cells = (
    isKnown ? row : Object.fromEntries(Object.entries(row).filter(([name]) => columns[name] !== undefined))
  ) as Readonly<Record<string, Cell>>;
  for (const name of needed) if ((cells[name] ?? null) === null) refuse(`${name} is missing`);
  if (columns['direction'] !== undefined && !DIRECTIONS.includes(cells['direction']))
    refuse('direction is neither rx nor tx');
  const { score_hundredths: scores, score_calls: calls } = cells;
  const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);
  if (columns['score_calls'] !== undefined && lengthOf(scores) !== lengthOf(calls))
    refuse('score_calls has not one number for each of score_hundredths');
  return cells;
}

/** ClickHouse refuses a whole block, with other PBXs' rows in it, for one cell that does not fit its column's type. */
const TYPE_TESTS: Readonly<Record<ColumnType, (value: unknown) => boolean>> = {
  TEXT: (value) => typeof value === 'string' && value.length <= LONGEST_TEXT && value.isWellFormed(),
  REAL: (value) => Number.isFinite(value),
  INTEGER: (value) => Number.isSafeInteger(value),
  COUNTS: (value) => Array.isArray(value) && value.length <= MOST_COUNTS && value.every(Number.isSafeInteger),
};
const TYPE_WORDS: Readonly<Record<ColumnType, string>> = {
  TEXT: 'text, or too long',
  REAL: 'number',
  INTEGER: 'whole number',
  COUNTS: 'list of whole numbers',
};

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
