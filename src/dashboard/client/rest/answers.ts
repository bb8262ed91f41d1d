import type { JsonOf } from '../../../model/fields/field.ts';
import type { STREAM_FIELDS } from '../../../model/fields/stream-fields.ts';
import type { RatedAnswer } from './rating-answers.ts';
import type { Direction, Verdict } from './verdicts.ts';

/** The answers of REST, as far as the pages show them. Null is "not known". A type check compares them with the API's schemas. */

export type { Direction, Verdict };

export interface Summary {
  readonly last: number | null;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly stdev: number | null;
  readonly count: number;
}

/** One direction of a channel. Its fields are those of the table of fields, so a new one needs no line here. */
export interface Stream extends JsonOf<typeof STREAM_FIELDS> {
  readonly captured: boolean;
  /** Only in the answer about one call, as is `capture`. */
  readonly voip_metrics?: VoipMetrics | null | undefined;
  readonly capture?: Capture | null | undefined;
}

export interface VoipMetrics {
  readonly burst_density: number;
  readonly gap_density: number;
  readonly burst_duration_ms: number | null;
}

/** The capture of one direction. */
export interface Capture {
  readonly started_at: string;
  readonly ended_at: string;
  readonly packets_expected: number;
  readonly packets_lost: number;
  readonly duplicates: number;
  readonly out_of_order: number;
  readonly max_gap_ms: number;
  readonly longest_loss_ms: number | null;
  readonly jitter_buffer: { readonly discarded: number | null };
  readonly arrival_histogram: readonly HistogramBar[];
  readonly bursts: readonly Burst[];
  readonly bursts_left_out: number;
  readonly dropped_by_kernel: number;
  readonly interruptions: number;
}

export interface HistogramBar {
  readonly from_ms: number;
  readonly to_ms: number | null;
  readonly count: number;
}

export interface Burst {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  readonly lost: number;
}

export interface Segment {
  readonly direction: Direction;
  readonly segment_number: number;
  readonly opened_by: 'start' | 'hold' | 'retrieve' | 'bridge' | 'ssrc' | 'codec';
  readonly started_at: string;
  readonly codec: string | null;
}

/** The phone's own report on the audio that it received. */
export interface PhoneHearing {
  readonly network_loss_percent: number | null;
  readonly discard_percent: number | null;
  readonly burst_loss_percent: number | null;
  readonly burst_duration_ms: number | null;
  readonly gap_loss_percent: number | null;
  readonly gap_duration_ms: number | null;
  readonly round_trip_delay_ms: number | null;
  readonly end_system_delay_ms: number | null;
  readonly interarrival_jitter_ms: number | null;
  readonly mos_lq: number | null;
  readonly mos_cq: number | null;
  readonly reports: number;
  readonly user_agent: string | null;
}

/** A channel as lists show it. */
export interface Leg {
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly endpoint: string;
  readonly caller_number: string | null;
  readonly caller_name: string | null;
  readonly started_at: string;
  readonly verdict: Verdict | null;
}

export interface Channel extends Leg {
  /** The score of its call. */
  readonly mes_call: number | null;
  /** On a fleet. */
  readonly pbx?: string | undefined;
  readonly name: string;
  readonly connected_number: string | null;
  readonly connected_name: string | null;
  readonly exten: string | null;
  readonly answered_at: string | null;
  readonly ended_at: string | null;
  readonly duration_s: number;
  readonly end_reason: 'hangup' | 'vanished' | null;
  readonly hangup_cause_text: string | null;
  readonly hangup_by: 'party' | 'server' | null;
  readonly hangup_at: string | null;
  readonly sip_call_id: string | null;
  readonly on_hold: boolean;
  readonly mes: number | null;
  readonly mes_min: number | null;
  readonly last_received_at: string | null;
  readonly device: string | null;
  readonly site: string | null;
  readonly device_details: { readonly address: string | null } | null;
  readonly phone: PhoneHearing | null;
  readonly streams: readonly Stream[];
  readonly segments?: readonly Segment[] | undefined;
}

