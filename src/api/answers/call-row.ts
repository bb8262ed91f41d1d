import type { CallWithChannels } from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, StreamRecord } from '../../model/record.ts';
import { INTERVAL } from './answers.ts';
import { csvLine, csvLines } from './csv.ts';
import { presentCall, presentInterval } from './present.ts';

/** Columns of a call in CSV. Loss, jitter and round trip are those of the worst direction. */
export const CALL_COLUMNS = [
  'linkedid',
  'state',
  'started_at',
  'ended_at',
  'duration_s',
  'caller_endpoint',
  'caller_number',
  'caller_name',
  'exten',
  'callee_endpoint',
  'callee_number',
  'callee_name',
  'endpoints',
  'codecs',
  'mes',
  'mes_100',
  'mes_min',
  'verdict',
  'loss_percent',
  'jitter_ms',
  'rtt_ms',
  'fault_place',
  'fault_certainty',
  'fault_why',
  'ended_by',
  'tags',
  'profile',
  'version',
] as const;
/** Columns that a fleet puts in front. */
export const PBX_COLUMNS = ['pbx', 'site'] as const;
const INTERVAL_COLUMNS = Object.keys(INTERVAL.shape);

/** The highest known value; null when none is known. */
function highest(streams: readonly StreamRecord[], valueOf: (stream: StreamRecord) => number | null): number | null {
  const known = streams.flatMap((stream) => valueOf(stream) ?? []);
  return known.length === 0 ? null : Number(Math.max(...known).toFixed(3));
}

/** The caller's channel and the callee's: the first other channel that was answered, or the first other one. */
function partiesOf({ linkedid, channels }: CallWithChannels): (ChannelRecord | undefined)[] {
  const caller = channels.find(({ uniqueid }) => uniqueid === linkedid) ?? channels[0];
  const others = channels.filter((channel) => channel !== caller && !channel.endpoint.startsWith('Local/'));
  return [caller, others.find(({ answeredAtMs }) => answeredAtMs !== null) ?? others[0]];
}

/** A call as a row of CSV. */
export function callRow(call: CallWithChannels, nowMs: number): object {
  const { channels: _, ...row } = presentCall(call, nowMs);
  const [caller, callee] = partiesOf(call);
  const streams = call.channels.flatMap((channel) => channel.streams);
  return {
    ...row,
    caller_endpoint: caller?.endpoint,
    caller_number: caller?.callerNumber,
    caller_name: caller?.callerName,
    exten: caller?.exten,
    callee_endpoint: callee?.endpoint,
    // The callee's own number, or the number that the caller was shown.
    callee_number: callee?.callerNumber ?? caller?.connectedNumber,
    callee_name: callee?.callerName ?? caller?.connectedName,
    loss_percent: highest(streams, ({ lossPercent }) => lossPercent),
    jitter_ms: highest(streams, ({ jitterMs }) => jitterMs.mean),
    rtt_ms: highest(streams, ({ rttMs }) => rttMs.mean),
  };
}

/** Lines that are written at a time. */
const LINES_AT_ONCE = 100;

/** Reports as CSV, under the same names as in JSON. */
export async function* intervalsCsv(intervals: readonly IntervalRecord[]): AsyncGenerator<string> {
  yield csvLine(INTERVAL_COLUMNS);
  for (let start = 0; start < intervals.length; start += LINES_AT_ONCE)
    yield csvLines(INTERVAL_COLUMNS, intervals.slice(start, start + LINES_AT_ONCE).map(presentInterval));
}
