import { BAD, FAULTY, JUDGED, type ScopeKind } from '../../history/sums/contribution.ts';
import { ScoreSums, SUM_COLUMNS } from '../../history/sums/score-sums.ts';
import { SPANS_MS } from '../../history/sums/counted-calls.ts';
import { type TimeSlice, timeSlices } from '../../history/sums/time-slices.ts';
import type { Grouping, TimeRange } from '../../model/ports.ts';
import { FAULT_PLACES } from '../../model/fault.ts';
import type { Row } from '../../history/schema/rows.ts';
import { storedName } from '../ddl.ts';
import type { Question } from './question.ts';
import { allOf, listOf } from './sql.ts';

/** Which sums: over all calls, by endpoint, by device, site or codec, or over all calls with an endpoint of some prefix. */
export interface SumScope {
  readonly of: 'calls' | 'endpoints' | 'beginning' | Grouping;
  /** For all but calls: a condition on `scope`, which is the endpoint, device, site or codec. */
  readonly test?: string;
  /** True: with loss, jitter and round trip, which calls and prefixes do not have. */
  readonly withMedia?: boolean;
}

/** Expressions that rows are grouped by, over `pbx`, `site`, `scope` and `starts_at_ms`. */
export interface SumGroups {
  readonly by: Readonly<Record<string, string>>;
  /** More columns of each group, by aggregate functions. */
  readonly also?: Readonly<Record<string, string>>;
  /** Spans of stored sums that fit into the groups; absent: hours and days. */
  readonly spansMs?: readonly number[];
  /** SQL after GROUP BY, over the names of `by` and of the sums. */
  readonly rest?: string;
}

const SUMS = SUM_COLUMNS.map(([, column]) => column);
const SCOPE_KINDS: Readonly<Record<SumScope['of'], readonly ScopeKind[]>> = {
  calls: ['calls'],
  endpoints: ['endpoint'],
  beginning: ['endpoint', 'shared'],
  device: ['device'],
  site: ['site'],
  codec: ['codec'],
};
/** The columns of channels, or of streams, by which legs are taken together. */
const SCOPE_COLUMNS = {
  endpoints: 'endpoint',
  beginning: 'endpoint',
  device: 'device',
  site: storedName('site'),
  codec: 'codec',
} as const;
const CALL_SUMS = ['calls', 'judged', 'bad', 'own_faults', 'mes_micro'];
/** As in `ScoreSums`: the lowest and the highest cell take what is beyond them. */
const HIGHEST_HUNDREDTHS = 511;

const textsOf = (set: ReadonlySet<string | null>): string => listOf([...set].map(String));
const isAt = (side: 'caller' | 'callee'): string =>
  `ifNull(fault_place, '') IN ${listOf(FAULT_PLACES.filter((place) => FAULTY[place].includes(side)))}`;
const isIn = (set: ReadonlySet<string | null>): string => `toInt64(ifNull(verdict, '') IN ${textsOf(set)})`;
/** Rounds as `Math.round` does. */
const rounded = (what: string): string => `toInt64(floor(${what} + 0.5))`;
/** 1: the call's fault is on the side of this channel, which is the caller's when it has the call's own id. */
const IS_OWN_FAULT = `toInt64(if(uniqueid = linkedid, ${isAt('caller')}, ${isAt('callee')}))`;
const SCORES = `if(isNull(mes), emptyArrayInt64(), [least(greatest(${rounded('ifNull(mes, 0) * 100')}, 0), ${HIGHEST_HUNDREDTHS})])`;
const ONES = 'if(isNull(mes), emptyArrayInt64(), [toInt64(1)])';
const MICRO = rounded('ifNull(mes, 0) * 1000000');
const NO_SUMS = (names: readonly string[]): string => names.map((name) => `toInt64(0) AS ${name}`).join(', ');
const MEDIA_SUMS = SUMS.filter((name) => !CALL_SUMS.includes(name));

