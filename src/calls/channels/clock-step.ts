import type { CapturedMedia } from '../../model/capture.ts';
import { NumberRow } from '../../stats/number-row.ts';
import type { BridgeMemory } from './channel-state.ts';
import type { DirectionMarks } from '../directions/direction-marks.ts';
import type { DirectionState } from '../directions/direction-state.ts';
import type { Tally } from '../directions/tally.ts';
import type { CallState } from '../call-state.ts';
import type { ChannelState } from './channel-state.ts';

/**
 * What happens to a property when somebody sets the clock. Epoch milliseconds `move`, other numbers `stay`. An object has a table
 * of its own, or stays. Rows of numbers know their epoch milliseconds themselves.
 */
type Fate<Value> = Value extends number
  ? 'moves' | 'stays'
  : Value extends readonly (infer Item)[]
    ? 'stays' | readonly [Partial<Fates<Item>>]
    : Value extends Tally
      ? 'row'
      : 'stays' | Partial<Fates<Value>>;

/** A fate for every property but texts and booleans: a new property does not compile before it has one. */
type Fates<State> = {
  readonly [
    Name in keyof State as NonNullable<State[Name]> extends string | boolean | ((...given: never) => unknown)
      ? never
      : Name
  ]-?: Fate<NonNullable<State[Name]>>;
};

const CAPTURED: Partial<Fates<CapturedMedia>> = {
  tally: { firstAtMs: 'moves', lastAtMs: 'moves', burstSpans: [{ fromMs: 'moves', toMs: 'moves' }] },
};

const DIRECTION: Fates<Omit<DirectionState, keyof DirectionMarks>> = {
  clockRateHz: 'stays',
  total: 'row',
  segment: { startedAtMs: 'moves', tally: 'row' },
  nextSegment: { atMs: 'moves' },
  captured: { closed: CAPTURED, open: CAPTURED },
  pastFlow: { received: { fromMs: 'moves', toMs: 'moves' }, sent: { fromMs: 'moves', toMs: 'moves' } },
  doubted: { ticks: 'stays', mes: 'stays', segmentNumber: 'stays' },
};

const BRIDGES: Fates<BridgeMemory> = {
  leftAtMs: 'moves',
  former: [
    {
      // A channel that has ended may be known only here, as a companion.
      get channel() {
        return CHANNEL;
      },
      partedAtMs: 'moves',
    },
  ],
};

const CHANNEL: Fates<ChannelState> = {
  startedAtMs: 'moves',
  answeredAtMs: 'moves',
  endedAtMs: 'moves',
  hangupCause: 'stays',
  hangupRequest: { atMs: 'moves' },
  lastSeenAtMs: 'moves',
  bridges: BRIDGES,
  watchedSinceMs: 'moves',
  rttRefused: 'stays',
  rtcpEvents: 'stays',
  lastReceivedAtMs: 'moves',
  codecsAskedAtMs: 'moves',
  rx: DIRECTION,
  tx: DIRECTION,
  counters: 'stays',
  deviceDetails: 'stays',
  // Its times are by the phone's own clock.
  phone: 'stays',
  scores: 'stays',
  final: { atMs: 'moves' },
  published: { storedAtMs: 'moves', capturedReport: { atMs: 'moves' } },
};

const CALL: Fates<Omit<CallState, 'channels'>> = { startedAtMs: 'moves', endedAtMs: 'moves' };

/** Somebody set the clock: moves every moment of these channels and calls by `byMs`, so that the time between them stays. */
export function moveMoments(channels: Iterable<ChannelState>, calls: Iterable<CallState>, byMs: number): void {
  const moved = new Set<object>();
  for (const channel of channels) move(channel, CHANNEL, byMs, moved);
  for (const call of calls) move(call, CALL, byMs, moved);
}

/** `moved`: what was moved already, since objects may be shared. */
function move(data: object, fates: object, byMs: number, moved: Set<object>): void {
  if (moved.has(data)) return;
  moved.add(data);
  if (data instanceof NumberRow) moveNamed(data, data.timeNames, byMs);
  for (const [name, fate] of Object.entries(fates) as [string, unknown][]) {
    const value = (data as Readonly<Record<string, unknown>>)[name];
    if (fate === 'moves') moveNamed(data, [name], byMs);
    if (fate === 'stays' || typeof value !== 'object' || value === null) continue;
    const isList = Array.isArray(fate) && Array.isArray(value);
    const parts: readonly object[] = isList ? value : [value];
    const ofPart: unknown = isList ? fate[0] : fate;
    for (const part of parts) move(part, typeof ofPart === 'object' && ofPart !== null ? ofPart : {}, byMs, moved);
  }
}

function moveNamed(data: object, names: readonly string[], byMs: number): void {
  const fields = data as Record<string, unknown>;
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'number') fields[name] = value + byMs;
  }
}
