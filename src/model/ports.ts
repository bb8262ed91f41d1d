import type { CallEnder } from './call-end.ts';
import type { AudioFinding } from './capture.ts';
import type { FaultPlace } from './fault.ts';
import type { RecordOf, SampleSummary } from './fields/field.ts';
import type {
  BUCKET_QUALITY_FIELDS,
  ENDPOINT_QUALITY_FIELDS,
  GROUP_QUALITY_FIELDS,
  HALF_QUALITY_FIELDS,
  LEGS_QUALITY_FIELDS,
  QUALITY_FIELDS,
  TREND_BUCKET_FIELDS,
} from './fields/quality-fields.ts';
import type { RatingWish } from './people/rating.ts';
import type {
  CallRecord,
  ChannelRecord,
  HistoryChange,
  IntervalRecord,
  SegmentRecord,
  StreamRecord,
} from './record.ts';
import type { Verdict } from './score.ts';

/** Epoch milliseconds. */
export interface Clock {
  nowMs(): number;
}

/** Records changes. It never makes the caller wait, and counts what it drops. */
export interface HistorySink {
  record(change: HistoryChange): void;
  /** Commits what is recorded so far without waiting for more. */
  hurry(): void;
}

/**
 * What to write to a channel, by name: variables such as `MES` → `4.31`, and fields of its CDR such as `mes` → `4.31`. An empty
 * value takes back one that is not known any more.
 */
export interface ChannelValues {
  readonly variables: ReadonlyMap<string, string>;
  readonly cdrFields: ReadonlyMap<string, string>;
}

/** The write-back port. It never waits, and counts what it cannot write. */
export interface VariableWriter {
  write(uniqueid: string, values: ChannelValues): void;
  /** The channel has ended. */
  forget(uniqueid: string): void;
  /** The channel goes on although its final scores were asked for: write to it again. */
  reopen(uniqueid: string): void;
}

/** A channel of a call that was up when the history was last written, with the state to go on from. */
export interface ResumableChannel {
  readonly channel: ChannelRecord;
  /** The stored state; null: there is none, so rebuild it from the channel and all its reports. */
  readonly resume: string | null;
  /** The reports that were stored after that state, in the order of arrival. */
  readonly laterIntervals: readonly IntervalRecord[];
}

/** A filter for calls. A list fits a call that has one of its values; lists are never empty. */
export interface CallFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Endpoints of any channel of the call, exact, or with `*` at their end. */
  readonly endpoints?: readonly string[] | undefined;
  /** With endpoints: calls that one of them made (`from`) or got (`to`). */
  readonly direction?: 'from' | 'to' | undefined;
  readonly codecs?: readonly string[] | undefined;
  /** Callers' or connected numbers of any channel of the call, as stored: exact, or their beginning with `*` at its end. */
  readonly numbers?: readonly string[] | undefined;
  /** Make, model and firmware at any channel of the call: exact, or their beginning with `*` at its end. */
  readonly devices?: readonly string[] | undefined;
  /** Site of any channel of the call: exact, or a prefix with `*` at its end. */
  readonly sites?: readonly string[] | undefined;
  /** Any of these endpoints or numbers takes part in the call. */
  readonly party?: { readonly endpoints: readonly string[]; readonly numbers: readonly string[] } | undefined;
  /** Tags of the call, exact. */
  readonly tags?: readonly string[] | undefined;
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly faultPlaces?: readonly FaultPlace[] | undefined;
  /** Who hung up. */
  readonly enders?: readonly CallEnder[] | undefined;
  /** Findings in the audio of any party. */
  readonly findings?: readonly AudioFinding[] | undefined;
  /** `none`: calls without a rating. Otherwise calls with a rating that fits. */
  readonly rating?: 'none' | RatingWish | undefined;
  readonly maxMes?: number | undefined;
  readonly minMes?: number | undefined;
  /** Length of ended calls; a live call has none yet. */
  readonly minDurationS?: number | undefined;
  readonly maxDurationS?: number | undefined;
}

/** An order other than newest first, over the newest 10,000 matching calls. Unknown values come last. */
export type CallOrder = 'lowest-score' | 'highest-score' | 'lowest-minimum' | 'shortest' | 'longest';

/** Options for a list of calls. */
export interface CallListing {
  /** The order; absent: newest first. With an order there is no next page. */
  readonly order?: CallOrder | undefined;
  /** True: count the matching calls. */
  readonly isCounted?: boolean | undefined;
}

/** One page of calls. */
export interface CallPage {
  readonly calls: CallWithChannels[];
  /** Null on the last page. */
  readonly next: CallCursor | null;
  /** Number of matching calls; null: more than 10,000; undefined: not counted. */
  readonly matching?: number | null | undefined;
}

/** Position in the list of calls, newest first: the last row already given. */
export interface CallCursor {
  readonly startedAtMs: number;
  readonly linkedid: string;
  /** On a fleet, where two PBXs may have the same linkedid. */
  readonly pbx?: string | undefined;
}

/** The PBX of a record, on a fleet. */
export interface PbxPart {
  readonly pbx?: string | undefined;
  /** The site of that PBX. */
  readonly site?: string | undefined;
}

export interface CallWithChannels extends CallRecord, PbxPart {
  readonly channels: readonly ChannelRecord[];
}

/** Calls that began from `fromMs` on and before `toMs`, epoch milliseconds. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** `fromMs` is not before 1970. */
export interface SummaryQuery extends TimeRange {
  /** Length of each stretch. Stretches begin at whole multiples of it since 1970 (UTC). */
  readonly bucketMs: number;
  /** Only calls with a channel of it, and only its channels' scores; exact, or with `*` at its end. */
  readonly endpoint?: string | undefined;
}

