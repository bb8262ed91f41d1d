import {
  FEWEST_CALLS,
  FORGET_AFTER_MS,
  HALF_LIFE_MS,
  WEIGHT_OF_OLDER,
  WORST_OPINION,
} from '../../alerting/trunk-choice.ts';
import { BAD, JUDGED } from '../../history/sums/contribution.ts';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import { LONGEST_CALL_MS } from '../gatherer.ts';
import type { Question } from './question.ts';
import { allOf, listOf, quote, textTest } from './sql.ts';

/** An endpoint of a PBX, and how its recent calls went. `TrunkQuality` (alerting) is the same on one PBX. */
export interface FleetTrunk {
  readonly pbx: string;
  readonly site: string;
  readonly endpoint: string;
  readonly calls: number;
  readonly badCalls: number;
  readonly recentMes: number | null;
  readonly lastAtMs: number;
}

const textsOf = (set: ReadonlySet<string | null>): string => listOf([...set].map(String));
const ONE_WAY = listOf(['no-media', 'one-way-rx', 'one-way-tx']);

/**
 * The endpoints with calls that ended within the last hour, the best first: what `TrunkChoice` (alerting) computes on one PBX, in
 * SQL. A call's weight falls with each newer call of its trunk, and with the minutes before the latest.
 */
export async function fleetTrunks(
  question: Question,
  endpoints: readonly string[] | undefined,
  most: number,
  nowMs: number,
): Promise<FleetTrunk[]> {
  const range = { fromMs: nowMs - FORGET_AFTER_MS - LONGEST_CALL_MS, toMs: nowMs + 1 };
  const cells =
    'pbx, site, linkedid, uniqueid, call_started_at_ms, endpoint, verdict, mes, toFloat64(assumeNotNull(ended_at_ms)) AS ended';
  const legs = `SELECT pbx, site, assumeNotNull(endpoint) AS name, ended, verdict IN ${textsOf(BAD)} AS is_bad,
      if(verdict IN ${ONE_WAY}, ${WORST_OPINION}, mes) AS opinion
    FROM ${question.newest('channels', cells, range, `ended_at_ms > ${nowMs - FORGET_AFTER_MS}`)}
    WHERE ${allOf(
      `verdict IN ${textsOf(JUDGED)}`,
      'isNotNull(opinion)',
      `NOT startsWith(name, ${quote(LOCAL_CHANNEL_PREFIX)})`,
      endpoints === undefined ? '' : textTest(['name'], endpoints),
      question.isNoAlias(range),
    )}`;
  const newestFirst = (what: string): string => `arraySort((one, at) -> -at, groupArray(${what}), groupArray(ended))`;
  const fade = `pow(${WEIGHT_OF_OLDER}, n - 1) * pow(0.5, (last - at) / ${HALF_LIFE_MS})`;
  const rows = await question.ask<{
    pbx: string;
    at_site: string;
    name: string;
    calls: number;
    bad: number;
    last: number;
    recent: number | null;
  }>(
    `SELECT pbx, name, at_site, calls, bad, last,
      if(calls < ${FEWEST_CALLS}, NULL, arraySum(arrayMap((mes, at, n) -> mes * ${fade}, opinions, ends, arrayEnumerate(ends)))
        / arraySum(arrayMap((at, n) -> ${fade}, ends, arrayEnumerate(ends)))) AS recent
    FROM (SELECT pbx, name, anyLast(site) AS at_site, toInt64(count()) AS calls, toInt64(sum(is_bad)) AS bad, max(ended) AS last,
        ${newestFirst('assumeNotNull(opinion)')} AS opinions, ${newestFirst('ended')} AS ends
      FROM (${legs}) GROUP BY pbx, name)
    ORDER BY isNull(recent), recent DESC, name, pbx LIMIT ${most}`,
  );
  return rows
    .map(({ pbx, at_site: site, name: endpoint, calls, bad: badCalls, recent, last }) => ({
      pbx,
      site,
      endpoint,
      calls,
      badCalls,
      recentMes: recent,
      lastAtMs: last,
    }))
    .toSorted(bestFirst)
    .slice(0, most);
}

/** The best first; those with too few calls come last. Equal ones are sorted by name. */
function bestFirst(one: FleetTrunk, other: FleetTrunk): number {
  const [name, otherName] = [`${one.endpoint} ${one.pbx}`, `${other.endpoint} ${other.pbx}`];
  return (other.recentMes ?? 0) - (one.recentMes ?? 0) || (name < otherName ? -1 : 1);
}
