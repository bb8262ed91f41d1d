import type { Feature } from '../schema/feature.ts';
import {
  type BoundCell,
  cellAt,
  cellsOf,
  CHANNEL_CELLS,
  MOST_STREAMS,
  type OperationRow,
  STREAM_CELLS,
} from './packed-operations.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, SEGMENT_COLUMNS, STREAM_COLUMNS } from '../schema/rows.ts';
import type { SettledCalls } from '../sums/settled-calls.ts';
import type { Statements } from '../schema/statements.ts';
import { upsert } from './upsert.ts';

const PUT_CALL = upsert('calls', ['linkedid'], CALL_COLUMNS.names);
const PUT_NEW_CALL = `INSERT INTO calls (linkedid, started_at_ms, profile, version) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const PUT_CHANNEL = upsert('channels', ['uniqueid'], [...CHANNEL_COLUMNS.names, 'resume']);
const PUT_STREAM = upsert('streams', ['uniqueid', 'direction'], ['uniqueid', ...STREAM_COLUMNS.names]);
const PUT_SEGMENT = upsert('segments', ['uniqueid', 'direction', 'segment_number'], SEGMENT_COLUMNS.names);
const CHANNEL_PLACES = {
  uniqueid: CHANNEL_COLUMNS.names.indexOf('uniqueid'),
  linkedid: CHANNEL_COLUMNS.names.indexOf('linkedid'),
  startedAtMs: CHANNEL_COLUMNS.names.indexOf('started_at_ms'),
  profile: CHANNEL_COLUMNS.names.indexOf('profile'),
  version: CHANNEL_COLUMNS.names.indexOf('version'),
};
const PUT_ALIAS = upsert('call_aliases', ['from_linkedid'], ['from_linkedid', 'into_linkedid']);

/** Writes the rows of operations, in the caller's transaction. Applying the same one again changes nothing. */
export class OperationWriter {
  readonly #statements: Statements;
  readonly #settled: SettledCalls;
  readonly #features: readonly Feature[];

  constructor(statements: Statements, settled: SettledCalls, features: readonly Feature[]) {
    this.#statements = statements;
    this.#features = features;
    this.#settled = settled;
  }

  /** Throws when the record is broken, or SQLite refuses it. */
  apply(row: OperationRow): void {
    if (row.cells === 0) throw new RangeError(`a ${row.kind} lacks a part of its record`);
    if (row.kind === 'segment') this.#statements.run(PUT_SEGMENT, ...cellsOf(row));
    else if (row.kind === 'call') this.#putCall(cellsOf(row));
    else if (row.kind === 'channel') this.#putChannel(row);
    else this.#merge(String(cellAt(row, 0)), String(cellAt(row, 1)));
  }

  #putCall(cells: readonly BoundCell[]): void {
    const linkedid = String(cells[0]);
    // Its channels have moved on; the call that took them in has a record of its own.
    if (this.#resolve(linkedid) !== linkedid) return;
    this.#settled.reopen(linkedid);
    this.#statements.run(PUT_CALL, ...cells);
  }

  #putChannel(row: OperationRow): void {
    const own = cellsOf(row, 0, CHANNEL_CELLS);
    const uniqueid = own[CHANNEL_PLACES.uniqueid];
    const linkedid = this.#resolve(String(own[CHANNEL_PLACES.linkedid]));
    own[CHANNEL_PLACES.linkedid] = linkedid;
    const before = this.#statements.prepared('SELECT linkedid FROM channels WHERE uniqueid = ?').pluck().get(uniqueid);
    this.#settled.reopen(linkedid, ...(typeof before === 'string' && before !== linkedid ? [before] : []));
    if (before !== linkedid) {
      const { startedAtMs, profile, version } = CHANNEL_PLACES;
      this.#statements.run(PUT_NEW_CALL, linkedid, own[startedAtMs], own[profile], own[version]);
    }
    this.#statements.run(PUT_CHANNEL, ...own);
    const streams = (row.cells - CHANNEL_CELLS) / STREAM_CELLS;
    // It may have had others before.
    if (before !== undefined && streams < MOST_STREAMS)
      this.#statements.run('DELETE FROM streams WHERE uniqueid = ?', uniqueid);
    for (let first = CHANNEL_CELLS; first < row.cells; first += STREAM_CELLS) {
      this.#statements.run(PUT_STREAM, uniqueid, ...cellsOf(row, first, STREAM_CELLS));
    }
  }

  #merge(from: string, into: string): void {
    if (from === into) return;
    let target = this.#resolve(into);
    if (target === from) {
      // Joined back into a call that had been joined into this one: the older call lives again.
      this.#statements.run('DELETE FROM call_aliases WHERE from_linkedid = ?', into);
      target = into;
    }
    this.#settled.reopen(from, target);
    this.#statements.run(
      `INSERT INTO calls (${CALL_COLUMNS.names.join(', ')}) SELECT ?, ${CALL_COLUMNS.names.slice(1).join(', ')} FROM calls WHERE linkedid = ?
        ON CONFLICT DO NOTHING`,
      target,
      from,
    );
    this.#statements.run('UPDATE channels SET linkedid = ? WHERE linkedid = ?', target, from);
    for (const { join } of this.#features) join?.(this.#statements, from, target);
    this.#statements.run('DELETE FROM calls WHERE linkedid = ?', from);
    this.#statements.run('UPDATE call_aliases SET into_linkedid = ? WHERE into_linkedid = ?', target, from);
    this.#statements.run(PUT_ALIAS, from, target);
  }

  /** The linkedid under which a call goes now. */
  #resolve(linkedid: string): string {
    const into = this.#statements
      .prepared('SELECT into_linkedid FROM call_aliases WHERE from_linkedid = ?')
      .pluck()
      .get(linkedid);
    return typeof into === 'string' ? into : linkedid;
  }
}
