import type { z } from 'zod';
import type { CallCursor, CallFilter, CallWithChannels, Clock, HistoryReader } from '../model/ports.ts';
import { type CALLS_ANSWER, INTERVAL } from './answers.ts';
import { csvLine, csvLines } from './csv.ts';
import { type CALLS_QUERY, DEFAULT_LIMIT, encodeCursor, momentMs, MOST_LIMIT } from './parameters.ts';
import { presentCall } from './present.ts';
import { Problem } from './problem.ts';

type CallsQuery = z.output<typeof CALLS_QUERY>;

/** Of a call in CSV; who called whom is as its first channel has it. */
const CALL_COLUMNS = [
  'linkedid',
  'state',
  'started_at',
  'ended_at',
  'duration_s',
  'caller_number',
  'caller_name',
  'exten',
  'endpoints',
  'codecs',
  'mes',
  'mes_100',
  'mes_min',
  'verdict',
  'fault_place',
  'fault_certainty',
  'fault_why',
  'profile',
  'version',
] as const;
const INTERVAL_COLUMNS = Object.keys(INTERVAL.shape);

function callFilter(query: CallsQuery, nowMs: number): CallFilter {
  const { from, to, endpoint, codec, number, verdict, max_mes: maxMes, min_mes: minMes } = query;
  const fromMs = from && momentMs(from, nowMs);
  const toMs = to && momentMs(to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    throw new Problem(400, 'parameter from: it is later than to; give an earlier time', 'from');
  }
  if (minMes !== undefined && maxMes !== undefined && minMes > maxMes) {
    throw new Problem(400, 'parameter min_mes: it is above max_mes; give a lower one', 'min_mes');
  }
  return { fromMs, toMs, endpoint, codec, number, verdict, maxMes, minMes };
}

/** One page of calls. Throws Problem when the query contradicts itself. */
export async function listCalls(
  history: HistoryReader,
  clock: Clock,
  query: CallsQuery,
): Promise<z.output<typeof CALLS_ANSWER>> {
  const nowMs = clock.nowMs();
  const filter = callFilter(query, nowMs);
  const { calls, next } = await history.calls(filter, query.limit ?? DEFAULT_LIMIT, query.cursor ?? null);
  return {
    calls: calls.map((call) => presentCall(call, nowMs)),
    next_cursor: next === null ? null : encodeCursor(next),
  };
}

/**
 * The calls as CSV, piece by piece: all that fit the query, however many, or as many as its limit says.
 * Rejects with Problem before the first piece when the query contradicts itself.
 */
export async function callsCsv(
  history: HistoryReader,
  clock: Clock,
  query: CallsQuery,
): Promise<AsyncIterable<string>> {
  const nowMs = clock.nowMs();
  const filter = callFilter(query, nowMs);
  const page = (cursor: CallCursor | null) => history.calls(filter, query.limit ?? MOST_LIMIT, cursor);
  const first = await page(query.cursor ?? null);
  const pieces = async function* (): AsyncGenerator<string> {
    yield csvLine(CALL_COLUMNS);
    for (let { calls, next } = first; ; { calls, next } = await page(next)) {
      yield csvLines(
        CALL_COLUMNS,
        calls.map((call) => callRow(call, nowMs)),
      );
      if (next === null || query.limit !== undefined) return;
    }
  };
  return pieces();
}

function callRow(call: CallWithChannels, nowMs: number): object {
  const { channels, ...row } = presentCall(call, nowMs);
  const [first] = channels;
  return { ...row, caller_number: first?.caller_number, caller_name: first?.caller_name, exten: first?.exten };
}

/** Reports as CSV, under the same names as in JSON. */
export async function* intervalsCsv(intervals: readonly z.output<typeof INTERVAL>[]): AsyncGenerator<string> {
  yield csvLine(INTERVAL_COLUMNS);
  yield csvLines(INTERVAL_COLUMNS, intervals);
}
