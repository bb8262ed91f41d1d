import type { LegSample } from '../../model/alert.ts';
import type { LiveMedia, MediaSums, SampleSums } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { Direction } from '../../model/report.ts';
import type { MesProfile, Verdict, VerdictThresholds } from '../../model/score.ts';
import { computeMes, DEAD_OPINION } from '../../score/mes.ts';
import { verdictOf } from '../../score/verdict.ts';
import { isBad } from './rule-value.ts';

/** What counts as "now" for a live call. It holds two of Asterisk's reports, and two of most phones'. */
export const RECENT_MS = 20_000;

export interface RecentRules {
  readonly profile: MesProfile;
  readonly thresholds: VerdictThresholds;
}

interface RecentMeasure {
  readonly mes: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
}

/** What is kept of a look: when it was, and these sums of each direction, zeros where nothing is known. */
const SUMS = [
  'reports',
  'deadReports',
  'packetsExpected',
  'packetsLost',
  'jitters',
  'jitterMs',
  'jitterMsSquared',
  'roundTrips',
  'rttMs',
] as const;
type Sum = (typeof SUMS)[number];
const ROW = 1 + 2 * SUMS.length;
/** Looks that are kept: at one in 5 s, six are enough for `RECENT_MS`. */
const MOST_LOOKS = 7;
/** In doubles from the beginning, so that V8 keeps them without an object for each number. */
const NO_LOOKS: readonly number[] = Array.from({ length: MOST_LOOKS * ROW }, () => Number.NaN);

/** Looks at one channel in a ring, changed in place: new objects for each look would soon fill the old generation of V8's heap. */
class ChannelLooks {
  readonly #rows = NO_LOOKS.slice();
  #oldest = 0;
  #count = 0;

