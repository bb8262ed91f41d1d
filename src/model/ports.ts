import type { CallRecord, ChannelRecord, HistoryChange, IntervalRecord, SegmentRecord } from './record.ts';
import type { Verdict } from './score.ts';

/** Epoch milliseconds. */
export interface Clock {
  nowMs(): number;
}

/** Takes changes without ever making the caller wait; what it cannot keep it counts. */
export interface HistorySink {
  record(change: HistoryChange): void;
}

/** Variable name → value as written, e.g. `MES` → `4.31`. Only what is known. */
export type ChannelVariables = ReadonlyMap<string, string>;

/** The write-back port. Never waits; what cannot be written is counted. */
export interface VariableWriter {
  write(uniqueid: string, variables: ChannelVariables): void;
}

/** A channel, up or ended, of a call that was up when the history was last written, with the state to go on from. */
export interface ResumableChannel {
  readonly channel: ChannelRecord;
  readonly resume: string;
}

export interface CallFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Endpoint of any channel of the call, exact, or with `*` at its end. */
  readonly endpoint?: string | undefined;
  readonly codec?: string | undefined;
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
}

/** The channels that are up now, straight from memory. */
export interface LiveView {
  liveChannels(): ChannelRecord[];
}

/** What `/healthz` and `/readyz` are made of. */
export interface HealthView {
  health(): HealthReport;
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
  readonly counters: Readonly<Record<string, number>>;
}
