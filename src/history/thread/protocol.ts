import type {
  BucketQuality,
  CallCursor,
  CallFilter,
  CallListing,
  CallPage,
  CallWithChannels,
  EndpointQuality,
  EndpointWithTrend,
  GroupQuality,
  Grouping,
  ResumableChannel,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord } from '../../model/record.ts';
import type { FeatureCall } from '../schema/feature.ts';
import type { Batch } from '../write/batch.ts';

export interface CommitResult {
  readonly applied: number;
  /** Changes that the database will never take (a broken record); they are left out. */
  readonly rejected: number;
  /** Why, of the last one. */
  readonly rejection: string | null;
}

export interface CommitRequest extends Batch {
  /**
   * It was sent before the request in front of it was answered. If that one fails, this one must fail as well: otherwise states
   * would be stored before their reports.
   */
  readonly isAhead: boolean;
}

export interface CommitAnswer extends CommitResult {
  /** Why what is done between commits last failed, one sentence; null since it succeeded. */
  readonly choreProblem: string | null;
}

/** Calls and channels in memory. */
export interface KnownCalls {
  readonly linkedids: readonly string[];
  readonly uniqueids: readonly string[];
}

/** Everything older is deleted, epoch milliseconds. */
export interface RetentionLimits {
  readonly intervalsBeforeMs: number;
  readonly callsBeforeMs: number;
}

export interface CallsQuery extends CallListing {
  readonly filter: CallFilter;
  readonly limit: number;
  readonly cursor: CallCursor | null;
}

/** What the writer's thread answers to. */
export interface WriterMethods {
  /** Opens the database, or says why it cannot. */
  open(input: null): null;
  commit(request: CommitRequest): CommitAnswer;
  /** What is older than this is to be deleted, step by step between commits. */
  retain(limits: RetentionLimits): null;
  /** Does at once, for about `withinMs`, what is otherwise done in steps between commits, except deleting. Throws when it cannot. */
  tidy(input: { readonly withinMs: number }): null;
  /** Asked at the start, when there is no reader yet; again without the states of these channels, which could not be read. */
  resumable(unreadable: readonly string[]): ResumableChannel[];
  /** Ends some calls that are stored as up and are not among these; returns how many. */
  endLost(known: KnownCalls): number;
  /** Closes the file, and opens what is under its path now. */
  reopen(input: null): null;
  /** One of a feature's writes. */
  feature(call: FeatureCall): unknown;
}

/** What the reader's thread answers to. */
export interface ReaderMethods {
  calls(query: CallsQuery): CallPage;
  call(linkedid: string): CallWithChannels | null;
  channel(uniqueid: string): ChannelRecord | null;
  segments(uniqueid: string): SegmentRecord[];
  intervals(uniqueid: string): IntervalRecord[] | null;
  endpoints(range: TimeRange): { endpoints: EndpointQuality[]; leftOut: number };
  groups(query: { readonly range: TimeRange; readonly by: Grouping }): { groups: GroupQuality[]; leftOut: number };
  trends(query: TrendsQuery): EndpointWithTrend[];
  summary(query: SummaryQuery): BucketQuality[];
  /** One of a feature's reads. */
  feature(call: FeatureCall): unknown;
}

export interface Request {
  readonly id: number;
  /** `close` ends the thread, `more` asks for the next part of an answer; any other is one of its methods. */
  readonly method: string;
  /** Of `more`: the id of the request whose answer it is of. */
  readonly input: unknown;
}

/** `left`: so many parts of the answer's list (`parts.ts`) are still to be asked for. */
export type Reply =
  | { readonly id: number; readonly result: unknown; readonly left: number }
  | { readonly id: number; readonly code: string; readonly message: string };
