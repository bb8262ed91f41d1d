import type { ChannelSnapshot } from '../../model/event.ts';
import type { HeaderValues } from './ami.ts';
import { HeaderLayout } from './header-layout.ts';
import { readUnsigned } from '../number-text.ts';

/** The headers of a channel snapshot, which every channel event has, in Asterisk's order (16.28 and 22.10.1). */
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
/** Asterisk's placeholders for "none"; it prints an empty value, too. */
const NOTHING: readonly string[] = ['<unknown>', '<none>', '(null)'];

/** Takes the snapshot from a layout's values; `at` has their places. Undefined when the channel's id, name or state is missing. */
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

/** A header's value; undefined when it is empty or one of Asterisk's placeholders. */
export function known(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  // Compare only the few values that begin like a placeholder.
  const first = value.charCodeAt(0);
  return (first === LESS_THAN || first === PARENTHESIS) && NOTHING.includes(value) ? undefined : value;
}
