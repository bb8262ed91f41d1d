import type {
  BucketQuality,
  CallCursor,
  CallFilter,
  CallWithChannels,
  EndpointQuality,
  EndpointWithTrend,
  ResumableChannel,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord } from '../../model/record.ts';
import type { FeatureCall } from '../schema/feature.ts';
import type { PackedIntervals } from '../write/packed-intervals.ts';
import type { PackedOperations } from '../write/packed-operations.ts';

/** Changes that are committed together. Operations are applied in order; intervals, oldest first, do not depend on them. */
export interface Batch {
  readonly operations: readonly PackedOperations[];
  readonly intervals: readonly PackedIntervals[];
}

/** Changes that are stored, and not yet in the tables that other programs read. */
export interface Journaled {
  readonly intervals: number;
  readonly operations: number;
}

export interface CommitResult {
  readonly applied: number;
  /** Changes that the database will never take (a broken record); they are left out. */
  readonly rejected: number;
  /** Why, of the last one. */
  readonly rejection: string | null;
  /** In the journals now. */
  readonly journaled: Journaled;
}

/** What of a journal was moved into the tables. */
export interface MoveResult {
  /** Changes that need not be moved any more. */
  readonly moved: number;
  /** Those of them that the tables will never take, or that cannot be read; they are left out. */
  readonly rejected: number;
  /** Why, of the last one. */
  readonly rejection: string | null;
  /** Changes that are in the journal now. */
  readonly left: number;
}

/** Everything older is deleted, epoch milliseconds. */
export interface RetentionLimits {
  readonly intervalsBeforeMs: number;
  readonly callsBeforeMs: number;
}

export interface CallsQuery {
  readonly filter: CallFilter;
  readonly limit: number;
  readonly cursor: CallCursor | null;
}

/** What the writer's thread answers to. */
export interface WriterMethods {
  /** Opens the database, or says why it cannot. */
  open(input: null): Journaled;
  /** `mayDefer`: operations may wait in their journal. */
  commit(input: { readonly batch: Batch; readonly mayDefer: boolean }): CommitResult;
  /** Applies a bounded number of operations from their journal, the oldest. */
  apply(input: null): MoveResult;
  /** Moves a bounded number of intervals from their journal into the table, the oldest. */
  fold(input: null): MoveResult;
  /** Deletes a bounded number of rows and says how many; 0 when nothing is left to delete. */
  purge(limits: RetentionLimits): number;
  /** Counts a bounded number of ended calls that are not counted yet and says how many; 0 when there are none. */
  settle(input: null): number;
  /** Collects the thread's garbage. */
  collect(input: null): null;
  /** Asked at the start, when there is no reader yet. */
  resumable(input: null): ResumableChannel[];
  /** One of a feature's writes. */
  feature(call: FeatureCall): unknown;
}

/** What the reader's thread answers to. */
export interface ReaderMethods {
  calls(query: CallsQuery): { calls: CallWithChannels[]; next: CallCursor | null };
  call(linkedid: string): CallWithChannels | null;
  channel(uniqueid: string): ChannelRecord | null;
  segments(uniqueid: string): SegmentRecord[];
  intervals(uniqueid: string): IntervalRecord[] | null;
  endpoints(range: TimeRange): { endpoints: EndpointQuality[]; leftOut: number };
  trends(query: TrendsQuery): EndpointWithTrend[];
  summary(query: SummaryQuery): BucketQuality[];
  /** One of a feature's reads. */
  feature(call: FeatureCall): unknown;
}

export interface Request {
  readonly id: number;
  /** `close` ends the thread; any other is one of its methods. */
  readonly method: string;
  readonly input: unknown;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };
