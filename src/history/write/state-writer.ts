import type { Feature } from '../schema/feature.ts';
import {
  CALL_SCORE_COLUMNS,
  CHANNEL_SCORE_COLUMNS,
  STREAM_SCORE_COLUMNS,
  CALL_COLUMNS,
  type Cell,
  CHANNEL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../schema/rows.ts';
import type { Statements } from '../schema/statements.ts';
import type { CountedCalls } from '../sums/counted-calls.ts';
import type { Cells, EncodedState } from './batch.ts';
import { isOfAnother, setAside, type StoredChannel } from './ids-used-again.ts';
import { update, upsert } from './upsert.ts';

const PUT_CALL = upsert('calls', ['linkedid'], CALL_COLUMNS.names);
const PUT_NEW_CALL = `INSERT INTO calls (linkedid, started_at_ms, profile, version) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const PUT_CHANNEL = upsert('channels', ['uniqueid'], CHANNEL_COLUMNS.names);
const PUT_RESUME = upsert('resumes', ['uniqueid'], ['uniqueid', 'state', 'rx_reports', 'tx_reports']);
const PUT_STREAM = upsert('streams', ['uniqueid', 'direction'], ['uniqueid', ...STREAM_COLUMNS.names]);
const PUT_SEGMENT = upsert('segments', ['uniqueid', 'direction', 'segment_number'], SEGMENT_COLUMNS.names);
/** Updates of existing rows. Each begins with its key, which is the last parameter. */
const PUT_CALL_SCORES = update('calls', ['linkedid'], CALL_SCORE_COLUMNS.names);
const PUT_CHANNEL_SCORES = update('channels', ['uniqueid'], CHANNEL_SCORE_COLUMNS.names);
const PUT_STREAM_SCORES = update('streams', ['uniqueid', 'direction'], STREAM_SCORE_COLUMNS.names);
const PUT_ALIAS = upsert('call_aliases', ['from_linkedid'], ['from_linkedid', 'into_linkedid']);
/** One for each direction. */
const MOST_STREAMS = 2;

const STORED_CHANNEL = `SELECT linkedid, started_at_ms AS startedAtMs, ended_at_ms AS endedAtMs FROM channels WHERE uniqueid = ?`;

const LINKEDID_OF_CALL = CALL_COLUMNS.names.indexOf('linkedid');
const OF_CHANNEL = {
  uniqueid: CHANNEL_COLUMNS.names.indexOf('uniqueid'),
  linkedid: CHANNEL_COLUMNS.names.indexOf('linkedid'),
  startedAtMs: CHANNEL_COLUMNS.names.indexOf('started_at_ms'),
  endedAtMs: CHANNEL_COLUMNS.names.indexOf('ended_at_ms'),
  profile: CHANNEL_COLUMNS.names.indexOf('profile'),
  version: CHANNEL_COLUMNS.names.indexOf('version'),
};

type ChannelState = Extract<EncodedState, { kind: 'channel' }>;

/** Writes the rows of states, in the caller's transaction. Applying the same one again changes nothing. */
export class StateWriter {
  readonly #statements: Statements;
  readonly #counted: CountedCalls;
  readonly #features: readonly Feature[];

  constructor(statements: Statements, counted: CountedCalls, features: readonly Feature[]) {
    this.#statements = statements;
    this.#counted = counted;
    this.#features = features;
  }

  /** Throws when the record is broken, or SQLite refuses it. */
  apply(state: EncodedState): void {
    if (state.kind === 'segment') this.#statements.run(PUT_SEGMENT, ...state.cells);
    else if (state.kind === 'scores') this.#putScores(state.cells);
    else if (state.kind === 'call') this.#putCall(state.cells);
    else if (state.kind === 'channel') this.#putChannel(state);
    else this.#merge(state.fromLinkedid, state.intoLinkedid);
  }

  #putCall(cells: Cells): void {
    const linkedid = String(cells[LINKEDID_OF_CALL]);
    // Its channels have moved on; the call that took them in has a record of its own.
    if (this.#resolve(linkedid) !== linkedid) return;
    this.#counted.reopen(linkedid);
    this.#statements.run(PUT_CALL, ...cells);
  }

  #putChannel({ cells, streams, resume }: ChannelState): void {
    if (streams.length > MOST_STREAMS) throw new RangeError('a channel has two directions');
    const uniqueid = cells[OF_CHANNEL.uniqueid] ?? null;
    const stored = this.#statements.prepared(STORED_CHANNEL).get(uniqueid) as StoredChannel | undefined;
    const isAnother =
      stored !== undefined &&
      isOfAnother(stored, Number(cells[OF_CHANNEL.startedAtMs]), cells[OF_CHANNEL.endedAtMs] as number | null);
    if (isAnother) {
      const ids = { uniqueid: String(uniqueid), linkedid: String(cells[OF_CHANNEL.linkedid]), stored };
      setAside(this.#statements, this.#counted, this.#features, ids);
    }
    const linkedid = this.#resolve(String(cells[OF_CHANNEL.linkedid]));
    const own = cells.with(OF_CHANNEL.linkedid, linkedid);
    const before = isAnother ? undefined : stored?.linkedid;
    this.#counted.reopen(linkedid, ...(typeof before === 'string' && before !== linkedid ? [before] : []));
    if (before !== linkedid) {
      const { startedAtMs, profile, version } = OF_CHANNEL;
      this.#statements.run(PUT_NEW_CALL, linkedid, own[startedAtMs], own[profile], own[version]);
    }
    this.#statements.run(PUT_CHANNEL, ...own);
    // The channel may have had other streams before.
    if (before !== undefined && streams.length < MOST_STREAMS)
      this.#statements.run('DELETE FROM streams WHERE uniqueid = ?', uniqueid);
    for (const stream of streams) this.#statements.run(PUT_STREAM, uniqueid, ...stream);
    this.#putResume(uniqueid, resume);
  }

  #putScores(cells: Cells): void {
    let at = 0;
    const next = ({ names }: { readonly names: readonly string[] }): Cells => cells.slice(at, (at += names.length));
    const [linkedid, ...ofCall] = next(CALL_SCORE_COLUMNS);
    this.#counted.reopen(String(linkedid));
    this.#statements.run(PUT_CALL_SCORES, ...ofCall, linkedid);
    while (at < cells.length) {
      const [uniqueid, ...ofChannel] = next(CHANNEL_SCORE_COLUMNS);
      this.#statements.run(PUT_CHANNEL_SCORES, ...ofChannel, uniqueid);
      for (let stream = 0; stream < MOST_STREAMS; stream++) {
        const [direction, ...ofStream] = next(STREAM_SCORE_COLUMNS);
        this.#statements.run(PUT_STREAM_SCORES, ...ofStream, uniqueid, direction);
      }
    }
  }

  #putResume(uniqueid: Cell, resume: ChannelState['resume']): void {
    if (resume === null) this.#statements.run('DELETE FROM resumes WHERE uniqueid = ?', uniqueid);
    else this.#statements.run(PUT_RESUME, uniqueid, resume.state, resume.rxReports, resume.txReports);
  }

  #merge(from: string, into: string): void {
    if (from === into) return;
    let target = this.#resolve(into);
    if (target === from) {
      // Joined back into a call that had been joined into this one: the older call lives again.
      this.#statements.run('DELETE FROM call_aliases WHERE from_linkedid = ?', into);
      target = into;
    }
    this.#counted.reopen(from, target);
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
