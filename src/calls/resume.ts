import { type Moments, NO_SAMPLES } from '../stats/moments.ts';
import type { ChannelState } from './channel-state.ts';
import type { DirectionState, SegmentState } from './direction-state.ts';
import { newTally, type Tally } from './tally.ts';

/** Raised whenever the shape of ChannelState changes, so that no old state is mistaken for a new one. */
const RESUME_FORMAT = 9;

type PackedSegment = Omit<SegmentState, 'tally'> & { readonly tally: PackedTally | null };
type PackedDirection = Omit<DirectionState, 'total' | 'segment'> & {
  readonly total: PackedTally;
  readonly segment: PackedSegment;
};
type PackedChannel = Omit<ChannelState, 'rx' | 'tx'> & { readonly rx: PackedDirection; readonly tx: PackedDirection };
type PackedMoments = readonly number[];
/** The values of a tally in the order of its fields; moments without samples are empty. */
type PackedTally = readonly (number | null | PackedMoments)[];

/**
 * A channel's state as text, to be stored and gone on with after a restart. It is written with every report: tallies go
 * without the names of their fields, so that it fits into one page of the database.
 */
export function writeResume(state: ChannelState): string {
  return JSON.stringify({ format: RESUME_FORMAT, state: { ...state, rx: pack(state.rx), tx: pack(state.tx) } });
}

function pack(direction: DirectionState): object {
  const { total, segment } = direction;
  const tally = segment.tally === null ? null : packTally(segment.tally);
  return { ...direction, total: packTally(total), segment: { ...segment, tally } };
}

function packTally(tally: Tally): PackedTally {
  return Object.values(tally).map((value: number | null | Moments) =>
    typeof value === 'object' && value !== null ? packMoments(value) : value,
  );
}

function packMoments({ count, last, min, max, mean, m2 }: Moments): PackedMoments {
  return count === 0 ? [] : [count, last, min, max, mean, m2];
}

function unpack(direction: PackedDirection): DirectionState {
  const { total, segment } = direction;
  const tally = segment.tally === null ? null : unpackTally(segment.tally);
  return { ...direction, total: unpackTally(total), segment: { ...segment, tally } };
}

function unpackTally(packed: PackedTally): Tally {
  const tally = newTally();
  const entries = Object.keys(tally).map((name, index) => {
    const value = packed[index] ?? null;
    return [name, typeof value === 'object' && value !== null ? unpackMoments(value) : value];
  });
  return Object.assign(tally, Object.fromEntries(entries));
}

function unpackMoments([count = 0, last = 0, min = 0, max = 0, mean = 0, m2 = 0]: PackedMoments): Moments {
  return count === 0 ? NO_SAMPLES : { count, last, min, max, mean, m2 };
}

/** The state back; undefined when it is of another format or not such a text. */
export function readResume(text: string, uniqueid: string): ChannelState | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { format, state } = stored as { format?: unknown; state?: PackedChannel };
  if (format !== RESUME_FORMAT || state?.uniqueid !== uniqueid) return undefined;
  return { ...state, rx: unpack(state.rx), tx: unpack(state.tx) };
}
