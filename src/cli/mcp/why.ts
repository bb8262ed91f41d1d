/** What of a call explains it, as REST gives it. */
export interface Explained {
  readonly linkedid: string;
  readonly state: string;
  readonly started_at: string;
  readonly duration_s: number;
  readonly mes: number | null;
  readonly verdict: string | null;
  readonly fault_place: string | null;
  readonly fault_certainty: string | null;
  readonly fault_why: string | null;
  readonly ended_by: string | null;
  readonly channels: readonly {
    readonly uniqueid: string;
    readonly linkedid: string;
    readonly endpoint: string;
    readonly caller_number: string | null;
    readonly verdict: string | null;
    readonly hangup_cause_text: string | null;
    readonly streams: readonly {
      readonly direction: 'rx' | 'tx';
      readonly verdict: string | null;
      readonly why: string | null;
      readonly mes: number | null;
      readonly loss_percent: number | null;
      readonly jitter_ms: { readonly mean: number | null };
      readonly rtt_ms: { readonly mean: number | null };
    }[];
  }[];
}

/** Why the call was as it was, without all that does not bear on it. */
export function explanationOf({ channels, ...call }: Explained): object {
  const { linkedid, state, started_at, duration_s, mes, verdict, fault_place, fault_certainty, fault_why, ended_by } =
    call;
  return {
    linkedid,
    state,
    started_at,
    duration_s,
    mes,
    verdict,
    fault_place,
    fault_certainty,
    fault_why,
    ended_by,
    parties: channels.map((channel) => ({
      role: channel.uniqueid === channel.linkedid ? 'caller' : 'called',
      endpoint: channel.endpoint,
      number: channel.caller_number,
      verdict: channel.verdict,
      ended: channel.hangup_cause_text,
      directions: channel.streams.map((stream) => ({
        direction: stream.direction === 'rx' ? `from ${channel.endpoint}` : `to ${channel.endpoint}`,
        verdict: stream.verdict,
        why: stream.why,
        mes: stream.mes,
        loss_percent: stream.loss_percent,
        jitter_mean_ms: stream.jitter_ms.mean,
        rtt_mean_ms: stream.rtt_ms.mean,
      })),
    })),
  };
}
