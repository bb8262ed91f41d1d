import type { z } from 'zod';
import type { CallCursor, CallFilter, CallWithChannels, Clock, HistoryReader } from '../model/ports.ts';
import { type CALLS_ANSWER, INTERVAL } from './answers.ts';
import { csvLine, csvLines } from './csv.ts';
import { type CALLS_QUERY, DEFAULT_LIMIT, encodeCursor, MOST_LIMIT } from './parameters.ts';
import { momentMs } from '../units/moment.ts';
import { presentCall } from './present.ts';
import { Problem } from './problem.ts';
import { inParts } from './turns.ts';

type CallsQuery = z.output<typeof CALLS_QUERY>;

/** What a list of calls is made from. */
export interface CallListSources {
  readonly history: HistoryReader;
  readonly clock: Clock;
  /** What is stored of a number that is looked for; the number itself when this is absent. */
  readonly storedNumber?: ((number: string) => string) | undefined;
}

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

/** Throws Problem where masking leaves nothing of the number: stars alone would be taken for a beginning, that of all. */
function storedForm(number: string, { storedNumber }: CallListSources): string {
  const stored = storedNumber?.(number) ?? number;
  if (stored.endsWith('*') && !number.endsWith('*')) {
    throw new Problem(
      'MES_ERR_PARAMETER_VALUE',
      'parameter number: masked numbers this short are all alike; give a longer one',
      'number',
    );
  }
  return stored;
}

function callFilter(query: CallsQuery, nowMs: number, sources: CallListSources): CallFilter {
  const { from, to, endpoint, codec, verdict, max_mes: maxMes, min_mes: minMes } = query;
  const fromMs = from && momentMs(from, nowMs);
  const toMs = to && momentMs(to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter from: it is later than to; give an earlier time', 'from');
  }
  if (minMes !== undefined && maxMes !== undefined && minMes > maxMes) {
    throw new Problem('MES_ERR_PARAMETER_VALUE', 'parameter min_mes: it is above max_mes; give a lower one', 'min_mes');
  }
  const number = query.number && storedForm(query.number, sources);
  return { fromMs, toMs, endpoint, codec, number, verdict, maxMes, minMes };
}

/** One page of calls. Throws Problem when the query contradicts itself. */
export async function listCalls(sources: CallListSources, query: CallsQuery): Promise<z.output<typeof CALLS_ANSWER>> {
  const nowMs = sources.clock.nowMs();
  const filter = callFilter(query, nowMs, sources);
  const { calls, next } = await sources.history.calls(filter, query.limit ?? DEFAULT_LIMIT, query.cursor ?? null);
  return {
    calls: await inParts(calls, (call) => presentCall(call, nowMs)),
    next_cursor: next === null ? null : encodeCursor(next),
  };
}

/**
 * The calls as CSV, piece by piece: all that fit the query, however many, or as many as its limit says.
 * Rejects with Problem before the first piece when the query contradicts itself.
 */
export async function callsCsv(sources: CallListSources, query: CallsQuery): Promise<AsyncIterable<string>> {
  const nowMs = sources.clock.nowMs();
  const filter = callFilter(query, nowMs, sources);
  const page = (cursor: CallCursor | null) => sources.history.calls(filter, query.limit ?? MOST_LIMIT, cursor);
  const first = await page(query.cursor ?? null);
  const pieces = async function* (): AsyncGenerator<string> {
    yield csvLine(CALL_COLUMNS);
    for (let { calls, next } = first; ; { calls, next } = await page(next)) {
      const lines = await inParts(calls, (call) => csvLines(CALL_COLUMNS, [callRow(call, nowMs)]));
      yield lines.join('');
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
  const lines = await inParts(intervals, (interval) => csvLines(INTERVAL_COLUMNS, [interval]));
  yield lines.join('');
}
