import type { ChannelSnapshot, ExistingChannel, PbxEvent } from '../../model/event.ts';
import type { NumberSetting } from './caller-numbers.ts';
import { textHider, type TextHider } from './hidden-text.ts';

/**
 * What happens to a field. `keep`: a measurement, an address, a word of Asterisk's, or an id that Asterisk needs. `leave-out`:
 * a person's name. Otherwise the method of `TextHider` that hides it.
 */
type Fate = 'keep' | 'leave-out' | keyof TextHider;

/** One entry for each field of all variants of the type, so that a new field does not compile without an entry. */
type Fates<T> = { readonly [Key in FieldsOf<T>]-?: Fate };
type FieldsOf<T> = T extends unknown ? keyof T : never;

type EventType = PbxEvent['type'];
/** The events whose `type` may be this one. */
type EventOf<Type extends EventType, Event = PbxEvent> = Event extends { readonly type: infer Types }
  ? Type extends Types
    ? Event
    : never
  : never;

const SNAPSHOT = {
  uniqueid: 'keep',
  linkedid: 'keep',
  name: 'channelName',
  stateNumber: 'keep',
  callerNumber: 'number',
  callerName: 'leave-out',
  connectedNumber: 'number',
  connectedName: 'leave-out',
  exten: 'exten',
} as const satisfies Fates<ChannelSnapshot>;

const EXISTING = {
  ...SNAPSHOT,
  bridgeId: 'keep',
  ageS: 'keep',
  isDialled: 'keep',
  codecs: 'keep',
} as const satisfies Fates<ExistingChannel>;

/** `channel` and `channels` are hidden by their own tables. */
type OwnFates<Type extends EventType> = Omit<Fates<EventOf<Type>>, 'channel' | 'channels'>;

const BRIDGED = { type: 'keep', atMs: 'keep', bridgeId: 'keep', bridgeTechnology: 'text' } as const;
const HELD = { type: 'keep', atMs: 'keep' } as const;

/** Every field of every event. */
const EVENTS = {
  channel: { type: 'keep', atMs: 'keep', isNew: 'keep' },
  rename: { type: 'keep', atMs: 'keep', uniqueid: 'keep', newName: 'channelName' },
  hangup: { type: 'keep', atMs: 'keep', cause: 'keep', causeText: 'text' },
  'hangup-request': { type: 'keep', atMs: 'keep', by: 'keep' },
  'bridge-enter': BRIDGED,
  'bridge-leave': BRIDGED,
  dial: { type: 'keep', atMs: 'keep', dialledUniqueid: 'keep' },
  hold: HELD,
  mark: { type: 'keep', atMs: 'keep' },
  unhold: HELD,
  digit: { type: 'keep', atMs: 'keep', direction: 'keep' },
  'local-bridge': { type: 'keep', atMs: 'keep', oneUniqueid: 'keep', twoUniqueid: 'keep' },
  rtcp: { type: 'keep', atMs: 'keep', report: 'keep', addresses: 'keep' },
  addresses: { type: 'keep', atMs: 'keep', uniqueid: 'keep', addresses: 'keep' },
  captured: {
    type: 'keep',
    atMs: 'keep',
    uniqueid: 'keep',
    direction: 'keep',
    open: 'keep',
    closed: 'keep',
    report: 'keep',
  },
  codecs: { type: 'keep', atMs: 'keep', uniqueid: 'keep', codecs: 'keep' },
  counters: { type: 'keep', atMs: 'keep', uniqueid: 'keep', counters: 'keep' },
  'sip-call-id': { type: 'keep', atMs: 'keep', uniqueid: 'keep', sipCallId: 'keep' },
  device: { type: 'keep', atMs: 'keep', uniqueid: 'keep', device: 'keep', site: 'keep', details: 'keep' },
  'phone-heard': { type: 'keep', atMs: 'keep', uniqueid: 'keep', report: 'keep', userAgent: 'keep' },
  'xr-report': { type: 'keep', atMs: 'keep', uniqueid: 'keep', received: 'keep' },
  'endpoint-state': { type: 'keep', atMs: 'keep', endpoint: 'endpoint', state: 'keep' },
  'link-lost': { type: 'keep', atMs: 'keep' },
  resync: { type: 'keep', atMs: 'keep' },
} as const satisfies { readonly [Type in EventType]: OwnFates<Type> };

/** A copy with the fields of the table only: an unknown field is never passed on. */
function hidden<T extends object>(record: T, fates: Readonly<Record<string, Fate>>, hide: TextHider): T {
  const shown: Record<string, unknown> = {};
  const values = record as Readonly<Record<string, unknown>>;
  for (const [field, fate] of Object.entries(fates)) {
    const value = values[field];
    if (value === undefined || fate === 'leave-out') continue;
    shown[field] = fate === 'keep' || typeof value !== 'string' ? value : hide[fate](value);
  }
  return shown as T;
}

/**
 * Makes the function that hides numbers in events before anything else sees them. Unless numbers are kept in clear, every run
 * of digits as long as a number is hidden wherever it stands, and people's names are left out.
 */
export function eventHider(setting: NumberSetting): (event: PbxEvent) => PbxEvent {
  if (setting.numbers === 'clear') return (event) => event;
  const hide = textHider(setting);
  return (event) => {
    const shown = hidden<PbxEvent>(event, EVENTS[event.type], hide);
    if (event.type === 'resync') {
      return { ...shown, channels: event.channels.map((row) => hidden(row, EXISTING, hide)) } as PbxEvent;
    }
    if ('channel' in event) return { ...shown, channel: hidden(event.channel, SNAPSHOT, hide) } as PbxEvent;
    return shown;
  };
}
