import type { CallQuality, CallWithChannels, EndpointWithTrend } from '../model/ports.ts';
import type { ChannelRecord, StreamRecord } from '../model/record.ts';
import type { SampleSummary } from '../model/fields/field.ts';
import type { Direction } from '../model/report.ts';
import { roundOpinion } from '../score/opinion.ts';
import { fisherExact } from '../stats/fisher-exact.ts';
import { isBad, isJudged } from './rule-value.ts';
import { iso, type Made, mediaEnds, rounded } from './evidence.ts';

/** Bound on the calls that are listed one by one, the worst first. */
export const MOST_WORST_CALLS = 100;
const MOST_ADDRESSES = 50;
/** A difference with a higher p-value may be chance. */
const CHANCE = 0.01;

export interface TrunkEvidenceInput {
  readonly endpoint: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Null: the trunk had no calls in the time. */
  readonly quality: EndpointWithTrend | null;
  /** All calls of this server in the time, with those of the trunk. */
  readonly all: CallQuality;
  /** The newest calls of the trunk. */
  readonly calls: readonly CallWithChannels[];
  /** Number of older calls that are not in `calls`. */
  readonly callsLeftOut: number;
  readonly made: Made;
}

/** The evidence of a trunk over a time, compared with all other calls of this server. */
export function trunkEvidenceOf(input: TrunkEvidenceInput) {
  const { endpoint, fromMs, toMs, quality, all, calls, callsLeftOut, made } = input;
  const legs = calls.flatMap((call) =>
    call.channels.filter((channel) => channel.endpoint === endpoint).map((channel) => ({ call, channel })),
  );
  const others = othersOf(quality, all, callsLeftOut === 0 ? calls : null);
  return {
    made_at: new Date(made.atMs).toISOString(),
    host: made.host,
    time_zone: made.timeZone,
    endpoint,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    calls: quality?.calls ?? 0,
    judged_calls: quality?.judgedCalls ?? 0,
    bad_calls: quality?.badCalls ?? 0,
    bad_percent: rounded(quality?.badPercent ?? null, 2),
    mes_mean: opinion(quality?.mesMean ?? null),
    mes_p5: opinion(quality?.mesP5 ?? null),
    mes_worst: opinion(quality?.mesWorst ?? null),
    others,
    what_rules_out_this_server: comparison(quality, others),
    directions: (['rx', 'tx'] as const).map((direction) =>
      directionOf(
        endpoint,
        direction,
        legs.map(({ channel }) => channel),
      ),
    ),
    faults: faultsOf(legs),
    codecs: byFrequency(legs.map(({ channel }) => channel.codec)).map(([codec, count]) => ({ codec, calls: count })),
    remote_media: byFrequency(legs.map(({ channel }) => hostOfMedia(mediaEnds(channel).remote_media)))
      .slice(0, MOST_ADDRESSES)
      .map(([address, count]) => ({ address, calls: count })),
    course: (quality?.trend.buckets ?? []).map(({ startsAtMs, calls: ofBucket, badPercent, mesP5 }) => ({
      at: new Date(startsAtMs).toISOString(),
      calls: ofBucket,
      bad_percent: rounded(badPercent, 2),
      mes_p5: opinion(mesP5),
    })),
    worst_calls: legs
      .toSorted((one, other) => worstFirst(one.channel, other.channel))
      .slice(0, MOST_WORST_CALLS)
      .map(({ call, channel }) => callLine(call, channel)),
    calls_left_out: callsLeftOut,
  };
}

export type TrunkEvidence = ReturnType<typeof trunkEvidenceOf>;

function opinion(mes: number | null): number | null {
  return mes === null ? null : roundOpinion(mes);
}

/** How calls without the trunk went, and how likely the difference is by chance alone. */
function othersOf(quality: CallQuality | null, all: CallQuality, calls: readonly CallWithChannels[] | null) {
  // A call may be bad because of its other leg alone, so count whole calls. Where there are too many of them, count the trunk's
  // legs.
  const own = {
    judged: calls?.filter(({ verdict }) => isJudged(verdict)).length ?? quality?.judgedCalls ?? 0,
    bad: calls?.filter(({ verdict }) => isBad(verdict)).length ?? quality?.badCalls ?? 0,
  };
  const judged = Math.max(0, all.judgedCalls - own.judged);
  const bad = Math.min(judged, Math.max(0, all.badCalls - own.bad));
  return {
    judged_calls: judged,
    bad_calls: bad,
    bad_percent: judged === 0 ? null : rounded((100 * bad) / judged, 2),
    p_value:
      quality === null || judged === 0 || quality.judgedCalls === 0
        ? null
        : fisherExact(quality.badCalls, quality.judgedCalls, bad, judged),
  };
}

function comparison(quality: CallQuality | null, others: ReturnType<typeof othersOf>): string | null {
  if (quality === null || others.p_value === null || others.p_value > CHANCE) return null;
  const [share, otherShare] = [quality.badPercent ?? 0, others.bad_percent ?? 0];
  if (share <= otherShare) return null;
  return `Of the calls over this trunk ${rounded(share, 1)} % were bad, of all ${others.judged_calls} other calls of this server in the same time ${rounded(otherShare, 1)} %. By chance alone so large a difference comes about less often than once in a hundred times.`;
}

