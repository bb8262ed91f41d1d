import type { CallWithChannels } from '../model/ports.ts';
import type { ChannelRecord, IntervalRecord, StreamRecord } from '../model/record.ts';
import { roundOpinion } from '../score/opinion.ts';

/** Reports of a direction that its course shows; of more, the worst of each few. */
const MOST_POINTS = 400;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function rounded(value: number | null, decimals: number): number | null {
  return value === null ? null : Number(value.toFixed(decimals));
}

/** All that is known of a call, for somebody who was not there: what, when, how measured, and how sure. */
export function evidenceOf(
  call: CallWithChannels,
  intervals: ReadonlyMap<string, readonly IntervalRecord[]>,
  made: { readonly atMs: number; readonly host: string; readonly timeZone: string },
) {
  const { faultPlace, faultWhy } = call;
  const isElsewhere =
    faultPlace === 'caller-network' || faultPlace === 'callee-network' || faultPlace === 'both-networks';
  return {
    made_at: new Date(made.atMs).toISOString(),
    host: made.host,
    time_zone: made.timeZone,
    linkedid: call.linkedid,
    started_at: new Date(call.startedAtMs).toISOString(),
    ended_at: iso(call.endedAtMs),
    verdict: call.verdict,
    mes: call.mes === null ? null : roundOpinion(call.mes),
    profile: call.profile,
    fault_place: faultPlace,
    fault_certainty: call.faultCertainty,
    fault_reports: call.faultReports,
    fault_why: faultWhy,
    what_rules_out_this_server: isElsewhere ? faultWhy : null,
    channels: call.channels.map((channel) => channelEvidence(channel, intervals.get(channel.uniqueid) ?? [])),
  };
}

export type Evidence = ReturnType<typeof evidenceOf>;
export type DirectionEvidence = Evidence['channels'][number]['directions'][number];

function channelEvidence(channel: ChannelRecord, intervals: readonly IntervalRecord[]) {
  return {
    uniqueid: channel.uniqueid,
    channel: channel.name,
    endpoint: channel.endpoint,
    caller_number: channel.callerNumber,
    connected_number: channel.connectedNumber,
    dialled: channel.exten,
    codec: channel.codec,
    started_at: new Date(channel.startedAtMs).toISOString(),
    answered_at: iso(channel.answeredAtMs),
    ended_at: iso(channel.endedAtMs),
    hangup_cause: channel.hangupCause,
    hangup_cause_text: channel.hangupCauseText,
    directions: channel.streams.map((stream) =>
      directionEvidence(
        channel,
        stream,
        intervals.filter(({ direction }) => direction === stream.direction),
      ),
    ),
  };
}

function directionEvidence({ endpoint }: ChannelRecord, stream: StreamRecord, intervals: readonly IntervalRecord[]) {
  const { direction, reporter, capture } = stream;
  const [from, to] = direction === 'rx' ? [endpoint, 'this server'] : ['this server', endpoint];
  const step = Math.max(1, Math.ceil(intervals.length / MOST_POINTS));
  return {
    direction,
    from,
    to,
    measured_by: reporter === 'local' ? 'this server, of what it received' : `${endpoint}, of what it received (RTCP)`,
    ssrc: stream.ssrc === null ? null : `0x${stream.ssrc.toString(16).padStart(8, '0')}`,
    codec: stream.codec,
    reports: stream.reports,
    packets_expected: stream.packetsExpected,
    packets_lost: stream.packetsLost,
    loss_percent: rounded(stream.lossPercent, 2),
    jitter_ms: { mean: rounded(stream.jitterMs.mean, 1), max: rounded(stream.jitterMs.max, 1) },
    rtt_ms: { mean: rounded(stream.rttMs.mean, 1), max: rounded(stream.rttMs.max, 1) },
    mes: stream.mes === null ? null : roundOpinion(stream.mes),
    verdict: stream.verdict,
    why: stream.why,
    captured: capture !== null,
    course: worstOfEach(intervals, step).map(({ atMs, kind, lossPercent, jitterMs, rttMs, mes }) => ({
      at: new Date(atMs).toISOString(),
      kind,
      loss_percent: rounded(lossPercent, 2),
      jitter_ms: rounded(jitterMs, 1),
      rtt_ms: rounded(rttMs, 1),
      mes: mes === null ? null : roundOpinion(mes),
    })),
  };
}

/** Thinned out, and yet no loss is lost. */
function worstOfEach(intervals: readonly IntervalRecord[], step: number): IntervalRecord[] {
  const kept: IntervalRecord[] = [];
  for (let from = 0; from < intervals.length; from += step) {
    const [first, ...rest] = intervals.slice(from, from + step);
    if (first === undefined) continue;
    kept.push(rest.reduce((worst, one) => ((one.lossPercent ?? -1) > (worst.lossPercent ?? -1) ? one : worst), first));
  }
  return kept;
}
