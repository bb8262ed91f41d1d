import type { CALL_FIELDS, FAULT } from './fields/call-fields.ts';
import type { CHANNEL_FIELDS } from './fields/channel-fields.ts';
import type { E_MODEL } from './fields/e-model-fields.ts';
import type { RecordOf } from './fields/field.ts';
import type { INTERVAL_FIELDS } from './fields/interval-fields.ts';
import type { MEASURES, SEGMENT_FIELDS, STREAM_FIELDS } from './fields/stream-fields.ts';

/** Records as the tables of fields describe them (`fields/`): what each property means stands there. Null is unknown, never zero. */

export interface EModelRecord extends RecordOf<typeof E_MODEL> {}

/** What was measured of one direction over some time. */
export interface StreamMeasures extends RecordOf<typeof MEASURES> {}

export type ClockRateSource = StreamMeasures['clockRateSource'];

/** What one direction of a channel amounts to, over all its segments, so far or in the end. */
export interface StreamRecord extends RecordOf<typeof STREAM_FIELDS> {}

/** One RTP session of a direction: its values start afresh. */
export interface SegmentRecord extends RecordOf<typeof SEGMENT_FIELDS> {}

/** Why a new RTP session began: the channel's own start, hold or its end, another bridge, stream or codec. */
export type SegmentCause = SegmentRecord['openedBy'];

/** One report about one direction: its raw inputs (so that a score can be computed again) and what we made of them. */
export interface IntervalRecord extends RecordOf<typeof INTERVAL_FIELDS> {}

/** How an interval came out. */
export type IntervalKind = IntervalRecord['kind'];

export interface ChannelRecord extends RecordOf<typeof CHANNEL_FIELDS> {
  readonly streams: readonly StreamRecord[];
}

/** How a channel ended: Asterisk said so, or it was gone at the next look. */
export type EndReason = NonNullable<ChannelRecord['endReason']>;

/** Where the fault of a call lies; all null for other than two parties. */
export interface FaultRecord extends RecordOf<typeof FAULT> {}

export interface CallRecord extends RecordOf<typeof CALL_FIELDS> {}

/** The state from which scoring goes on after a restart: opaque text, and how many reports of each direction it counts. */
export interface ResumeState {
  readonly state: string;
  readonly rxReports: number;
  readonly txReports: number;
}

/** Only the scores of a direction. */
export type StreamScores = Pick<StreamRecord, 'direction' | 'mes' | 'mes100' | 'verdict'>;

export interface ChannelScores extends Pick<
  ChannelRecord,
  'uniqueid' | 'mes' | 'mesRx' | 'mesTx' | 'mesPeerRx' | 'mesPeerTx' | 'mesCall' | 'mesMin' | 'verdict'
> {
  readonly streams: readonly StreamScores[];
}

/** The scores of a call that is up, and of those of its channels that have new ones. */
export interface CallScores extends Pick<CallRecord, 'linkedid' | 'mes' | 'mesMin' | 'verdict' | keyof FaultRecord> {
  readonly channels: readonly ChannelScores[];
}

/** What changed, in the order in which it happened. Applying the same change twice leaves the same history. */
export type HistoryChange =
  | { readonly kind: 'interval'; readonly interval: IntervalRecord }
  | { readonly kind: 'segment'; readonly segment: SegmentRecord }
  /** `resume`: null once the whole call has ended. */
  | { readonly kind: 'channel'; readonly channel: ChannelRecord; readonly resume: ResumeState | null }
  /** New scores of stored rows. Their other values, and the state to go on from, are some reports older. */
  | { readonly kind: 'scores'; readonly scores: CallScores }
  | { readonly kind: 'call'; readonly call: CallRecord }
  /** All channels of `fromLinkedid` now belong to `intoLinkedid`. Questions for the old linkedid find the new one. */
  | { readonly kind: 'call-merged'; readonly fromLinkedid: string; readonly intoLinkedid: string };

/** Every change but a report: of each channel, call and segment only the last state matters. */
export type StateChange = Exclude<HistoryChange, { kind: 'interval' }>;
