import type { CallRecord, ChannelRecord, HistoryChange, IntervalRecord, SegmentRecord } from './record.ts';
import type { Verdict } from './score.ts';

/** Epoch milliseconds. */
export interface Clock {
  nowMs(): number;
}

/** Takes changes without ever making the caller wait; what it cannot keep it counts. */
export interface HistorySink {
  record(change: HistoryChange): void;
  /** What was recorded so far is not to wait for what comes. */
  hurry(): void;
}

/**
 * What is to be written to a channel, name → value: variables such as `MES` → `4.31`, and fields of its CDR such as
 * `mes` → `4.31`. An empty value takes back one that is not known any more.
 */
export interface ChannelValues {
  readonly variables: ReadonlyMap<string, string>;
  readonly cdrFields: ReadonlyMap<string, string>;
}

/** The write-back port. Never waits; what cannot be written is counted. */
export interface VariableWriter {
  write(uniqueid: string, values: ChannelValues): void;
  /** The channel has ended. */
  forget(uniqueid: string): void;
}

/** A channel, up or ended, of a call that was up when the history was last written, with the state to go on from. */
export interface ResumableChannel {
  readonly channel: ChannelRecord;
  readonly resume: string;
  /** Its reports that were stored after that state, in the order in which they came. */
  readonly laterIntervals: readonly IntervalRecord[];
}

export interface CallFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Endpoint of any channel of the call, exact, or with `*` at its end. */
  readonly endpoint?: string | undefined;
  readonly codec?: string | undefined;
  /** Caller's or connected number of any channel of the call, as it is stored: exact, or its beginning with `*` at its end. */
  readonly number?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly maxMes?: number | undefined;
  readonly minMes?: number | undefined;
}

/** Position in the list of calls, newest first: the last row already given. */
export interface CallCursor {
  readonly startedAtMs: number;
  readonly linkedid: string;
}

export interface CallWithChannels extends CallRecord {
  readonly channels: readonly ChannelRecord[];
}

/** Calls that began from `fromMs` on and before `toMs`, epoch milliseconds. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** `fromMs` is not before 1970. */
export interface SummaryQuery extends TimeRange {
  /** Length of the stretches, which begin at whole multiples of it since 1970 (UTC). */
  readonly bucketMs: number;
  /** Only calls with a channel of it, and only its channels' scores; exact, or with `*` at its end. */
  readonly endpoint?: string | undefined;
}

/** How a number of calls went. Quantiles are by nearest rank, of the scores as shown; null when no call has a score. */
export interface CallQuality {
  readonly calls: number;
  /** Those with a score: mean and quantiles are of these. */
  readonly scoredCalls: number;
  /** Those with a verdict on their quality, not `too-short` or `no-rtcp`. */
  readonly judgedCalls: number;
  /** Those with verdict `bad`, `no-media`, `one-way-rx` or `one-way-tx`. */
  readonly badCalls: number;
  /** Of the judged calls; null when there are none. */
  readonly badPercent: number | null;
  readonly mesMean: number | null;
  readonly mesMedian: number | null;
  /** Of a hundred calls, five were at most this good. */
  readonly mesP5: number | null;
  readonly mesWorst: number | null;
}

/** Calls as an endpoint or trunk had them: the mean score of its channels in a call, and any of their faults. */
export interface EndpointQuality extends CallQuality {
  readonly endpoint: string;
  /** Both directions together, weighted by packets, jitter and round trip by reports; null is not known. */
  readonly lossPercent: number | null;
  readonly jitterMeanMs: number | null;
  readonly rttMeanMs: number | null;
}

export interface BucketQuality extends CallQuality {
  readonly startsAtMs: number;
}

/** How calls of a later time went beside those of an earlier one. */
export type Course = 'better' | 'worse' | 'steady';

/** One half of a range. */
export interface HalfQuality extends CallQuality {
  /** Of the scored calls those that scored at most the 5th percentile of both halves together. */
  readonly lowCalls: number;
}

/** An endpoint's calls over time. */
export interface EndpointTrend {
  /** Oldest first, also where there was no call: its score is null. */
  readonly buckets: readonly Pick<BucketQuality, 'startsAtMs' | 'calls' | 'badPercent' | 'mesP5'>[];
  /** They part where two stretches meet, as near to the middle of the range as there is such a place. */
  readonly earlier: HalfQuality;
  readonly later: HalfQuality;
}

/** Quality and trend are of the same calls. */
export interface EndpointWithTrend extends EndpointQuality {
  readonly trend: EndpointTrend;
}

/** `fromMs` is not before 1970. */
export interface TrendsQuery extends TimeRange {
  /** Exact. One of which there is no call in the range is not in the answer. */
  readonly endpoints: readonly string[];
  /** Length of the stretches, as in a summary. */
  readonly bucketMs: number;
}

export interface HistoryReader {
  /** Newest first, at most `limit`; `next` is null on the last page. */
  calls(
    filter: CallFilter,
    limit: number,
    cursor: CallCursor | null,
  ): Promise<{ calls: CallWithChannels[]; next: CallCursor | null }>;
  /** Follows merged linkedids. */
  call(linkedid: string): Promise<CallWithChannels | null>;
  channel(uniqueid: string): Promise<ChannelRecord | null>;
  /** Of a channel, by direction, oldest first; empty when there are none or the channel is not known. */
  segments(uniqueid: string): Promise<SegmentRecord[]>;
  /** Oldest first; null when the channel is not known. */
  intervals(uniqueid: string): Promise<IntervalRecord[] | null>;
  /** The worst 5th percentile first, without Local channels; how many endpoints the bounded list leaves out. */
  endpoints(range: TimeRange): Promise<{ endpoints: EndpointQuality[]; leftOut: number }>;
  /** Some of those, each with its trend; the caller sees to it that neither they nor their stretches are too many. */
  trends(query: TrendsQuery): Promise<EndpointWithTrend[]>;
  /** Oldest first, without gaps; the caller sees to it that there are not too many. */
  summary(query: SummaryQuery): Promise<BucketQuality[]>;
}

/** Is told of channels that have ended, with their final scores; of one perhaps more than once. Never waits. */
export interface ChannelSink {
  channelEnded(channel: ChannelRecord): void;
}

/** The channels that are up now, straight from memory. */
export interface LiveView {
  readonly liveCount: number;
  liveChannels(): ChannelRecord[];
}

/** What `/healthz` and `/readyz` are made of. */
export interface HealthView {
  health(): HealthReport;
}

/** `off`: it is not set. `waiting`: it is, but does not work. */
export interface CaptureHealth {
  readonly status: 'off' | 'capturing' | 'waiting';
  /** Why not, in one sentence; null unless waiting. */
  readonly problem: string | null;
}

export interface HealthReport {
  readonly amiConnected: boolean;
  /** Why not, in one sentence; null when connected. */
  readonly amiProblem: string | null;
  /** Null when ARI is not configured. */
  readonly ariConnected: boolean | null;
  readonly historyWritable: boolean;
  readonly historyProblem: string | null;
  readonly asteriskVersion: string | null;
  /** The history's file and its write-ahead log; null when they cannot be seen. */
  readonly databaseBytes: number | null;
  readonly capture: CaptureHealth;
  readonly counters: Readonly<Record<string, number>>;
}
