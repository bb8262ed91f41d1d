import type { Database, Statement } from 'better-sqlite3';
import { isAboutTheChange, reasonOf } from '../history-error.ts';
import { countIntervals, JournalPiece, type StoredPiece } from './interval-journal.ts';
import type { MoveResult } from '../thread/protocol.ts';
import { type Cell, INTERVAL_COLUMNS } from '../schema/rows.ts';
import { upsert } from './upsert.ts';

/**
 * So many are sorted and written together: the more, the fewer pages are written twice, and the more memory it takes: 1 MB,
 * and as much again until that is collected.
 */
const WINDOW_INTERVALS = 4000;
/** One step writes for about so long, and a commit waits for it. */
const STEP_MS = 20;
/** How often it looks at the clock. */
const LOOK_EVERY = 8;

const PUT_INTERVAL = upsert('intervals', ['uniqueid', 'direction', 'report_number'], INTERVAL_COLUMNS.names);

/** The oldest rows of the journal, and where in them the intervals are, in the order of the table. */
interface Window {
  readonly ids: readonly number[];
  readonly places: readonly { readonly piece: JournalPiece; readonly row: number }[];
  /** So many of `places` are done. */
  readonly done: number;
  /** Intervals of rows that cannot be read. */
  readonly unreadable: number;
  /** Those, and the ones that the table refused; and why, of the last. */
  readonly rejected: number;
  readonly rejection: string | null;
}

/**
 * Moves intervals from the journal into the table `intervals`, in steps. The journal's rows are deleted in the transaction
 * that writes the last of them; if that never comes, all are written once more, which changes nothing.
 */
export class IntervalFolder {
  readonly #database: Database;
  readonly #putInterval: Statement;
  readonly #cells: Cell[] = INTERVAL_COLUMNS.names.map(() => null);
  readonly #nowMs: () => number;
  #window: Window | undefined;

  /** `nowMs` is of any clock. */
  constructor(database: Database, nowMs = () => performance.now()) {
    this.#database = database;
    this.#nowMs = nowMs;
    this.#putInterval = database.prepare(PUT_INTERVAL);
  }

  /** Moves some of them, the oldest. */
  step(): MoveResult {
    const window = this.#window ?? this.#load();
    const nothing = { moved: 0, rejected: 0, rejection: null };
    if (window.ids.length === 0) return { ...nothing, left: 0 };
    const next = this.#database.transaction(() => this.#advance(window)).immediate();
    const left = countIntervals(this.#database);
    this.#window = next === undefined || next.done === next.places.length ? undefined : next;
    if (next === undefined) return { ...nothing, left };
    const moved = next.done - window.done;
    if (this.#window !== undefined) return { ...nothing, moved, left };
    const { unreadable, rejected, rejection } = next;
    return { moved: moved + unreadable, rejected, rejection, left };
  }

  #load(): Window {
    const stored = this.#database.prepare<unknown[], StoredPiece>('SELECT * FROM interval_journal ORDER BY id');
    const ids: number[] = [];
    const pieces: JournalPiece[] = [];
    let [count, unreadable] = [0, 0];
    let rejection: string | null = null;
    for (const one of stored.iterate()) {
      if (count + one.intervals > WINDOW_INTERVALS && ids.length > 0) break;
      ids.push(one.id);
      count += one.intervals;
      try {
        pieces.push(new JournalPiece(one));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        unreadable += one.intervals;
        rejection = `row ${one.id} of interval_journal cannot be read: ${error.message}`;
      }
    }
    return { ids, places: sorted(pieces), done: 0, unreadable, rejected: unreadable, rejection };
  }

  /** The window with more of it done; undefined when another program has moved it, and may have changed it since. */
  #advance(window: Window): Window | undefined {
    const [first, last] = [window.ids[0], window.ids.at(-1)];
    const range = this.#database.prepare('SELECT count(*) FROM interval_journal WHERE id BETWEEN ? AND ?').pluck();
    if (range.get(first, last) !== window.ids.length) return undefined;
    const untilMs = this.#nowMs() + STEP_MS;
    let { done, rejected, rejection } = window;
    for (let place = window.places[done]; place !== undefined; place = window.places[++done]) {
      if (done > window.done && done % LOOK_EVERY === 0 && this.#nowMs() > untilMs) break;
      place.piece.read(place.row, this.#cells);
      try {
        this.#putInterval.run(this.#cells);
      } catch (error) {
        if (!isAboutTheChange(error)) throw error;
        rejected++;
        rejection = reasonOf(error);
      }
    }
    if (done === window.places.length)
      this.#database.prepare('DELETE FROM interval_journal WHERE id BETWEEN ? AND ?').run(first, last);
    return { ...window, done, rejected, rejection };
  }
}

/** By channel and direction; within these as they came, which is by their numbers. */
function sorted(pieces: readonly JournalPiece[]): Window['places'] {
  const places = pieces.flatMap((piece) => Array.from({ length: piece.count }, (_, row) => ({ piece, row })));
  const ofChannel = Map.groupBy(places, ({ piece, row }) => String(piece.uniqueid(row)));
  return [...ofChannel.keys()].toSorted().flatMap((uniqueid) => {
    const own = Map.groupBy(ofChannel.get(uniqueid) ?? [], ({ piece, row }) => String(piece.direction(row)));
    return [...own.keys()].toSorted().flatMap((direction) => own.get(direction) ?? []);
  });
}
