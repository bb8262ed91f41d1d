import type { ResumeState } from '../model/record.ts';
import type { StoredRow } from '../stats/number-row.ts';
import { BridgeMemory } from './billing-party.ts';
import { type ChannelState, Told } from './channel-state.ts';
import { DirectionState, type SegmentState } from './direction-state.ts';
import { Tally } from './tally.ts';

/** Raised whenever the shape of ChannelState changes, so that no old state is mistaken for a new one. */
const RESUME_FORMAT = 13;

type StoredTally = Pick<Tally, 'earlierJitterMs'> & { readonly values: StoredRow };
type StoredSegment = Omit<SegmentState, 'tally'> & { readonly tally: StoredTally | null };
type StoredDirection = Omit<DirectionState, 'values' | 'total' | 'segment'> & {
  readonly values: StoredRow;
  readonly total: StoredTally;
  readonly segment: StoredSegment;
};
type StoredChannel = Omit<ChannelState, 'rx' | 'tx' | 'told' | 'bridges'> & {
  readonly rx: StoredDirection;
  readonly tx: StoredDirection;
};

/**
 * A channel's state as text, to be stored and gone on with after a restart. Rows of numbers go without their names, so that
 * it fits into one page of the database.
 */
export function writeResume(state: ChannelState): ResumeState {
  return {
    state: JSON.stringify({ format: RESUME_FORMAT, state }),
    rxReports: state.rx.total.reports,
    txReports: state.tx.total.reports,
  };
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
  const { format, state } = stored as { format?: unknown; state?: StoredChannel };
  if (format !== RESUME_FORMAT || state?.uniqueid !== uniqueid) return undefined;
  const fresh = { told: new Told(false), bridges: new BridgeMemory() };
  return { ...state, ...fresh, rx: readDirection(state.rx), tx: readDirection(state.tx) };
}

function readDirection({ values, total, segment, ...rest }: StoredDirection): DirectionState {
  const state = new DirectionState(rest.direction, segment.startedAtMs, values, readTally(total));
  const tally = segment.tally === null ? null : readTally(segment.tally);
  return Object.assign(state, rest, { segment: { ...segment, tally } });
}

function readTally({ values, earlierJitterMs }: StoredTally): Tally {
  return Object.assign(new Tally(values), { earlierJitterMs });
}
