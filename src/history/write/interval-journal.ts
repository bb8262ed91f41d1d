import type { Database, Statement } from 'better-sqlite3';
import { isTexts, NUMBER_BYTES, numbersIn, parsedJson, readTexts } from './journal-cells.ts';
import { countOf, INTERVAL_LAYOUT, type IntervalLayout, type PackedIntervals } from './packed-intervals.ts';
import { type Cell, INTERVAL_COLUMNS, type Row } from '../schema/rows.ts';

const LAYOUT = JSON.stringify(INTERVAL_LAYOUT);
const KEY = ['uniqueid', 'direction', 'report_number'];
const [UNIQUEID = -1, DIRECTION = -1, REPORT_NUMBER = -1] = KEY.map((name) => INTERVAL_COLUMNS.names.indexOf(name));

/**
 * Intervals as they are committed: many in one row of `interval_journal`, at a tenth of the cost, because those of one
 * moment are of as many channels and each would have a page of the table `intervals` written anew. `IntervalFolder` puts
 * them there later, many of a channel together.
 */
export class IntervalJournal {
  readonly #put: Statement;

  constructor(database: Database) {
    this.#put = database.prepare('INSERT INTO interval_journal (intervals, texts, layout, cells) VALUES (?, ?, ?, ?)');
  }

  add(piece: PackedIntervals): void {
    const { buffer, byteOffset, byteLength } = piece.values;
    this.#put.run(countOf(piece), JSON.stringify(piece.texts), LAYOUT, Buffer.from(buffer, byteOffset, byteLength));
  }
}

/** How many are in the journal. */
export function countIntervals(database: Database): number {
  return Number(database.prepare('SELECT coalesce(sum(intervals), 0) FROM interval_journal').pluck().get());
}

/** A row of `interval_journal`. */
export interface StoredPiece {
  readonly id: number;
  readonly intervals: number;
  readonly texts: string;
  readonly layout: string;
  readonly cells: Buffer;
}

/** Reads a row of the journal by the layout that it names: an older release's intervals may have had fewer columns. */
export class JournalPiece {
  readonly count: number;
  readonly #texts: readonly string[];
  readonly #numbers: Float64Array;
  readonly #layout: ReadableLayout;

  /** Throws RangeError with what is wrong when it cannot be read. */
  constructor({ intervals, texts, layout, cells }: StoredPiece) {
    this.#layout = layout === LAYOUT ? OWN_LAYOUT : readableLayout(readLayout(layout));
    this.#texts = readTexts(texts);
    this.count = intervals;
    const { width } = this.#layout;
    if (cells.length !== intervals * width * NUMBER_BYTES) {
      throw new RangeError(`${cells.length} bytes are not ${intervals} reports of ${width} numbers`);
    }
    this.#numbers = numbersIn(cells);
  }

  uniqueid(row: number): Cell {
    return this.#cell(row, UNIQUEID);
  }

  direction(row: number): Cell {
    return this.#cell(row, DIRECTION);
  }

  reportNumber(row: number): Cell {
    return this.#cell(row, REPORT_NUMBER);
  }

  /** Fills in the cells of `INTERVAL_COLUMNS`. */
  read(row: number, cells: Cell[]): void {
    for (let column = 0; column < INTERVAL_COLUMNS.names.length; column++) cells[column] = this.#cell(row, column);
  }

  /** By the names of the columns. */
  toRow(row: number): Row {
    return Object.fromEntries(INTERVAL_COLUMNS.names.map((name, column) => [name, this.#cell(row, column)]));
  }

  #cell(row: number, column: number): Cell {
    const { width, places, isText } = this.#layout;
    const place = places[column] ?? -1;
    if (place < 0) return null;
    const number = this.#numbers[row * width + place] ?? Number.NaN;
    if (Number.isNaN(number)) return null;
    return isText[column] === true ? (this.#texts[number] ?? null) : number;
  }
}

/** How many numbers an interval has; where among them each of our columns is, -1 for nowhere; and whether it is a text. */
interface ReadableLayout {
  readonly width: number;
  readonly places: readonly number[];
  readonly isText: readonly boolean[];
}

function readableLayout({ columns, texts }: IntervalLayout): ReadableLayout {
  const { names } = INTERVAL_COLUMNS;
  return {
    width: columns.length,
    places: names.map((name) => columns.indexOf(name)),
    isText: names.map((name) => texts.includes(name)),
  };
}

const OWN_LAYOUT = readableLayout(INTERVAL_LAYOUT);

function readLayout(json: string): IntervalLayout {
  const layout: unknown = parsedJson(json);
  const { columns, texts } = (layout ?? {}) as Partial<Record<keyof IntervalLayout, unknown>>;
  const isLayout = isTexts(columns) && isTexts(texts) && KEY.every((name) => columns.includes(name));
  if (!isLayout) throw new RangeError('it does not say which columns it has');
  return { columns, texts };
}

/** Finds intervals that are in the journal still. What of it cannot be read is passed over. */
export class JournalReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those of a channel, in the order in which they were stored. */
  of(uniqueid: string): Row[] {
    const named = this.#database.prepare<unknown[], StoredPiece>(
      'SELECT * FROM interval_journal WHERE instr(texts, ?) > 0 ORDER BY id',
    );
    return rowsOf(named.iterate(JSON.stringify(uniqueid)), (piece, row) => piece.uniqueid(row) === uniqueid);
  }

  /** Those of some channels with higher numbers than their directions are known to have; by `uniqueid direction`. */
  after(reports: ReadonlyMap<string, number>): Row[] {
    const all = this.#database.prepare<unknown[], StoredPiece>('SELECT * FROM interval_journal ORDER BY id');
    return rowsOf(all.iterate(), (piece, row) => {
      const known = reports.get(`${piece.uniqueid(row)} ${piece.direction(row)}`);
      return known !== undefined && Number(piece.reportNumber(row)) > known;
    });
  }
}

function rowsOf(stored: Iterable<StoredPiece>, isWanted: (piece: JournalPiece, row: number) => boolean): Row[] {
  const rows: Row[] = [];
  for (const one of stored) {
    try {
      const piece = new JournalPiece(one);
      for (let row = 0; row < piece.count; row++) if (isWanted(piece, row)) rows.push(piece.toRow(row));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return rows;
}
