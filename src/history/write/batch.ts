import type { CallScores, IntervalRecord, ResumeState, StateChange } from '../../model/record.ts';
import { reasonOf } from '../history-error.ts';
import {
  CALL_SCORE_COLUMNS,
  CHANNEL_SCORE_COLUMNS,
  STREAM_SCORE_COLUMNS,
  CALL_COLUMNS,
  type Cell,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../schema/rows.ts';
import type { Waiting } from './change-queue.ts';

/** The cells of a row, in the order of its columns. */
export type Cells = readonly Cell[];

/** A change as it goes to the writer's thread. */
export type EncodedState =
  | { readonly kind: 'segment'; readonly cells: Cells }
  | {
      readonly kind: 'channel';
      readonly cells: Cells;
      readonly streams: readonly Cells[];
      readonly resume: ResumeState | null;
    }
  /** The cells of the call, then those of each channel, each followed by those of its two directions. */
  | { readonly kind: 'scores'; readonly cells: Cells }
  | { readonly kind: 'call'; readonly cells: Cells }
  | { readonly kind: 'call-merged'; readonly fromLinkedid: string; readonly intoLinkedid: string };

/** Changes that are committed together. States are applied in order; intervals, oldest first, do not depend on them. */
export interface Batch {
  readonly states: readonly EncodedState[];
  readonly intervals: readonly Cells[];
}

export interface EncodedBatch extends Batch {
  /** Changes whose record is broken; and why, of the last. */
  readonly rejected: number;
  readonly rejection: string | null;
}

/** Changes as rows. One with a broken record is left out: the others are to be stored all the same. */
export function encodeBatch({ states, intervals }: Waiting): EncodedBatch {
  let rejected = 0;
  let rejection: string | null = null;
  const encodeAll = <Change, Encoded>(changes: readonly Change[], encode: (change: Change) => Encoded): Encoded[] => {
    const encoded: Encoded[] = [];
    for (const change of changes) {
      try {
        encoded.push(encode(change));
      } catch (error) {
        rejected++;
        rejection = reasonOf(error);
      }
    }
    return encoded;
  };
  const batch = { states: encodeAll(states, encodeState), intervals: encodeAll(intervals, encodeInterval) };
  return { ...batch, rejected, rejection };
}

function encodeInterval(interval: IntervalRecord): Cells {
  return INTERVAL_COLUMNS.toCells(interval);
}

function encodeState(change: StateChange): EncodedState {
  if (change.kind === 'segment') return { kind: 'segment', cells: SEGMENT_COLUMNS.toCells(change.segment) };
  if (change.kind === 'call') return { kind: 'call', cells: CALL_COLUMNS.toCells(change.call) };
  if (change.kind === 'call-merged') return change;
  if (change.kind === 'scores') return encodeScores(change.scores);
  const { channel, resume } = change;
  const streams = channel.streams.map((stream) => STREAM_COLUMNS.toCells(stream));
  return { kind: 'channel', cells: CHANNEL_COLUMNS.toCells(channel), streams, resume };
}

function encodeScores(scores: CallScores): EncodedState {
  const cells = CALL_SCORE_COLUMNS.toCells(scores);
  for (const channel of scores.channels) {
    cells.push(...CHANNEL_SCORE_COLUMNS.toCells(channel));
    for (const stream of channel.streams) cells.push(...STREAM_SCORE_COLUMNS.toCells(stream));
  }
  return { kind: 'scores', cells };
}
