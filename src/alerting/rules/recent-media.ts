import type { LegSample } from '../../model/alert.ts';
import type { LiveMedia, MediaSums, SampleSums } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
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

/** The sums of a channel at an earlier time. */
interface Look {
  readonly atMs: number;
  readonly streams: readonly MediaSums[];
}

/** Sums of live channels some seconds ago. The difference to the present sums is what happened since. */
export class RecentLooks {
  readonly #looks = new Map<string, Look[]>();
  readonly #badSinceMs = new Map<string, number>();
  readonly #knownToBeBad = new Map<string, number>();

  /** After a restart: this endpoint's leg of the call was bad since `sinceMs`, and stays so until its reports say otherwise. */
  wasBad(linkedid: string, endpoint: string, sinceMs: number): void {
    this.#knownToBeBad.set(`${linkedid} ${endpoint}`, sinceMs);
  }

  /** Samples a live channel over the last `RECENT_MS`. */
  look(channel: LiveMedia, nowMs: number, rules: RecentRules): LegSample {
    const looks = this.#looks.get(channel.uniqueid) ?? this.#firstLook(channel, nowMs);
    // Keep the newest one that is old enough: the next samples are compared with it.
    while (looks[1] !== undefined && nowMs - looks[1].atMs >= RECENT_MS) looks.shift();
    const [before] = looks;
    looks.push({ atMs: nowMs, streams: channel.streams });
    this.#looks.set(channel.uniqueid, looks);
    const sample = liveSample(channel, before?.streams ?? [], rules);
    return { ...sample, badSinceMs: this.#badSince(sample, nowMs) };
  }

  /** A call that was up before the sidecar started: its sums say nothing about its last seconds. */
  #firstLook(channel: LiveMedia, nowMs: number): Look[] {
    const name = `${channel.linkedid} ${channel.endpoint}`;
    const sinceMs = this.#knownToBeBad.get(name);
    if (sinceMs !== undefined) this.#badSinceMs.set(channel.uniqueid, sinceMs);
    this.#knownToBeBad.delete(name);
    return nowMs - channel.startedAtMs > RECENT_MS ? [{ atMs: nowMs, streams: channel.streams }] : [];
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

/** The sample of a live channel since the earlier sums `before`, or since it began when those are empty. */
export function liveSample(channel: LiveMedia, before: readonly MediaSums[], rules: RecentRules): LegSample {
  const rttMs = highest(channel.streams.map((stream) => meanSince(stream, earlier(before, stream), 'rttMs')));
  const measures = channel.streams.map((stream) => measureSince(stream, earlier(before, stream), rttMs, rules.profile));
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

function earlier(before: readonly MediaSums[], { direction }: MediaSums): MediaSums | null {
  return before.find((stream) => stream.direction === direction) ?? null;
}

/** Null: no report with packets came since `before`. */
function measureSince(
  now: MediaSums,
  before: MediaSums | null,
  rttMs: number | null,
  profile: MesProfile,
): RecentMeasure | null {
  const expected = (now.packetsExpected ?? 0) - (before?.packetsExpected ?? 0);
  const lost = Math.max(0, (now.packetsLost ?? 0) - (before?.packetsLost ?? 0));
  const reports = now.reports - (before?.reports ?? 0);
  const jitter = jitterSince(now.jitterMs, before?.jitterMs ?? null);
  if (now.deadReports - (before?.deadReports ?? 0) > 0 && lost >= expected) {
    return { mes: DEAD_OPINION, lossPercent: 100, jitterMs: jitter.meanMs };
  }
  if (expected <= 0 || reports <= 0) return null;
  const lossPercent = Math.min(100, (100 * lost) / expected);
  const { mes } = computeMes(profile, {
    direction: now.direction,
    rttMeanMs: rttMs ?? undefined,
    jitterMeanMs: jitter.meanMs,
    jitterLastMs: now.jitterMs.last ?? 0,
    jitterStdevMs: jitter.stdevMs,
    lostPacketsMean: lost / reports,
    cumulativeLostMean: lost,
    lossPercent,
  });
  return { mes, lossPercent, jitterMs: jitter.meanMs };
}

/** Mean and deviation of the samples since `before`, from both sums: n·mean and n·(stdev² + mean²). */
function jitterSince(now: SampleSums, before: SampleSums | null): { meanMs: number; stdevMs: number } {
  const count = now.count - (before?.count ?? 0);
  if (count <= 0) return { meanMs: 0, stdevMs: 0 };
  const meanMs = (sumOf(now) - sumOf(before)) / count;
  const squares = (squaresOf(now) - squaresOf(before)) / count;
  return { meanMs: Math.max(0, meanMs), stdevMs: Math.sqrt(Math.max(0, squares - meanMs * meanMs)) };
}

function meanSince(now: MediaSums, before: MediaSums | null, name: 'rttMs'): number | null {
  const count = now[name].count - (before?.[name].count ?? 0);
  return count <= 0 ? null : Math.max(0, (sumOf(now[name]) - sumOf(before?.[name] ?? null)) / count);
}

function sumOf(summary: SampleSums | null): number {
  return summary === null ? 0 : summary.count * (summary.mean ?? 0);
}

function squaresOf(summary: SampleSums | null): number {
  if (summary === null) return 0;
  const { count, mean, stdev } = summary;
  return count * ((stdev ?? 0) ** 2 + (mean ?? 0) ** 2);
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