/** A call as a list shows it, with `fields=summary`. */
export interface CallSummary {
  /** The PBX, on a fleet. */
  readonly pbx?: string | undefined;
  readonly linkedid: string;
  readonly state: 'up' | 'ended';
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_s: number;
  readonly mes: number | null;
  readonly mes_100: number | null;
  readonly mes_min: number | null;
  readonly verdict: Verdict | null;
  readonly profile: string;
  readonly fault_place: FaultPlace | null;
  readonly fault_certainty: 'sure' | 'likely' | 'guess' | null;
  readonly endpoints: readonly string[];
  readonly codecs: readonly string[];
  readonly tags?: readonly string[] | undefined;
  readonly channels: readonly Leg[];
}

export type FaultPlace =
  | 'caller-network'
  | 'callee-network'
  | 'both-networks'
  | 'this-server'
  | 'caller-phone'
  | 'callee-phone'
  | 'none';

/** What somebody wrote about a call. */
export interface Note {
  readonly id: string;
  readonly text: string;
  readonly author: string | null;
  readonly at: string;
}

export interface Tag {
  readonly tag: string;
  readonly author: string | null;
  readonly at: string;
}

/** One call by itself. */
export interface WholeCall extends Call, RatedAnswer {
  readonly notes: readonly Note[];
  readonly tagged: readonly Tag[];
}

export interface Call extends CallSummary {
  readonly fault_reports: number | null;
  readonly fault_why: string | null;
  readonly ended_by: 'caller' | 'callee' | 'server' | null;
  readonly ended_by_uniqueid: string | null;
  readonly channels: readonly Channel[];
}

export interface Interval {
  readonly direction: Direction;
  readonly report_number: number;
  readonly at: string;
  readonly kind: 'media' | 'idle' | 'dead' | 'unused';
  readonly rtt_ms: number | null;
  readonly jitter_ms: number | null;
  readonly loss_percent: number | null;
  readonly mes: number | null;
  readonly mes_running: number | null;
  /** More than 1 when reports before it were missed. */
  readonly covers_reports: number;
}

export interface CallsAnswer {
  readonly calls: readonly Call[];
  readonly next_cursor: string | null;
}

/** With `fields=summary`. */
export interface CallsSummaryAnswer {
  readonly calls: readonly CallSummary[];
  readonly next_cursor: string | null;
  /** With `count=yes`; null: more than are counted. */
  readonly matching?: number | null | undefined;
}

export interface LiveAnswer {
  readonly channels: readonly Channel[];
}

export interface IntervalsAnswer {
  readonly intervals: readonly Interval[];
}

/** What `/v1/live/stream` pushes. */
export type LiveMessage =
  | { readonly type: 'full' | 'changes'; readonly channels: readonly Channel[] }
  | { readonly type: 'rating' | 'mark' }
  | { readonly type: 'heartbeat' };

/** The quality of several calls. */
export interface Quality {
  readonly calls: number;
  readonly scored_calls: number;
  readonly judged_calls: number;
  readonly bad_calls: number;
  readonly bad_percent: number | null;
  readonly mes_mean: number | null;
  readonly mes_median: number | null;
  readonly mes_p5: number | null;
  readonly mes_p25: number | null;
  readonly mes_p75: number | null;
  readonly mes_p95: number | null;
  readonly mes_worst: number | null;
}

/** The quality of the legs of an endpoint, device, site or codec. */
export interface LegsQuality extends Quality {
  readonly own_fault_calls: number;
  readonly loss_percent: number | null;
  readonly jitter_mean_ms: number | null;
  readonly rtt_mean_ms: number | null;
}

export interface EndpointQuality extends LegsQuality {
  /** The PBX, on a fleet. */
  readonly pbx?: string | undefined;
  readonly endpoint: string;
  /** Present for endpoints that were asked for by name. */
  readonly trend?: EndpointTrend | undefined;
}

export interface EndpointTrend {
  /** Null: too few calls to compare. */
  readonly course: 'better' | 'worse' | 'steady' | null;
  readonly earlier: Quality;
  readonly later: Quality;
  readonly buckets: readonly { readonly mes_p5: number | null }[];
}

export interface EndpointsAnswer {
  readonly endpoints: readonly EndpointQuality[];
  readonly left_out: number;
}

export interface GroupsAnswer {
  readonly groups: readonly (LegsQuality & { readonly name: string })[];
  readonly left_out: number;
}

export interface BucketQuality extends Quality {
  readonly starts_at: string;
}

export interface SummaryAnswer {
  readonly from: string;
  readonly to: string;
  readonly bucket_s: number;
  readonly buckets: readonly BucketQuality[];
}
