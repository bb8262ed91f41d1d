import type { CallRecord, ChannelRecord, IntervalRecord, SegmentRecord } from './record.ts';

/** A channel with all inputs of its score. */
export interface StoredChannel {
  readonly channel: ChannelRecord;
  readonly segments: readonly SegmentRecord[];
  /** As they were stored, in any order. */
  readonly intervals: readonly IntervalRecord[];
}

/** An ended call, to be scored again. */
export interface StoredCall {
  readonly call: CallRecord;
  readonly channels: readonly StoredChannel[];
  /** Peers of its channels that belong to other calls. */
  readonly peers: readonly StoredChannel[];
}

/** The same call scored by other rules: the same rows with other scores. */
export interface RescoredCall {
  readonly call: CallRecord;
  readonly channels: readonly ChannelRecord[];
  readonly segments: readonly SegmentRecord[];
  readonly intervals: readonly IntervalRecord[];
}
