import type { Database } from 'better-sqlite3';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import type {
  BucketQuality,
  EndpointQuality,
  EndpointWithTrend,
  GroupQuality,
  Grouping,
  LegsQuality,
  SummaryQuery,
  TimeRange,
  TrendsQuery,
} from '../../model/ports.ts';
import { bucketQuality, bucketsOf, endpointQuality, endpointWithTrend, legsQuality } from './qualities.ts';
import { SPANS_MS } from './counted-calls.ts';
import { type Question, SumReader } from './sum-reader.ts';
import { LAST_CHARACTER } from './terms.ts';

/** Endpoints in one answer; dialled names and strangers' addresses can make any number of them. */
export const MOST_ENDPOINTS = 1000;

/** Worst first; endpoints without any score last. */
export function worstFirst(one: EndpointQuality, other: EndpointQuality): number {
  return (
    worse(one, other) || (one.endpoint === other.endpoint ? byPbx(one, other) : one.endpoint < other.endpoint ? -1 : 1)
  );
}

export function worstGroupsFirst(one: GroupQuality, other: GroupQuality): number {
  return worse(one, other) || (one.name < other.name ? -1 : 1);
}

function worse(one: LegsQuality, other: LegsQuality): number {
  return (one.mesP5 ?? Infinity) - (other.mesP5 ?? Infinity) || other.badCalls - one.badCalls;
}

/** Two PBXs may have endpoints of the same name. */
function byPbx({ pbx: one = '' }: EndpointQuality, { pbx: other = '' }: EndpointQuality): number {
  return one < other ? -1 : 1;
}

const ENDPOINTS: Question<string> = {
  sql: `kind = 'endpoint' AND substr(scope, 1, ${LOCAL_CHANNEL_PREFIX.length}) <> '${LOCAL_CHANNEL_PREFIX}'`,
  parameters: {},
  wants: ({ kind, scope }) => kind === 'endpoint' && !scope.startsWith(LOCAL_CHANNEL_PREFIX),
  withLegs: true,
  keySql: 'scope',
  keyOf: (_, scope) => scope,
  spansMs: SPANS_MS,
};

const BUCKET_SQL = 'CAST(starts_at_ms / @bucketMs AS INTEGER)';

/** Spans that fit into such stretches. */
export function spansWithin(bucketMs: number): number[] {
  return SPANS_MS.filter((spanMs) => bucketMs % spanMs === 0);
}

/** Whose sums: of all calls, of an endpoint, or of all whose names have a beginning. */
function scopes(endpoint: string | undefined): Pick<Question<number>, 'sql' | 'parameters' | 'wants' | 'withLegs'> {
  if (endpoint === undefined) {
    return { sql: "kind = 'calls'", parameters: {}, wants: ({ kind }) => kind === 'calls', withLegs: false };
  }
  if (!endpoint.endsWith('*')) {
    return {
      sql: "kind = 'endpoint' AND scope = @scope",
      parameters: { scope: endpoint },
      wants: ({ kind, scope }) => kind === 'endpoint' && scope === endpoint,
      withLegs: true,
    };
  }
  const beginning = endpoint.slice(0, -1);
  return {
    sql: "kind IN ('endpoint', 'shared') AND scope >= @scope AND scope < @scopeEnd",
    parameters: { scope: beginning, scopeEnd: beginning + LAST_CHARACTER },
    wants: ({ kind, scope }) => (kind === 'endpoint' || kind === 'shared') && scope.startsWith(beginning),
    withLegs: true,
  };
}

/** How well calls went: by endpoint, and over time. */
export class Rankings {
  readonly #reader: SumReader;

  constructor(database: Database) {
    this.#reader = new SumReader(database);
  }

  endpoints(range: TimeRange): { endpoints: EndpointQuality[]; leftOut: number } {
    const endpoints = [...this.#reader.sums(range, ENDPOINTS)].map(([endpoint, sums]) =>
      endpointQuality(endpoint, sums),
    );
    const leftOut = Math.max(0, endpoints.length - MOST_ENDPOINTS);
    return { endpoints: endpoints.sort(worstFirst).slice(0, MOST_ENDPOINTS), leftOut };
  }

  groups(range: TimeRange, by: Grouping): { groups: GroupQuality[]; leftOut: number } {
    const sums = this.#reader.sums(range, {
      sql: `kind = '${by}'`,
      parameters: {},
      wants: ({ kind }) => kind === by,
      withLegs: true,
      keySql: 'scope',
      keyOf: (_, scope) => scope,
      spansMs: SPANS_MS,
    });
    const groups = [...sums].map(([name, found]): GroupQuality => ({ name, ...legsQuality(found) }));
    const leftOut = Math.max(0, groups.length - MOST_ENDPOINTS);
    return { groups: groups.sort(worstGroupsFirst).slice(0, MOST_ENDPOINTS), leftOut };
  }

  trends({ endpoints, bucketMs, ...range }: TrendsQuery): EndpointWithTrend[] {
    const names = new Set(endpoints);
    const sums = this.#reader.sums(range, {
      sql: `${ENDPOINTS.sql} AND scope IN (SELECT value FROM json_each(@names))`,
      parameters: { bucketMs, names: JSON.stringify(endpoints) },
      wants: (contribution) => ENDPOINTS.wants(contribution) && names.has(contribution.scope),
      withLegs: true,
      keySql: `${BUCKET_SQL} || ' ' || scope`,
      keyOf: (startedAtMs, scope) => `${Math.floor(startedAtMs / bucketMs)} ${scope}`,
      spansMs: spansWithin(bucketMs),
    });
    return [...names]
      .flatMap((name) => endpointWithTrend(name, range, bucketMs, (bucket) => sums.get(`${bucket} ${name}`)) ?? [])
      .sort(worstFirst);
  }

  /** One row for each stretch of `bucketMs` that the range touches, oldest first, also where there was no call. */
  summary({ fromMs, toMs, bucketMs, endpoint }: SummaryQuery): BucketQuality[] {
    const range = { fromMs, toMs };
    const { parameters, ...question } = scopes(endpoint);
    const sums = this.#reader.sums<number>(range, {
      ...question,
      parameters: { ...parameters, bucketMs },
      keySql: BUCKET_SQL,
      keyOf: (startedAtMs) => Math.floor(startedAtMs / bucketMs),
      spansMs: spansWithin(bucketMs),
    });
    return bucketsOf(range, bucketMs).map((bucket) => bucketQuality(bucket, bucketMs, sums.get(bucket)));
  }
}
