import type { ChannelState } from '../channels/channel-state.ts';

/**
 * Asterisk's billing rows (CDR): a row is about one channel, party A, and has that channel's fields; but a field that
 * party A does not have is filled with the field of that name of the other one in the row, party B (main/cdr.c,
 * `cdr_object_create_public_records`). So what is written to a channel that may be party B must not be what party A lacks.
 * A blank in its place would not do: it is no number, and some backends refuse the whole row for it.
 */

/** How long after a bridge its row may still be open, unless its party A ended before. */
const ROW_OPEN_MS = 1000;

/**
 * So long after a bridge its peer is still the channel's: its row is written when the channel hangs up, after an `h` extension
 * that may take its time.
 */
const PEER_KEPT_MS = 5000;

/** Asterisk's own channels, which play and record in conferences: it makes no rows about them. */
const INTERNAL = /^(?:CBAnn|CBRec|Announcer|Recorder|Surrogate)\//;

interface FormerCompanion {
  readonly channel: ChannelState;
  readonly partedAtMs: number;
}

/** With whom a channel was in bridges: of no use after a restart, and so not stored. */
export class BridgeMemory {
  /** It has been in a bridge: until then, who was dialled is nothing but party B. */
  wasBridged = false;
  /** When it left its last bridge; null while it is in one, or never was. */
  leftAtMs: number | null = null;
  former: FormerCompanion[] = [];

  toJSON(): undefined {
    return undefined;
  }
}

/** The channel is in a bridge from now on. */
export function noteBridged({ bridges }: ChannelState): void {
  bridges.wasBridged = true;
  bridges.leftAtMs = null;
}

/** The channel leaves a bridge in which `companions` stay. */
export function noteParted(channel: ChannelState, companions: readonly ChannelState[], atMs: number): void {
  channel.bridges.leftAtMs = atMs;
  for (const other of companions) {
    const [first, second] = comesFirst(channel, other) ? [channel, other] : [other, channel];
    forgetOld(second.bridges, atMs);
    second.bridges.former.push({ channel: first, partedAtMs: atMs });
  }
}

/**
 * Those in whose rows the channel may be party B: its companions of now, and those of a moment ago, that come before it.
 * `nowMs`: when final scores are asked for, or the time of a report.
 */
export function partiesBefore(
  channel: ChannelState,
  companions: readonly ChannelState[],
  nowMs: number,
): ChannelState[] {
  forgetOld(channel.bridges, nowMs);
  const before = companions.filter((other) => !INTERNAL.test(other.name) && comesFirst(other, channel));
  for (const { channel: other } of channel.bridges.former) before.push(other);
  return before;
}

/**
 * Whether a row may have the channel's fields at all. Who was dialled is party B from the beginning, and party A only of
 * what follows: when it goes on without the one who dialled it.
 */
export function mayHaveFields({ isDialled, bridges }: ChannelState, before: readonly ChannelState[]): boolean {
  return !isDialled || (bridges.wasBridged && before.length === 0);
}

/** Whether its bridge ended so long ago that it has no peer any more. */
export function isOnItsOwn({ bridges: { leftAtMs } }: ChannelState, nowMs: number): boolean {
  return leftAtMs !== null && nowMs - leftAtMs > PEER_KEPT_MS;
}

/**
 * Which of two Asterisk makes a row about: who was not dialled, or else who is older (`cdr_object_pick_party_a`). Between
 * them stands CDR_PROP(party_A), which no event tells.
 */
function comesFirst(one: ChannelState, other: ChannelState): boolean {
  if (one.isDialled !== other.isDialled) return other.isDialled;
  if (one.startedAtMs !== other.startedAtMs) return one.startedAtMs < other.startedAtMs;
  return serialOf(one.uniqueid) < serialOf(other.uniqueid);
}

/** `42` of `1764512345.42`: Asterisk counts its channels. */
function serialOf(uniqueid: string): number {
  return Number(uniqueid.slice(uniqueid.lastIndexOf('.') + 1));
}

function forgetOld(bridges: BridgeMemory, nowMs: number): void {
  if (bridges.former.length === 0) return;
  bridges.former = bridges.former.filter(
    ({ channel, partedAtMs }) => channel.endedAtMs === null && nowMs - partedAtMs <= ROW_OPEN_MS,
  );
}