/** Asks for sums by group: whole hours and days from the PBXs' own sums, the rest of the range call by call. */
export async function askSums<Key extends string, More extends string = never>(
  question: Question,
  range: TimeRange,
  scope: SumScope,
  {
    by,
    also,
    spansMs = SPANS_MS,
    rest = '',
  }: SumGroups & { readonly by: Readonly<Record<Key, string>>; readonly also?: Readonly<Record<More, string>> },
): Promise<(Readonly<Record<Key | More, string | number>> & { readonly sums: ScoreSums })[]> {
  const slices = timeSlices(range.fromMs, range.toMs, spansMs);
  if (slices.length === 0) return [];
  const parts = slices.flatMap((slice) =>
    slice.spanMs === null ? callParts(question, slice, scope) : [sumPart(question, slice, slice.spanMs, scope)],
  );
  const keys = Object.entries<string>(by);
  const rows = await question.ask<
    Readonly<Record<Key | More, string | number>> & { readonly hundredths: number[]; readonly counts: number[] } & Row
  >(
    `SELECT ${[...keys, ...Object.entries<string>(also ?? {})].map(([name, sql]) => `${sql} AS ${name}`).join(', ')}, ${SUMS.map((name) => `sum(times * ${name}) AS sum_${name}`).join(', ')},
      sumMap(score_hundredths, arrayMap(n -> n * times, score_calls)) AS scores,
      tupleElement(scores, 1) AS hundredths, tupleElement(scores, 2) AS counts
    FROM (${parts.join(' UNION ALL ')}) GROUP BY ${keys.map(([name]) => name).join(', ')} HAVING sum_calls != 0 ${rest}`,
  );
  return rows.map((row) => {
    const sums = new ScoreSums();
    sums.addRow(Object.fromEntries(SUMS.map((name) => [name, row[`sum_${name}`] ?? 0])), 1);
    sums.addScores(row.hundredths, row.counts);
    return { ...row, sums };
  });
}

function sumPart(question: Question, slice: TimeSlice, spanMs: number, scope: SumScope): string {
  const where = allOf(`scope_kind IN ${listOf(SCOPE_KINDS[scope.of])}`, `span_ms = ${spanMs}`, scope.test ?? '');
  const cells = `pbx, site, scope, starts_at_ms, ${SUMS.join(', ')}, score_hundredths, score_calls`;
  return (
    `SELECT pbx, site, scope, starts_at_ms, toInt64(${slice.times}) AS times,
    ${SUMS.map((name) => `toInt64(ifNull(${name}, 0)) AS ${name}`).join(', ')}, score_hundredths, score_calls
    FROM ${question.newest('sums', cells, slice, where)}`.replaceAll(
      // ClickHouse 18.16 resolves a column inside an expression to the expression's own alias of the same name.
      /toInt64\(ifNull\((\w+), 0\)\) AS \1/g,
      'toInt64(ifNull(stored.$1, 0)) AS $1',
    ) + ' AS stored'
  );
}

