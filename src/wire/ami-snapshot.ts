import type { ChannelSnapshot } from '../model/event.ts';
import { HeaderLayout, type HeaderValues } from './header-layout.ts';
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

export const SNAPSHOT = new HeaderLayout('part', SNAPSHOT_HEADERS);
const AT = SNAPSHOT.places;

const MAX_CHANNEL_STATE = 100;
const LESS_THAN = 0x3c;
const PARENTHESIS = 0x28;
/** Asterisk's placeholders for "none", beside nothing at all. */
const NOTHING: readonly string[] = ['<unknown>', '<none>', '(null)'];

/** The snapshot of which a layout's values are the first ones; undefined when what names the channel is missing. */
export function snapshotOf(values: HeaderValues): ChannelSnapshot | undefined {
  const name = known(values[AT.Channel]);
  const stateNumber = readUnsigned(values[AT.ChannelState], MAX_CHANNEL_STATE);
  const uniqueid = known(values[AT.Uniqueid]);
  if (uniqueid === undefined || name === undefined || stateNumber === undefined) return undefined;
  return {
    uniqueid,
    linkedid: known(values[AT.Linkedid]) ?? uniqueid,
    name,
    stateNumber,
    callerNumber: known(values[AT.CallerIDNum]),
    callerName: known(values[AT.CallerIDName]),
    connectedNumber: known(values[AT.ConnectedLineNum]),
    connectedName: known(values[AT.ConnectedLineName]),
    exten: known(values[AT.Exten]),
  };
}

/** A header's value, unless it says that there is none. */
export function known(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  // Few values begin like one of them, and those are compared.
  const first = value.charCodeAt(0);
  return (first === LESS_THAN || first === PARENTHESIS) && NOTHING.includes(value) ? undefined : value;
}
