import { createHmac } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import type { ChannelSnapshot, PbxEvent } from '../model/event.ts';

/** How callers' numbers are kept and shown: as they are, by their last digits, or as a hash with a key. */
export type NumberSetting = Pick<Settings['history'], 'numbers' | 'numbersKey'>;

/** Hexadecimal digits of a hash that are kept: among a million numbers, two are the same once in 37 million times. */
const HASH_DIGITS = 16;
const HASH = new RegExp(`^#[0-9a-f]{${HASH_DIGITS}}$`);
/** Numbers whose hash is remembered: every report of a channel names its number again. */
const MOST_REMEMBERED = 10_000;
/** Shown of a masked number, but never more than half of it. */
const SHOWN_DIGITS = 3;
/** An extension that is a number, and none of the dialplan's own names (`s`, `h`, `hangup`). */
const DIALLED = /^[+*#]?\d[\d*#]+$/;
/** Channels whose name holds what was dialled: `Local/4915550100@from-internal-0000002a;1`, `DAHDI/i1/4915550100-3`. */
const DIALLED_IN_NAME = /^(Local\/|DAHDI\/i\d+\/)([+*#]?\d[\d*#]+)/;

/** `*******100`; the same number always gives the same text. */
function masked(number: string): string {
  const shown = Math.min(SHOWN_DIGITS, Math.floor(number.length / 2));
  return '*'.repeat(number.length - shown) + number.slice(number.length - shown);
}

/** `#` and hexadecimal digits; without the key nobody can try all numbers out. */
function hasher(key: string): (number: string) => string {
  const known = new Map<string, string>();
  return (number) => {
    const before = known.get(number);
    if (before !== undefined) return before;
    const hash = `#${createHmac('sha256', key).update(number).digest('hex').slice(0, HASH_DIGITS)}`;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(number, hash);
    return hash;
  };
}

/**
 * What the setting makes of a number that is stored. Equal numbers stay equal, so that calls of one can be found in each
 * of the three forms. Throws RangeError when a key is needed and missing.
 */
export function numberHider({ numbers, numbersKey }: NumberSetting): (number: string) => string {
  if (numbers === 'clear') return (number) => number;
  if (numbers === 'masked') return masked;
  if (numbersKey === null) throw new RangeError('numbers cannot be hashed without a key');
  return hasher(numbersKey);
}

/**
 * Whoever looks for a number gives it as it was dialled: this is the form to look for among the stored ones. A beginning
 * (`*` at its end) and a hash are looked for as they are. Throws RangeError when a key is needed and missing.
 */
export function numberSearcher(setting: NumberSetting): (text: string) => string {
  const hide = numberHider(setting);
  const isHash = (text: string): boolean => setting.numbers === 'hashed' && HASH.test(text);
  return (text) => (text.endsWith('*') || isHash(text) ? text : hide(text));
}

/**
 * The event as the rest of the sidecar is to know it. Unless numbers are kept in clear, numbers of callers and called
 * are hidden wherever an event has them and names are left out; names of endpoints stay, being the server's own.
 */
export function eventHider(setting: NumberSetting): (event: PbxEvent) => PbxEvent {
  if (setting.numbers === 'clear') return (event) => event;
  const hide = numberHider(setting);
  const hideInName = (name: string): string =>
    name.replace(DIALLED_IN_NAME, (_, start: string, number: string) => start + hide(number));

  const hideSnapshot = <Snapshot extends ChannelSnapshot>(snapshot: Snapshot): Snapshot => {
    const { callerName: _callerName, connectedName: _connectedName, ...rest } = snapshot;
    const { callerNumber, connectedNumber, exten } = snapshot;
    return {
      ...(rest as Snapshot),
      name: hideInName(snapshot.name),
      ...(callerNumber === undefined ? {} : { callerNumber: hide(callerNumber) }),
      ...(connectedNumber === undefined ? {} : { connectedNumber: hide(connectedNumber) }),
      ...(exten === undefined ? {} : { exten: DIALLED.test(exten) ? hide(exten) : exten }),
    };
  };
  return (event) => {
    if (event.type === 'rename') return { ...event, newName: hideInName(event.newName) };
    if (event.type === 'resync') return { ...event, channels: event.channels.map(hideSnapshot) };
    return 'channel' in event ? { ...event, channel: hideSnapshot(event.channel) } : event;
  };
}
