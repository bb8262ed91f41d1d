import {
  bucketQuality,
  bucketsOf,
  endpointQuality,
  endpointWithTrend,
  legsQuality,
} from '../../history/sums/qualities.ts';
import { MOST_ENDPOINTS, spansWithin, worstFirst, worstGroupsFirst } from '../../history/sums/rankings.ts';
import type { ScoreSums } from '../../history/sums/score-sums.ts';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import type {
  BucketQuality,
  EndpointQuality,
  EndpointWithTrend,
  GroupQuality,
  Grouping,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../../model/ports.ts';
import type { Question } from './question.ts';
import { allOf, listOf, quote } from './sql.ts';
import { askSums, type SumScope } from './sum-question.ts';

/** Bound on the endpoints with trends in one answer. When more PBXs have endpoints of the name, the worst are taken. */
const MOST_TRENDS = 25;
/** Of each shard those with most calls are read. Strangers' devices can make any number of groups. */
const MOST_GROUPS = 5000;
const NO_LOCAL = `NOT startsWith(assumeNotNull(scope), ${quote(LOCAL_CHANNEL_PREFIX)})`;

/** The 5th percentile of the score in hundredths, computed in ClickHouse so that the worst endpoints can be fetched alone. */
const P5 = `arrayFirst((score, seen) -> seen >= greatest(1, ceil(arraySum(counts) * 0.05)), hundredths, arrayCumSum(counts))`;
const WORST_FIRST = `ORDER BY if(arraySum(counts) = 0, 1000000, ${P5}), sum_bad DESC, scope, pbx`;

const BY_ENDPOINT = { pbx: 'pbx', scope: 'scope' } as const;
const bucketOf = (bucketMs: number): string => `intDiv(starts_at_ms, ${Math.round(bucketMs)})`;

/** How calls went by endpoint and over time, for many PBXs. The same questions as `Rankings` (history/sums) answers for one. */
export class FleetRankings {
  readonly #question: Question;

  constructor(question: Question) {
    this.#question = question;
  }

  async endpoints(range: TimeRange): Promise<{ endpoints: EndpointQuality[]; leftOut: number }> {
    const endpoints = await this.#ranked(range, NO_LOCAL, MOST_ENDPOINTS);
    if (endpoints.length < MOST_ENDPOINTS) return { endpoints, leftOut: 0 };
    const all = await askSums(this.#question, range, { of: 'endpoints', test: NO_LOCAL }, { by: BY_ENDPOINT });
    return { endpoints: endpoints.slice(0, MOST_ENDPOINTS), leftOut: all.length - MOST_ENDPOINTS };
  }

  /** By device, site or codec, those of all PBXs together. */
  async groups(range: TimeRange, by: Grouping): Promise<{ groups: GroupQuality[]; leftOut: number }> {
    const rows = await askSums(
      this.#question,
      range,
      { of: by, withMedia: true },
      { by: { scope: 'scope' }, rest: `ORDER BY sum_calls DESC, scope LIMIT ${MOST_GROUPS}` },
    );
    const sums = overShards(rows.map((row) => [String(row.scope), row.sums]));
    const groups = [...sums].map(([name, found]): GroupQuality => ({ name, ...legsQuality(found) }));
    const leftOut = Math.max(0, groups.length - MOST_ENDPOINTS);
    return { groups: groups.sort(worstGroupsFirst).slice(0, MOST_ENDPOINTS), leftOut };
  }

  async trends({ fromMs, toMs, bucketMs, endpoints }: TrendsQuery): Promise<EndpointWithTrend[]> {
    if (endpoints.length === 0) return [];
    const range = { fromMs, toMs };
    const ranked = await this.#ranked(range, allOf(NO_LOCAL, `scope IN ${listOf(endpoints)}`), MOST_TRENDS);
    const named = ranked.slice(0, MOST_TRENDS);
    if (named.length === 0) return [];
    const pairs = named.map(({ pbx = '', endpoint }) => `(${quote(pbx)}, ${quote(endpoint)})`);
    const scope: SumScope = {
      of: 'endpoints',
      test: `(pbx, assumeNotNull(scope)) IN (${pairs.join(', ')})`,
      withMedia: true,
    };
    const rows = await askSums(this.#question, range, scope, {
      by: { ...BY_ENDPOINT, bucket: bucketOf(bucketMs) },
      spansMs: spansWithin(bucketMs),
    });
    const sums = new Map(rows.map((row) => [`${row.bucket} ${row.pbx} ${row.scope}`, row.sums]));
    return named
      .flatMap(({ pbx = '', site, endpoint }) => {
        const found = endpointWithTrend(endpoint, range, bucketMs, (bucket) =>
          sums.get(`${bucket} ${pbx} ${endpoint}`),
        );
        return found === null ? [] : [{ ...found, pbx, site }];
      })
      .sort(worstFirst);
  }

  async summary({ fromMs, toMs, bucketMs, endpoint }: SummaryQuery): Promise<BucketQuality[]> {
    const range = { fromMs, toMs };
    const rows = await askSums(this.#question, range, scopeOf(endpoint), {
      by: { bucket: bucketOf(bucketMs) },
      spansMs: spansWithin(bucketMs),
    });
    const sums = overShards(rows.map((row) => [Number(row.bucket), row.sums]));
    return bucketsOf(range, bucketMs).map((bucket) => bucketQuality(bucket, bucketMs, sums.get(bucket)));
  }

  async #ranked(range: TimeRange, test: string, most: number): Promise<EndpointQuality[]> {
    const rows = await askSums(
      this.#question,
      range,
      { of: 'endpoints', test, withMedia: true },
      { by: BY_ENDPOINT, also: { at_site: 'anyLast(site)' }, rest: `${WORST_FIRST} LIMIT ${most}` },
    );
    return rows
      .map(({ pbx, scope, at_site: site, sums }) => ({
        ...endpointQuality(String(scope), sums),
        pbx: String(pbx),
        site: String(site),
      }))
      .sort(worstFirst)
      .slice(0, most);
  }
}

/** Each shard has a part of what has one key. */
function overShards<Key>(rows: readonly (readonly [Key, ScoreSums])[]): Map<Key, ScoreSums> {
  const sums = new Map<Key, ScoreSums>();
  for (const [key, more] of rows) {
    const known = sums.get(key);
    if (known === undefined) sums.set(key, more);
    else known.add(more);
  }
  return sums;
}

function scopeOf(endpoint: string | undefined): SumScope {
  if (endpoint === undefined) return { of: 'calls' };
  if (!endpoint.endsWith('*')) return { of: 'endpoints', test: `scope = ${quote(endpoint)}` };
  return { of: 'beginning', test: `startsWith(assumeNotNull(scope), ${quote(endpoint.slice(0, -1))})` };
}
