import type { OtherCalls } from '../../model/alert.ts';
import type { CallWithChannels } from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, StreamRecord } from '../../model/record.ts';
import { roundOpinion } from '../../score/opinion.ts';
import { voipMetrics } from '../../stats/packets/packet-tally.ts';
import { rulesOutServer } from './other-calls.ts';

/** Points that the course of a direction has at most. Of more reports the worst of each few is shown. */
const MOST_POINTS = 400;

export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function rounded(value: number | null, decimals: number): number | null {
  return value === null ? null : Number(value.toFixed(decimals));
}

export function opinion(mes: number | null): number | null {
  return mes === null ? null : roundOpinion(mes);
}

/** Which server made the evidence, and when. */
export interface Made {
  readonly atMs: number;
  readonly host: string;
  readonly timeZone: string;
}

/**
 * The evidence of a call for somebody else, such as the carrier: what happened and when, how it was measured, how sure it is.
 */
export function evidenceOf(
  call: CallWithChannels,
  intervals: ReadonlyMap<string, readonly IntervalRecord[]>,
  others: OtherCalls,
  made: Made,
) {
  const { faultPlace, faultWhy } = call;
  return {
    made_at: new Date(made.atMs).toISOString(),
    host: made.host,
    time_zone: made.timeZone,
    linkedid: call.linkedid,
    started_at: new Date(call.startedAtMs).toISOString(),
    ended_at: iso(call.endedAtMs),
    verdict: call.verdict,
    mes: opinion(call.mes),
    profile: call.profile,
    fault_place: faultPlace,
    fault_certainty: call.faultCertainty,
    fault_reports: call.faultReports,
    fault_why: faultWhy,
    others_at_the_time: { calls: others.calls, judged_calls: others.judgedCalls, bad_calls: others.badCalls },
    what_rules_out_this_server: rulesOutServer(call, others),
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
    sip_call_id: channel.sipCallId,
    signalling_address: channel.deviceDetails?.address ?? null,
    ...mediaEnds(channel),
    device: channel.device,
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

/** Both ends of the media: from captured packets, otherwise as Asterisk gave them when the channel was answered. */
export function mediaEnds({ streams, deviceDetails }: ChannelRecord) {
  const media = (direction: StreamRecord['direction']) =>
    streams.find((stream) => stream.direction === direction)?.capture?.media;
  return {
    local_media: media('rx')?.destination ?? media('tx')?.source ?? deviceDetails?.localMedia ?? null,
    remote_media: media('rx')?.source ?? media('tx')?.destination ?? deviceDetails?.remoteMedia ?? null,
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
    mes: opinion(stream.mes),
    verdict: stream.verdict,
    why: stream.why,
    captured: capture !== null,
    bursts: capture === null ? null : burstsOf(capture),
    reports_with_loss: intervals.filter(({ lossPercent }) => (lossPercent ?? 0) > 0).length,
    worst_report_loss_percent: rounded(worstLoss(intervals), 2),
    course: worstOfEach(intervals, step).map(({ atMs, kind, lossPercent, jitterMs, rttMs, mes }) => ({
      at: new Date(atMs).toISOString(),
      kind,
      loss_percent: rounded(lossPercent, 2),
      jitter_ms: rounded(jitterMs, 1),
      rtt_ms: rounded(rttMs, 1),
      mes: opinion(mes),
    })),
  };
}

/** Bursts and gaps by RFC 3611 §4.7.2, from captured packets. RTCP reports are too far apart to show a burst. */
function burstsOf({ media, roundTripMs }: NonNullable<StreamRecord['capture']>) {
  const voip = voipMetrics(media.tally, roundTripMs);
  const percent = (ratio: number | null): number | null => rounded(ratio === null ? null : 100 * ratio, 2);
  return {
    burst_density_percent: percent(voip.burstDensityRatio),
    gap_density_percent: percent(voip.gapDensityRatio),
    burst_duration_ms: rounded(voip.burstDurationMs, 0),
    gap_duration_ms: rounded(voip.gapDurationMs, 0),
  };
}

function worstLoss(intervals: readonly IntervalRecord[]): number | null {
  const known = intervals.map(({ lossPercent }) => lossPercent).filter((loss) => loss !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Keeps of every `step` reports the one with the most loss, so that thinning hides none. */
function worstOfEach(intervals: readonly IntervalRecord[], step: number): IntervalRecord[] {
  const kept: IntervalRecord[] = [];
  for (let from = 0; from < intervals.length; from += step) {
    const [first, ...rest] = intervals.slice(from, from + step);
    if (first === undefined) continue;
    kept.push(rest.reduce((worst, one) => ((one.lossPercent ?? -1) > (worst.lossPercent ?? -1) ? one : worst), first));
  }
  return kept;
}