/** The sums of a part of an hour, call by call: `contributionsOf` (history/sums) in SQL. */
function callParts(question: Question, slice: TimeSlice, { of, test = '', withMedia = false }: SumScope): string[] {
  const times = `toInt64(${slice.times}) AS times`;
  const noAlias = question.isNoAlias(slice);
  if (of === 'calls') {
    const calls = question.newest('calls', 'pbx, site, linkedid, call_started_at_ms, mes, verdict', slice);
    return [
      `SELECT pbx, site, '' AS scope, toInt64(call_started_at_ms) AS starts_at_ms, ${times},
        toInt64(1) AS calls, ${isIn(JUDGED)} AS judged, ${isIn(BAD)} AS bad, toInt64(0) AS own_faults, ${MICRO} AS mes_micro, ${NO_SUMS(MEDIA_SUMS)},
        ${SCORES} AS score_hundredths, ${ONES} AS score_calls FROM ${calls} WHERE ${noAlias}`,
    ];
  }
  const ofChannels = 'pbx, site, linkedid, uniqueid, call_started_at_ms, mes, verdict';
  const scope = `${SCOPE_COLUMNS[of]} AS scope`;
  const channels =
    of === 'codec'
      ? `(SELECT ${ofChannels}, scope FROM
          (SELECT DISTINCT pbx, linkedid, uniqueid, scope FROM ${question.newest('streams', `pbx, linkedid, uniqueid, ${scope}`, slice)})
          ANY INNER JOIN ${question.newest('channels', ofChannels, slice)} USING pbx, linkedid, uniqueid)`
      : question.newest('channels', `${ofChannels}, ${scope}`, slice);
  const fitting = allOf(noAlias, 'isNotNull(scope)', test);
  const group = of === 'beginning' ? 'pbx, linkedid' : 'pbx, linkedid, scope';
  const legs = `SELECT ${group}, any(site) AS at_site, any(call_started_at_ms) AS began, avg(mes) AS mes,
    max(${isIn(JUDGED)}) AS is_judged, max(${isIn(BAD)}) AS is_bad, max(${IS_OWN_FAULT}) AS is_own_fault
    FROM ${channels} ANY LEFT JOIN ${question.newest('calls', 'pbx, linkedid, call_started_at_ms, fault_place', slice)}
    USING pbx, linkedid WHERE ${fitting} GROUP BY ${group}`;
  const quality = `SELECT pbx, at_site AS site, ${of === 'beginning' ? "''" : 'assumeNotNull(scope)'} AS scope, toInt64(began) AS starts_at_ms, ${times},
    toInt64(1) AS calls, is_judged AS judged, is_bad AS bad, is_own_fault AS own_faults, ${MICRO} AS mes_micro, ${NO_SUMS(MEDIA_SUMS)},
    ${SCORES} AS score_hundredths, ${ONES} AS score_calls FROM (${legs})`;
  if (!withMedia) return [quality];
  const media =
    'packets_lost, packets_expected, jitter_mean_ms, jitter_count, rtt_mean_ms, rtt_count, pbx, linkedid, uniqueid';
  // A codec has the measurements of its own streams alone.
  const key = of === 'codec' ? 'pbx, linkedid, uniqueid, scope' : 'pbx, linkedid, uniqueid';
  const streams = question.newest('streams', of === 'codec' ? `${media}, ${scope}` : media, slice);
  const both = (name: string): string =>
    `toInt64(if(isNull(packets_lost) OR isNull(packets_expected), 0, assumeNotNull(${name})))`;
  const us = (mean: string, count: string): string => rounded(`ifNull(${mean}, 0) * ifNull(${count}, 0) * 1000`);
  return [
    quality,
    `SELECT pbx, site, assumeNotNull(scope) AS scope, toInt64(call_started_at_ms) AS starts_at_ms, ${times}, ${NO_SUMS(CALL_SUMS)},
      lost AS packets_lost, expected AS packets_expected, jitter AS jitter_us, toInt64(ifNull(jitter_count, 0)) AS jitter_reports,
      rtt AS rtt_us, toInt64(ifNull(rtt_count, 0)) AS rtt_reports, emptyArrayInt64() AS score_hundredths, emptyArrayInt64() AS score_calls
    FROM (SELECT ${key}, ${both('packets_lost')} AS lost, ${both('packets_expected')} AS expected,
        ${us('jitter_mean_ms', 'jitter_count')} AS jitter, jitter_count, ${us('rtt_mean_ms', 'rtt_count')} AS rtt, rtt_count
        FROM ${streams})
      ANY INNER JOIN (SELECT pbx, site, linkedid, uniqueid, call_started_at_ms, scope FROM ${channels} WHERE ${fitting})
      USING ${key}`,
  ];
}
