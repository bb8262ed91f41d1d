import type { ResumeState } from '../../model/record.ts';
import { NumberRow, type StoredRow } from '../../stats/number-row.ts';
import { BridgeMemory, type ChannelState, newChannel, Published } from '../channels/channel-state.ts';
import { DirectionState, type SegmentState } from '../directions/direction-state.ts';
import { Tally } from '../directions/tally.ts';
import { WHOLE_PAST_FLOW } from '../why/flow.ts';

/** The names of all fields of a state, in their order. A stored state with other names is of another release and is not read. */
export const RESUME_FIELDS: readonly string[] = fieldsOf(wholeState());
const RESUME_FORMAT = hashOf(RESUME_FIELDS.join(' '));

type StoredTally = Pick<Tally, 'earlierJitterMs'> & { readonly values: StoredRow };
type StoredSegment = Omit<SegmentState, 'tally'> & { readonly tally: StoredTally | null };
type StoredDirection = Omit<DirectionState, 'values' | 'total' | 'segment'> & {
  readonly values: StoredRow;
  readonly total: StoredTally;
  readonly segment: StoredSegment;
};
type StoredChannel = Omit<ChannelState, 'rx' | 'tx' | 'published' | 'bridges'> & {
  readonly rx: StoredDirection;
  readonly tx: StoredDirection;
};

/**
 * A channel's state as text, to go on from after a restart. Rows of numbers have no names in it, so that it fits into one page of
 * the database.
 */
export function writeResume(state: ChannelState): ResumeState {
  return {
    state: JSON.stringify({ format: RESUME_FORMAT, state }),
    rxReports: state.rx.total.reports,
    txReports: state.tx.total.reports,
  };
}

/** The state in a text; undefined: the text is of another format, or no state. */
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
  const fresh = { published: new Published(false), bridges: new BridgeMemory() };
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

/** A state in which no optional part is missing. */
function wholeState(): ChannelState {
  const state = newChannel({ uniqueid: '', linkedid: '', name: '', stateNumber: 0 }, 0, 0, false);
  state.hangupRequest = { by: 'party', atMs: 0, endedTalk: false };
  state.final = { mesPeerRx: 0, mesPeerTx: 0, mesCall: 0, atMs: 0 };
  const sentBefore = { packets: 0, octets: 0 };
  for (const direction of [state.rx, state.tx]) {
    direction.nextSegment = { cause: 'start', atMs: 0, sentBefore };
    direction.pastFlow = WHOLE_PAST_FLOW;
    direction.doubted = { ticks: [], mes: 0, segmentNumber: 1 };
    direction.segment = { ...direction.segment, sentBefore, tally: new Tally() };
  }
  return state;
}

/** The names of a value's properties. Those of a row of numbers are the names of its places. */
function fieldsOf(value: object): string[] {
  const inRow = value instanceof NumberRow ? [...value.names, ...value.sampledNames] : [];
  const others = Object.entries(value).filter(([name]) => name !== 'published' && name !== 'values');
  return [
    ...inRow,
    ...others.flatMap(([name, field]: [string, unknown]) =>
      typeof field === 'object' && field !== null ? [name, '{', ...fieldsOf(field), '}'] : [name],
    ),
  ];
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16);
}