  /** Forgets all but the newest look that is old enough: the next samples are compared with it. */
  forgetOld(beforeMs: number): void {
    while (this.#count > 1 && (this.#rows[this.#rowOf(1)] ?? 0) <= beforeMs) this.#forgetOldest();
  }

  add(atMs: number, streams: readonly MediaSums[]): void {
    if (this.#count === MOST_LOOKS) this.#forgetOldest();
    const row = this.#rowOf(this.#count);
    this.#rows[row] = atMs;
    for (let place = row + 1; place < row + ROW; place++) this.#rows[place] = 0;
    for (const stream of streams) {
      const place = row + placeOf(stream.direction);
      for (let sum = 0; sum < SUMS.length; sum++) this.#rows[place + sum] = sumIn(stream, SUMS[sum] as Sum);
    }
    this.#count++;
  }

  /** What a direction's sum has grown by since the oldest look; all of it without one. */
  growth(stream: MediaSums, name: Sum): number {
    const now = sumIn(stream, name);
    if (this.#count === 0) return now;
    return now - (this.#rows[this.#rowOf(0) + placeOf(stream.direction) + SUMS.indexOf(name)] ?? 0);
  }

  #rowOf(look: number): number {
    return ((this.#oldest + look) % MOST_LOOKS) * ROW;
  }

  #forgetOldest(): void {
    this.#oldest++;
    this.#count--;
  }
}

function placeOf(direction: Direction): number {
  return direction === 'rx' ? 1 : 1 + SUMS.length;
}

function sumIn(stream: MediaSums, name: Sum): number {
  const { jitterMs, rttMs } = stream;
  switch (name) {
    case 'jitters':
      return jitterMs.count;
    case 'jitterMs':
      return sumOf(jitterMs);
    case 'jitterMsSquared':
      return squaresOf(jitterMs);
    case 'roundTrips':
      return rttMs.count;
    case 'rttMs':
      return sumOf(rttMs);
    default:
      return stream[name] ?? 0;
  }
}

/** Sums of live channels some seconds ago. The difference to the present sums is what happened since. */
export class RecentLooks {
  readonly #looks = new Map<string, ChannelLooks>();
  readonly #badSinceMs = new Map<string, number>();
  readonly #knownToBeBad = new Map<string, number>();

  /** After a restart: this endpoint's leg of the call was bad since `sinceMs`, and stays so until its reports say otherwise. */
  wasBad(linkedid: string, endpoint: string, sinceMs: number): void {
    this.#knownToBeBad.set(`${linkedid} ${endpoint}`, sinceMs);
  }

  /** Samples a live channel over the last `RECENT_MS`. */
  look(channel: LiveMedia, nowMs: number, rules: RecentRules): LegSample {
    const looks = this.#looks.get(channel.uniqueid) ?? this.#firstLook(channel, nowMs);
    looks.forgetOld(nowMs - RECENT_MS);
    const sample = liveSample(channel, looks, rules);
    looks.add(nowMs, channel.streams);
    return { ...sample, badSinceMs: this.#badSince(sample, nowMs) };
  }

  /** A call that was up before the sidecar started: its sums say nothing about its last seconds. */
  #firstLook(channel: LiveMedia, nowMs: number): ChannelLooks {
    const name = `${channel.linkedid} ${channel.endpoint}`;
    const sinceMs = this.#knownToBeBad.get(name);
    if (sinceMs !== undefined) this.#badSinceMs.set(channel.uniqueid, sinceMs);
    this.#knownToBeBad.delete(name);
    const looks = new ChannelLooks();
    if (nowMs - channel.startedAtMs > RECENT_MS) looks.add(nowMs, channel.streams);
    this.#looks.set(channel.uniqueid, looks);
    return looks;
  }

  /** Unknown seconds neither begin nor end a bad stretch. */
  #badSince({ uniqueid, verdict }: LegSample, nowMs: number): number | null {
    const sinceMs = this.#badSinceMs.get(uniqueid) ?? null;
    if (verdict === null) return sinceMs;
    if (!isBad(verdict)) {
      this.#badSinceMs.delete(uniqueid);
      return null;
    }
    if (sinceMs === null) this.#badSinceMs.set(uniqueid, nowMs);
    return sinceMs ?? nowMs;
  }

  forget(uniqueid: string): void {
    this.#looks.delete(uniqueid);
    this.#badSinceMs.delete(uniqueid);
  }

  /** Forgets channels that are not up any more. */
  keepOnly(uniqueids: ReadonlySet<string>): void {
    for (const uniqueid of this.#looks.keys()) if (!uniqueids.has(uniqueid)) this.forget(uniqueid);
  }
}

/** The sample of an ended channel, over its whole time. */
export function endedSample(channel: ChannelRecord): LegSample {
  return {
    ...commonOf(channel),
    verdict: channel.verdict,
    mes: channel.mes,
    lossPercent: highest(channel.streams.map(({ lossPercent }) => lossPercent)),
    jitterMs: highest(channel.streams.map(({ jitterMs }) => jitterMs.mean)),
    rttMs: highest(channel.streams.map(({ rttMs }) => rttMs.mean)),
  };
}

/** The sample of a live channel since the oldest look, or since it began when there is none. */
function liveSample(channel: LiveMedia, looks: ChannelLooks, rules: RecentRules): LegSample {
  const rttMs = highest(channel.streams.map((stream) => roundTripSince(stream, looks)));
  const measures = channel.streams.map((stream) => measureSince(stream, looks, rttMs, rules.profile));
  const known = measures.filter((measure) => measure !== null);
  const mes = known.length === 0 ? null : Math.min(...known.map((measure) => measure.mes));
  return {
    ...commonOf(channel),
    verdict: liveVerdict(channel, mes, rules.thresholds),
    mes,
    lossPercent: highest(known.map(({ lossPercent }) => lossPercent)),
    jitterMs: highest(known.map(({ jitterMs }) => jitterMs)),
    rttMs,
  };
}

type Common = Omit<LegSample, 'verdict' | 'mes' | 'lossPercent' | 'jitterMs' | 'rttMs'>;

function commonOf(channel: LiveMedia): Common {
  const { linkedid, uniqueid, endpoint, site, startedAtMs, endedAtMs, answeredAtMs, streams } = channel;
  const hasFarReports = streams.some(({ reporter, reports }) => reporter === 'remote' && reports > 0);
  const answered = answeredAtMs !== null;
  return {
    linkedid,
    uniqueid,
    endpoint,
    site,
    startedAtMs,
    endedAtMs,
    answered,
    hasFarReports,
    badSinceMs: null,
    faultPlace: null,
  };
}

/** A silent direction has no new packets to judge, so its verdict comes from the channel. */
function liveVerdict(channel: LiveMedia, mes: number | null, thresholds: VerdictThresholds): Verdict | null {
  const { verdict } = channel;
  if (channel.onHold) return null;
  if (verdict === 'no-media' || verdict === 'one-way-rx' || verdict === 'one-way-tx') return verdict;
  return mes === null ? null : verdictOf(mes, thresholds);
}

/** Null: no report with packets came since the look. */
function measureSince(
  stream: MediaSums,
  looks: ChannelLooks,
  rttMs: number | null,
  profile: MesProfile,
): RecentMeasure | null {
  const expected = looks.growth(stream, 'packetsExpected');
  const lost = Math.max(0, looks.growth(stream, 'packetsLost'));
  const reports = looks.growth(stream, 'reports');
  const jitter = jitterSince(stream, looks);
  if (looks.growth(stream, 'deadReports') > 0 && lost >= expected) {
    return { mes: DEAD_OPINION, lossPercent: 100, jitterMs: jitter.meanMs };
  }
  if (expected <= 0 || reports <= 0) return null;
  const lossPercent = Math.min(100, (100 * lost) / expected);
  const { mes } = computeMes(profile, {
    direction: stream.direction,
    rttMeanMs: rttMs ?? undefined,
    jitterMeanMs: jitter.meanMs,
    jitterLastMs: stream.jitterMs.last ?? 0,
    jitterStdevMs: jitter.stdevMs,
    lostPacketsMean: lost / reports,
    cumulativeLostMean: lost,
    lossPercent,
  });
  return { mes, lossPercent, jitterMs: jitter.meanMs };
}

/** Mean and deviation of the samples since the look, from the sums of both: n·mean and n·(stdev² + mean²). */
function jitterSince(stream: MediaSums, looks: ChannelLooks): { meanMs: number; stdevMs: number } {
  const count = looks.growth(stream, 'jitters');
  if (count <= 0) return { meanMs: 0, stdevMs: 0 };
  const meanMs = looks.growth(stream, 'jitterMs') / count;
  const squares = looks.growth(stream, 'jitterMsSquared') / count;
  return { meanMs: Math.max(0, meanMs), stdevMs: Math.sqrt(Math.max(0, squares - meanMs * meanMs)) };
}

function roundTripSince(stream: MediaSums, looks: ChannelLooks): number | null {
  const count = looks.growth(stream, 'roundTrips');
  return count <= 0 ? null : Math.max(0, looks.growth(stream, 'rttMs') / count);
}

function sumOf({ count, mean }: SampleSums): number {
  return count * (mean ?? 0);
}

function squaresOf({ count, mean, stdev }: SampleSums): number {
  return count * ((stdev ?? 0) ** 2 + (mean ?? 0) ** 2);
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
