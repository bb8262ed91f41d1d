import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../history/schema/rows.ts';
import type { CallWithChannels } from '../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord } from '../model/record.ts';
import type { CallRemarks } from '../model/people/remark.ts';
import type { FleetRow } from './kinds.ts';

/** Everything that is shipped about one call. */
export interface ShippedCall {
  readonly call: CallWithChannels;
  readonly segments: readonly SegmentRecord[];
  /** The reports that are shipped. */
  readonly intervals: readonly IntervalRecord[];
  /** Linkedids of calls that were joined into this one. */
  readonly aliases?: readonly string[];
  /** Null: nobody has written anything about it. */
  readonly remarks?: CallRemarks | null;
}

/** The rows of a call as its PBX stores them. `version` must be higher than in any row of this call that was shipped before. */
export function callRows(
  { call, segments, intervals, aliases = [], remarks = null }: ShippedCall,
  version: number,
): FleetRow[] {
  const { channels, ...own } = call;
  const { linkedid, startedAtMs: callStartedAtMs } = call;
  const row = (kind: FleetRow['kind'], cells: FleetRow['cells']): FleetRow => ({
    kind,
    version,
    callStartedAtMs: Math.round(callStartedAtMs),
    cells: { ...cells, linkedid },
  });
  return [
    ...aliases.map((from) => ({
      kind: 'aliases' as const,
      version,
      callStartedAtMs: Math.round(callStartedAtMs),
      cells: { from_linkedid: from, into_linkedid: linkedid },
    })),
    ...channels.flatMap(({ streams, ...channel }) => [
      row('channels', CHANNEL_COLUMNS.toRow(channel)),
      ...streams.map((stream) => row('streams', { ...STREAM_COLUMNS.toRow(stream), uniqueid: channel.uniqueid })),
    ]),
    ...segments.map((segment) => row('segments', SEGMENT_COLUMNS.toRow(segment))),
    ...intervals.map((interval) => row('intervals', INTERVAL_COLUMNS.toRow(interval))),
    ...(remarks === null ? [] : [row('remarks', remarkCells(remarks))]),
    // The call comes last, so that whoever finds it in the store finds all its other rows, too.
    row('calls', CALL_COLUMNS.toRow(own)),
  ];
}

function remarkCells({ notes, tags }: CallRemarks): FleetRow['cells'] {
  return {
    notes: JSON.stringify(notes),
    tags: JSON.stringify(tags),
    tag_words: tags.map(({ tag }) => tag).join(' '),
  };
}

/** Whether the reports of a direction are shipped with its call. */
export function wantsIntervals(
  send: 'summaries' | 'bad-intervals' | 'intervals',
  { streams }: ChannelRecord,
  direction: string,
): boolean {
  if (send !== 'bad-intervals') return send === 'intervals';
  const verdict = streams.find((stream) => stream.direction === direction)?.verdict ?? null;
  return verdict !== null && verdict !== 'good';
}