/** The quality of several calls. Quantiles are by nearest rank of the scores as shown. */
export interface CallQuality extends RecordOf<typeof QUALITY_FIELDS> {}

/** What calls are grouped by, beside endpoints. */
export type Grouping = 'device' | 'site' | 'codec';

/** The calls of some channels. A call has the mean score of its channels among them, and any fault of them. */
export interface LegsQuality extends RecordOf<typeof LEGS_QUALITY_FIELDS> {}

/** The calls of an endpoint or trunk. */
export interface EndpointQuality extends RecordOf<typeof ENDPOINT_QUALITY_FIELDS>, PbxPart {}

/** The calls of a device, site or codec. */
export interface GroupQuality extends RecordOf<typeof GROUP_QUALITY_FIELDS> {}

export interface BucketQuality extends RecordOf<typeof BUCKET_QUALITY_FIELDS> {}

/** How later calls compare with earlier ones. */
export type Course = 'better' | 'worse' | 'steady';

/** One half of a range. */
export interface HalfQuality extends RecordOf<typeof HALF_QUALITY_FIELDS> {}

/** An endpoint's calls over time. */
export interface EndpointTrend {
  /** Oldest first. A stretch without calls has no score (null). */
  readonly buckets: readonly RecordOf<typeof TREND_BUCKET_FIELDS>[];
  /** The halves meet at the border of two stretches that is nearest to the middle of the range. */
  readonly earlier: HalfQuality;
  readonly later: HalfQuality;
}

/** Quality and trend are of the same calls. */
export interface EndpointWithTrend extends EndpointQuality {
  readonly trend: EndpointTrend;
}

/** `fromMs` is not before 1970. */
export interface TrendsQuery extends TimeRange {
  /** Exact names. An endpoint without calls in the range is not in the answer. */
  readonly endpoints: readonly string[];
  /** Length of each stretch, as in a summary. */
  readonly bucketMs: number;
}

export interface HistoryReader {
  /** Newest first unless another order is asked for, at most `limit`. */
  calls(filter: CallFilter, limit: number, cursor: CallCursor | null, listing?: CallListing): Promise<CallPage>;
  /** Follows merged linkedids. */
  call(linkedid: string): Promise<CallWithChannels | null>;
  channel(uniqueid: string): Promise<ChannelRecord | null>;
  /** The segments of a channel by direction, oldest first; empty for an unknown channel. */
  segments(uniqueid: string): Promise<SegmentRecord[]>;
  /** Oldest first; null when the channel is not known. */
  intervals(uniqueid: string): Promise<IntervalRecord[] | null>;
  /** The lowest 5th percentile first, without Local channels, and how many endpoints the bounded list leaves out. */
  endpoints(range: TimeRange): Promise<{ endpoints: EndpointQuality[]; leftOut: number }>;
  /** The same by device, site or codec; what is not known is in no group. Undefined: this history has no groups. */
  groups?(range: TimeRange, by: Grouping): Promise<{ groups: GroupQuality[]; leftOut: number }>;
  /** Some endpoints, each with its trend. The caller bounds their number and that of the stretches. */
  trends(query: TrendsQuery): Promise<EndpointWithTrend[]>;
  /** Oldest first, without gaps. The caller bounds the number of stretches. */
  summary(query: SummaryQuery): Promise<BucketQuality[]>;
}

/** Observes channels that have ended, with their final scores, perhaps more than once per channel. Never waits. */
export interface ChannelSink {
  channelEnded(channel: ChannelRecord): void;
}

/** The channels that are up now, from memory. */
export interface LiveView {
  readonly liveCount: number;
  /** In the order in which they came. */
  liveUniqueids(): string[];
  /** As it is now; null when it is up no more. */
  liveChannel(uniqueid: string): ChannelRecord | null;
  /** A small part of that, at a fraction of its time and memory. */
  liveMedia(uniqueid: string): LiveMedia | null;
}

/** Sums over the reports of one direction so far. */
export interface MediaSums extends Pick<
  StreamRecord,
  'direction' | 'reporter' | 'reports' | 'deadReports' | 'packetsExpected' | 'packetsLost'
> {
  readonly jitterMs: SampleSums;
  readonly rttMs: SampleSums;
}

export type SampleSums = Pick<SampleSummary, 'last' | 'mean' | 'stdev' | 'count'>;

/** What is watched of a live channel's media. */
export interface LiveMedia extends Pick<
  ChannelRecord,
  'uniqueid' | 'linkedid' | 'endpoint' | 'site' | 'startedAtMs' | 'endedAtMs' | 'answeredAtMs' | 'onHold' | 'verdict'
> {
  readonly streams: readonly MediaSums[];
}

/** Calls that are up or ended some seconds ago, as they are now. Their stored rows may be some seconds old. */
export interface CurrentCalls {
  /** Null when it is not in memory. */
  channelNow(uniqueid: string): ChannelRecord | null;
  callNow(linkedid: string): CallWithChannels | null;
  /** For each direction with reports, the RTP session that it is in, or was in last. */
  segmentsNow(uniqueid: string): SegmentRecord[];
}

/** A counter for Prometheus with labels whose possible values are bounded. */
export interface LabelledCounter {
  /** Without the product's prefix and without `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The data of `/healthz` and `/readyz`. */
export interface HealthView {
  health(): HealthReport;
}

/** `off`: not enabled. `waiting`: enabled, but it does not work yet. */
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
