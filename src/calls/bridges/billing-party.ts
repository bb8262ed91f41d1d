import type { BridgeMemory, ChannelState } from '../channels/channel-state.ts';

/**
 * Who is party A and party B of Asterisk's billing rows (CDR). A row is about one channel, party A, and has that channel's
 * fields. A field that party A does not have gets the value of party B's field of that name (main/cdr.c,
 * `cdr_object_create_public_records`). So a channel that may be party B must not have a field that party A lacks. A blank would
 * not help: it is no number, and some backends refuse the whole row for it.
 */

/** How long after a bridge its row may still be open, unless its party A ended earlier. */
const ROW_OPEN_MS = 1000;

/**
 * How long after a bridge the channel keeps its peer: Asterisk writes the row when the channel hangs up, which may take as long
 * as an `h` extension runs.
 */
const PEER_KEPT_MS = 5000;

/** Asterisk's own channels, which play and record in conferences. Asterisk writes no rows about them. */
const INTERNAL = /^(?:CBAnn|CBRec|Announcer|Recorder|Surrogate)\//;

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
 * The channels in whose rows this one may be party B: its present companions, and those of a moment ago, if they come before it.
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
 * Whether a row may have the channel's fields at all. A dialled channel is party B from the beginning. It is party A only of a
 * later row: when it goes on without the channel that dialled it.
 */
export function mayHaveFields({ isDialled, bridges }: ChannelState, before: readonly ChannelState[]): boolean {
  return !isDialled || (bridges.wasBridged && before.length === 0);
}

/** Whether its bridge ended so long ago that it has no peer any more. */
export function isOnItsOwn({ bridges: { leftAtMs } }: ChannelState, nowMs: number): boolean {
  return leftAtMs !== null && nowMs - leftAtMs > PEER_KEPT_MS;
}

/**
 * Which of two channels Asterisk makes party A: the one that was not dialled, or else the older one (`cdr_object_pick_party_a`).
 * CDR_PROP(party_A) may change that, but no event tells.
 */
function comesFirst(one: ChannelState, other: ChannelState): boolean {
  if (one.isDialled !== other.isDialled) return other.isDialled;
  if (one.startedAtMs !== other.startedAtMs) return one.startedAtMs < other.startedAtMs;
  return serialOf(one.uniqueid) < serialOf(other.uniqueid);
}

/** The `42` of `1764512345.42`: Asterisk numbers its channels. */
function serialOf(uniqueid: string): number {
  return Number(uniqueid.slice(uniqueid.lastIndexOf('.') + 1));
}

function forgetOld(bridges: BridgeMemory, nowMs: number): void {
  if (bridges.former.length === 0) return;
  bridges.former = bridges.former.filter(
    ({ channel, partedAtMs }) => channel.endedAtMs === null && nowMs - partedAtMs <= ROW_OPEN_MS,
  );
}
