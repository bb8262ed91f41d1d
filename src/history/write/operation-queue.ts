import { type OpenPiece, OperationPacker, PIECE_CELLS } from './operation-packer.ts';
import {
  cellAt,
  nextStart,
  type Operation,
  type OperationRow,
  type PackedOperations,
  removeRow,
  rowAt,
  rowsOf,
} from './packed-operations.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, SEGMENT_COLUMNS } from '../schema/rows.ts';

/** When so many more rows are gone than wait, those that wait are packed anew. */
const MOST_GONE = 500;

const OF_CHANNEL = placesOf(CHANNEL_COLUMNS.names, 'uniqueid', 'ended_at_ms');
const OF_CALL = placesOf(CALL_COLUMNS.names, 'linkedid', 'ended_at_ms');
const OF_SEGMENT = placesOf(SEGMENT_COLUMNS.names, 'uniqueid', 'direction', 'segment_number');

function placesOf<Name extends string>(names: readonly string[], ...wanted: Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(wanted.map((name) => [name, names.indexOf(name)])) as Record<Name, number>;
}

/** What a later state of the same channel, segment or call replaces. */
function replaceKey(row: OperationRow): string {
  if (row.kind === 'channel') return `channel ${cellAt(row, OF_CHANNEL.uniqueid)}`;
  if (row.kind === 'call') return `call ${cellAt(row, OF_CALL.linkedid)}`;
  const { uniqueid, direction, segment_number: number } = OF_SEGMENT;
  return `segment ${cellAt(row, uniqueid)} ${cellAt(row, direction)} ${cellAt(row, number)}`;
}

function isEnding(row: OperationRow): boolean {
  if (row.cells === 0) return false;
  if (row.kind === 'channel') return cellAt(row, OF_CHANNEL.ended_at_ms) !== null;
  if (row.kind === 'call') return cellAt(row, OF_CALL.ended_at_ms) !== null;
  return row.kind === 'call-merged';
}

/**
 * Operations that wait for the disk, packed, oldest first. Of a channel, segment or call only the last state waits, and
 * that at the end: the writer does not mind in which order the states of different ones come, as only a merge changes what
 * another change means.
 */
export class OperationQueue {
  /** The packer has the last of them. */
  #pieces: OpenPiece[] = [];
  readonly #packer = new OperationPacker();
  #size = 0;
  #gone = 0;
  /** Of each state that a later one may replace in which piece it waits, times `PIECE_CELLS`, plus where it begins there. */
  #places = new Map<string, number>();

  get size(): number {
    return this.#size;
  }

  push(operation: Operation): void {
    this.#queue(this.#packer.add(operation));
  }

  /** Everything that waits; the queue is empty then. */
  take(): PackedOperations[] {
    if (this.#packer.count > 0) this.#pieces.push(this.#packer.take());
    const pieces = this.#pieces.filter(({ count }) => count > 0);
    this.#pieces = [];
    this.#places = new Map();
    [this.#size, this.#gone] = [0, 0];
    return pieces;
  }

  /** What was taken comes before what was pushed since. */
  putBack(taken: readonly PackedOperations[]): void {
    for (const piece of [...taken, ...this.take()]) {
      for (const row of rowsOf(piece)) this.#queue(this.#packer.copy(row));
    }
  }

  /** Pieces that are committed; nobody may look at them any more. */
  giveBack(committed: readonly PackedOperations[]): void {
    this.#packer.giveBack(committed);
  }

  /**
   * Drops at most `most` states of channels, segments and calls that are up; endings and merges only where fewer than
   * `least` are dropped otherwise. The oldest go. Returns how many.
   */
  drop(least: number, most: number): number {
    const before = this.#size;
    this.#dropOldest('up', most);
    this.#dropOldest('any', least - (before - this.#size));
    return before - this.#size;
  }

  /** The packer's row that begins at `start`. */
  #queue(start: number): void {
    const row = rowAt(this.#packer, start);
    if (row === undefined) return;
    this.#size++;
    if (!isEnding(row)) this.#packer.up++;
    if (row.kind === 'call-merged') {
      // It changes what the same linkedid means: nothing behind it may replace what is in front of it.
      this.#places.clear();
    } else if (row.cells > 0) {
      const key = replaceKey(row);
      const former = this.#places.get(key);
      if (former !== undefined) this.#remove(this.#pieceAt(Math.floor(former / PIECE_CELLS)), former % PIECE_CELLS);
      this.#places.set(key, this.#pieces.length * PIECE_CELLS + start);
    }
    if (this.#packer.isFull) this.#pieces.push(this.#packer.take());
    if (this.#gone > this.#size + MOST_GONE) this.putBack([]);
  }

  #pieceAt(index: number): OpenPiece {
    return this.#pieces[index] ?? this.#packer;
  }

  /** Does nothing when it is gone. */
  #remove(piece: OpenPiece, start: number): void {
    const row = rowAt(piece, start);
    if (row === undefined) return;
    removeRow(piece, start);
    piece.count--;
    this.#size--;
    if (!isEnding(row)) piece.up--;
    this.#gone++;
  }

  #dropOldest(which: 'up' | 'any', most: number): void {
    let left = most;
    for (const piece of [...this.#pieces, this.#packer]) {
      if (left <= 0) return;
      if ((which === 'up' ? piece.up : piece.count) === 0) continue;
      for (let start = 0; start < piece.length; start = nextStart(piece, start)) {
        const row = rowAt(piece, start);
        if (row === undefined || (which === 'up' && isEnding(row))) continue;
        this.#remove(piece, start);
        if (--left <= 0) return;
      }
    }
  }
}
