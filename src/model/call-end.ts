import { LOCAL_CHANNEL_PREFIX } from './channel.ts';

/** Who ended a call: the leg it began with, another one, or this server. */
export const CALL_ENDERS = ['caller', 'callee', 'server'] as const;
export type CallEnder = (typeof CALL_ENDERS)[number];

export interface CallEnd {
  readonly by: CallEnder;
  /** The leg that was hung up. */
  readonly uniqueid: string;
}

/** What the end of a call is judged by: one of its channels. `ChannelRecord` has all of it. */
export interface EndedLeg {
  readonly uniqueid: string;
  readonly endpoint: string;
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly hangupBy: 'party' | 'server' | null;
  readonly hangupAtMs: number | null;
  readonly hangupEndedTalk: boolean | null;
}

/** Who ended the last talk of a call. If nobody talked: who gave up or refused. Null: the call is up, or nobody saw its end. */
export function callEnd(
  { endedAtMs, linkedid }: { readonly endedAtMs: number | null; readonly linkedid: string },
  channels: readonly EndedLeg[],
): CallEnd | null {
  if (endedAtMs === null) return null;
  const legs = channels.filter(({ endpoint }) => !endpoint.startsWith(LOCAL_CHANNEL_PREFIX));
  const byStart = legs.toSorted((one, other) => one.startedAtMs - other.startedAtMs);
  const caller = legs.find(({ uniqueid }) => uniqueid === linkedid) ?? byStart[0];
  if (caller === undefined) return null;
  const endBy = ({ uniqueid, hangupBy }: EndedLeg): CallEnd | null => {
    if (hangupBy === null) return null;
    return { by: hangupBy === 'server' ? 'server' : uniqueid === caller.uniqueid ? 'caller' : 'callee', uniqueid };
  };
  const enders = legs.filter(({ hangupEndedTalk }) => hangupEndedTalk === true);
  const last = enders.toSorted((one, other) => (other.hangupAtMs ?? 0) - (one.hangupAtMs ?? 0))[0];
  if (last !== undefined) return endBy(last);

  const others = legs.filter((leg) => leg !== caller);
  // There was a talk, and nobody saw its end.
  if (others.some(({ answeredAtMs }) => answeredAtMs !== null)) return null;
  const refusals = others.filter(({ hangupBy, hangupAtMs }) => {
    return hangupBy === 'party' && (hangupAtMs ?? 0) <= (caller.hangupAtMs ?? Infinity);
  });
  const [refusal] = refusals;
  if (refusal === undefined) return endBy(caller);
  if (others.length === 1) return endBy(refusal);
  // One of several called legs may have refused, but that need not have ended the call.
  return caller.hangupBy === 'party' ? endBy(caller) : null;
}
