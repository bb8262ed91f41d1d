import type { CallWithChannels } from '../../model/ports.ts';
import type { ChannelRecord, StreamRecord } from '../../model/record.ts';
import type { SampleSummary } from '../../model/fields/field.ts';
import type { Direction } from '../../model/report.ts';
import { iso, mediaEnds, opinion, rounded } from './evidence.ts';
import { isBad, isJudged } from '../rules/rule-value.ts';

/** Bound on the calls that are listed one by one, the worst first. */
export const MOST_WORST_CALLS = 100;
/** So many are kept before they are sorted and cut. */
const MOST_KEPT_CALLS = 4 * MOST_WORST_CALLS;
const MOST_ADDRESSES = 50;

type CallLine = ReturnType<typeof callLine>;
/** By what the worst legs are found. */
type Ranked = Pick<ChannelRecord, 'verdict' | 'mes' | 'startedAtMs'>;

/** What the calls of a trunk add up to. They come in parts, and none is kept but the worst. */
export class TrunkCalls {
  taken = 0;
  /** Of whole calls: one may be bad because of its other leg alone. */
  judgedCalls = 0;
  badCalls = 0;
  /** On which side of this server the faults of its bad calls lie, as far as their directions show it. */
  readonly faults = { at_trunk: 0, at_other_side: 0, both: 0, this_server: 0, not_known: 0 };
  readonly #endpoint: string;
  readonly #rx: DirectionSum;
  readonly #tx: DirectionSum;
  readonly #codecs = new Map<string, number>();
  readonly #mediaHosts = new Map<string, number>();
  #worst: { readonly channel: Ranked; readonly line: CallLine }[] = [];

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#rx = new DirectionSum('rx', endpoint);
    this.#tx = new DirectionSum('tx', endpoint);
  }

  take(calls: readonly CallWithChannels[]): void {
    this.taken += calls.length;
    for (const call of calls) this.#takeCall(call);
  }

  #takeCall(call: CallWithChannels): void {
    this.judgedCalls += Number(isJudged(call.verdict));
    this.badCalls += Number(isBad(call.verdict));
    for (const channel of call.channels) if (channel.endpoint === this.#endpoint) this.#takeLeg(call, channel);
  }

  get directions() {
    return [this.#rx.answer, this.#tx.answer];
  }

  /** With how many calls had them, the most frequent first. */
  get codecs(): [string, number][] {
    return byFrequency(this.#codecs);
  }

  /** Addresses without ports, which differ in each call; as `codecs`. */
  get mediaHosts(): [string, number][] {
    return byFrequency(this.#mediaHosts).slice(0, MOST_ADDRESSES);
  }

  get worst(): CallLine[] {
    this.#cutWorst();
    return this.#worst.map(({ line }) => line);
  }

  #takeLeg(call: CallWithChannels, channel: ChannelRecord): void {
    for (const stream of channel.streams) {
      if (stream.reports > 0) (stream.direction === 'rx' ? this.#rx : this.#tx).take(stream);
    }
    if (isBad(channel.verdict)) this.#takeFault(call, channel);
    count(this.#codecs, channel.codec);
    count(this.#mediaHosts, hostOfMedia(mediaEnds(channel).remote_media));
    const { verdict, mes, startedAtMs } = channel;
    this.#worst.push({ channel: { verdict, mes, startedAtMs }, line: callLine(call, channel) });
    if (this.#worst.length >= MOST_KEPT_CALLS) this.#cutWorst();
  }

  #takeFault({ faultPlace }: CallWithChannels, { uniqueid, linkedid }: ChannelRecord): void {
    const { faults } = this;
    if (faultPlace === 'both-networks') faults.both++;
    else if (faultPlace === 'this-server') faults.this_server++;
    else if (faultPlace === null || faultPlace === 'none') faults.not_known++;
    else if (faultPlace.startsWith('caller') === (uniqueid === linkedid)) faults.at_trunk++;
    else faults.at_other_side++;
  }

  #cutWorst(): void {
    this.#worst = this.#worst
      .toSorted((one, other) => worstFirst(one.channel, other.channel))
      .slice(0, MOST_WORST_CALLS);
  }
}

/** Means over all legs: loss weighted by packets, jitter and round trip by reports. */
class DirectionSum {
  readonly #direction: Direction;
  readonly #endpoint: string;
  #calls = 0;
  #reports = 0;
  /** Null: no stream has both counts. */
  #expected: number | null = null;
  #lost = 0;
  readonly #jitterMs = new MeanAndMax();
  readonly #rttMs = new MeanAndMax();

  constructor(direction: Direction, endpoint: string) {
    this.#direction = direction;
    this.#endpoint = endpoint;
  }

  take({ reports, packetsExpected, packetsLost, jitterMs, rttMs }: StreamRecord): void {
    this.#calls++;
    this.#reports += reports;
    if (packetsExpected !== null && packetsLost !== null) {
      this.#expected = (this.#expected ?? 0) + packetsExpected;
      this.#lost += packetsLost;
    }
    this.#jitterMs.take(jitterMs);
    this.#rttMs.take(rttMs);
  }

  get answer() {
    const [direction, endpoint, expected] = [this.#direction, this.#endpoint, this.#expected];
    const [from, to] = direction === 'rx' ? [endpoint, 'this server'] : ['this server', endpoint];
    return {
      direction,
      from,
      to,
      measured_by: direction === 'rx' ? 'this server, of what it received' : `${endpoint}, of what it received (RTCP)`,
      calls: this.#calls,
      reports: this.#reports,
      packets_expected: expected,
      packets_lost: expected === null ? null : this.#lost,
      loss_percent: (expected ?? 0) > 0 ? rounded(Math.max(0, (100 * this.#lost) / (expected ?? 0)), 2) : null,
      jitter_ms: this.#jitterMs.answer,
      rtt_ms: this.#rttMs.answer,
    };
  }
}

class MeanAndMax {
  #count = 0;
  #total = 0;
  #max = 0;

  take({ count: samples, mean, max }: SampleSummary): void {
    if (samples === 0 || mean === null) return;
    this.#count += samples;
    this.#total += samples * mean;
    this.#max = Math.max(this.#max, max ?? 0);
  }

  get answer() {
    const isKnown = this.#count > 0;
    return {
      mean: isKnown ? rounded(this.#total / this.#count, 1) : null,
      max: isKnown ? rounded(this.#max, 1) : null,
    };
  }
}

function count(counts: Map<string, number>, value: string | null): void {
  if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
}

function byFrequency(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].toSorted(([one, many], [other, more]) => more - many || one.localeCompare(other));
}

/** The address without its port, which differs in each call. */
function hostOfMedia(media: string | null): string | null {
  return media === null ? null : media.slice(0, media.lastIndexOf(':'));
}

const RANK = ['no-media', 'one-way-rx', 'one-way-tx', 'bad', 'poor', 'fair', 'good'];

function worstFirst(one: Ranked, other: Ranked): number {
  const rank = ({ verdict }: Ranked): number => {
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
