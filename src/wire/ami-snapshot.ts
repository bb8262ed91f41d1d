import type { ChannelSnapshot } from '../model/event.ts';
import type { HeaderValues } from './ami.ts';
import { HeaderLayout } from './header-layout.ts';
import { readUnsigned } from './number-text.ts';

/** What every event about a channel says of it, as Asterisk prints it (16.28 and 22.10.1); see `HeaderLayout`. */
export const SNAPSHOT_HEADERS = [
  'Channel',
  'ChannelState',
  '- ChannelStateDesc',
  'CallerIDNum',
  'CallerIDName',
  'ConnectedLineNum',
  'ConnectedLineName',
  '- Language',
  '- AccountCode',
  '- Context',
  'Exten',
  '- Priority',
  'Uniqueid',
  'Linkedid',
] as const;

export const SNAPSHOT = new HeaderLayout(SNAPSHOT_HEADERS);

const MAX_CHANNEL_STATE = 100;
const LESS_THAN = 0x3c;
const PARENTHESIS = 0x28;
/** Asterisk's placeholders for "none", beside nothing at all. */
const NOTHING: readonly string[] = ['<unknown>', '<none>', '(null)'];

/** The snapshot among a layout's values, whose places are `at`; undefined when what names the channel is missing. */
export function snapshotOf(values: HeaderValues, at: typeof SNAPSHOT.places): ChannelSnapshot | undefined {
  const name = known(values[at.Channel]);
  const stateNumber = readUnsigned(values[at.ChannelState], MAX_CHANNEL_STATE);
  const uniqueid = known(values[at.Uniqueid]);
  if (uniqueid === undefined || name === undefined || stateNumber === undefined) return undefined;
  return {
    uniqueid,
    linkedid: known(values[at.Linkedid]) ?? uniqueid,
    name,
    stateNumber,
    callerNumber: known(values[at.CallerIDNum]),
    callerName: known(values[at.CallerIDName]),
    connectedNumber: known(values[at.ConnectedLineNum]),
    connectedName: known(values[at.ConnectedLineName]),
    exten: known(values[at.Exten]),
  };
}

/** A header's value, unless it says that there is none. */
export function known(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  // Few values begin like one of them, and those are compared.
  const first = value.charCodeAt(0);
  return (first === LESS_THAN || first === PARENTHESIS) && NOTHING.includes(value) ? undefined : value;
}