/** Means over all legs: loss weighted by packets, jitter and round trip by reports. */
function directionOf(endpoint: string, direction: Direction, channels: readonly ChannelRecord[]) {
  const streams = channels.flatMap((channel) =>
    channel.streams.filter((stream) => stream.direction === direction && stream.reports > 0),
  );
  const counted = streams.filter(
    ({ packetsExpected, packetsLost }) => packetsExpected !== null && packetsLost !== null,
  );
  const sum = (values: readonly (number | null)[]): number =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const expected = sum(counted.map(({ packetsExpected }) => packetsExpected));
  const lost = sum(counted.map(({ packetsLost }) => packetsLost));
  const [from, to] = direction === 'rx' ? [endpoint, 'this server'] : ['this server', endpoint];
  return {
    direction,
    from,
    to,
    measured_by: direction === 'rx' ? 'this server, of what it received' : `${endpoint}, of what it received (RTCP)`,
    calls: streams.length,
    reports: sum(streams.map(({ reports }) => reports)),
    packets_expected: counted.length === 0 ? null : expected,
    packets_lost: counted.length === 0 ? null : lost,
    loss_percent: expected > 0 ? rounded(Math.max(0, (100 * lost) / expected), 2) : null,
    jitter_ms: meanAndMax(streams.map(({ jitterMs }) => jitterMs)),
    rtt_ms: meanAndMax(streams.map(({ rttMs }) => rttMs)),
  };
}

function meanAndMax(summaries: readonly SampleSummary[]) {
  const known = summaries.filter(({ count, mean }) => count > 0 && mean !== null);
  const count = known.reduce((total, summary) => total + summary.count, 0);
  const total = known.reduce((sum, summary) => sum + summary.count * (summary.mean ?? 0), 0);
  return {
    mean: count === 0 ? null : rounded(total / count, 1),
    max: count === 0 ? null : rounded(Math.max(...known.map(({ max }) => max ?? 0)), 1),
  };
}

/** On which side of this server the faults of bad calls lie, as far as their directions show it. */
function faultsOf(legs: readonly { readonly call: CallWithChannels; readonly channel: ChannelRecord }[]) {
  const faults = { at_trunk: 0, at_other_side: 0, both: 0, this_server: 0, not_known: 0 };
  for (const { call, channel } of legs) {
    if (!isBad(channel.verdict)) continue;
    const { faultPlace } = call;
    if (faultPlace === 'both-networks') faults.both++;
    else if (faultPlace === 'this-server') faults.this_server++;
    else if (faultPlace === null || faultPlace === 'none') faults.not_known++;
    else if (faultPlace.startsWith('caller') === (channel.uniqueid === channel.linkedid)) faults.at_trunk++;
    else faults.at_other_side++;
  }
  return faults;
}

/** Values by how often they occur, the most frequent first; null is left out. */
function byFrequency<Value extends string>(values: readonly (Value | null)[]): [Value, number][] {
  const known = values.filter((value) => value !== null);
  return [...Map.groupBy(known, (value) => value)]
    .map(([value, group]): [Value, number] => [value, group.length])
    .toSorted(([one, many], [other, more]) => more - many || one.localeCompare(other));
}

/** The address without its port, which differs in each call. */
function hostOfMedia(media: string | null): string | null {
  return media === null ? null : media.slice(0, media.lastIndexOf(':'));
}

const RANK = ['no-media', 'one-way-rx', 'one-way-tx', 'bad', 'poor', 'fair', 'good'];

function worstFirst(one: ChannelRecord, other: ChannelRecord): number {
  const rank = ({ verdict }: ChannelRecord): number => {
    const place = RANK.indexOf(verdict ?? '');
    return place < 0 ? RANK.length : place;
  };
  return rank(one) - rank(other) || (one.mes ?? 5) - (other.mes ?? 5) || one.startedAtMs - other.startedAtMs;
}

function callLine(call: CallWithChannels, channel: ChannelRecord) {
  const measured = (direction: Direction) => {
    const stream: StreamRecord | undefined = channel.streams.find((candidate) => candidate.direction === direction);
    return {
      loss_percent: rounded(stream?.lossPercent ?? null, 2),
      jitter_ms: rounded(stream?.jitterMs.mean ?? null, 1),
      rtt_ms: rounded(stream?.rttMs.mean ?? null, 1),
    };
  };
  return {
    linkedid: call.linkedid,
    started_at: new Date(channel.startedAtMs).toISOString(),
    ended_at: iso(channel.endedAtMs),
    caller_number: channel.callerNumber,
    connected_number: channel.connectedNumber,
    dialled: channel.exten,
    sip_call_id: channel.sipCallId,
    remote_media: mediaEnds(channel).remote_media,
    codec: channel.codec,
    verdict: channel.verdict,
    mes: opinion(channel.mes),
    rx: measured('rx'),
    tx: measured('tx'),
    fault_place: call.faultPlace,
    fault_certainty: call.faultCertainty,
  };
}
