import { z } from 'zod';
import { LIST_QUERY, NO_QUERY } from '../../api/parameters.ts';
import { Problem } from '../../api/problem.ts';
import { presentRemarks, TAGS_ANSWER } from '../../api/remarks.ts';
import { type Route, type RouteRequest, route } from '../../api/route.ts';
import { type ApiSources, documentRoutes, routes } from '../../api/routes.ts';
import type { HealthReport } from '../../model/ports.ts';
import { FleetHistory } from '../read/fleet-history.ts';
import { listPbxs, type PbxList } from '../read/pbxs.ts';
import { FleetRemarks } from '../read/remarks.ts';
import { FleetRatings } from '../read/ratings.ts';
import type { Scope } from '../read/scope.ts';
import { type FleetRoutesOptions, inWords, scopeFor, type ScopeOf, type Whose, WHOSE, WHOSE_QUERY } from './asked.ts';
import { fleetAlertRoutes } from './alert-list.ts';
import { fleetEvidenceRoutes } from './evidence-list.ts';
import { faultRoutes, FleetFaults } from './fault-list.ts';
import { FleetMetrics } from './fleet-metrics.ts';
import { liveRoutes } from './live-route.ts';
import { fleetRatingRoutes } from './rating-list.ts';
import { readOnlyRoutes } from './read-only.ts';
import { fleetTrunkRoutes } from './trunk-list.ts';
import { PBXS_ANSWER, presentPbxs, SHARDS } from './pbx-list.ts';

/** The addresses of one PBX that a fleet's store can answer, too. */
const SHARED: readonly string[] = [
  '/v1/calls',
  '/v1/calls/:linkedid',
  '/v1/channels/:uniqueid',
  '/v1/channels/:uniqueid/intervals',
  '/v1/channels/:uniqueid/audio-statistics',
  '/v1/channels/:uniqueid/voip-metrics',
  '/v1/endpoints',
  '/v1/groups',
  '/v1/summary',
];

/** All addresses of a fleet's gateway for people and programs. Those that one PBX has, too, also take `pbx` and `site`. */
export function fleetRoutes(options: FleetRoutesOptions): readonly Route[] {
  const { store, database, clock } = options;
  const metrics = new FleetMetrics();
  const scopeOf = scopeFor(options);
  const faults = new FleetFaults(options, scopeOf);
  const list = (asked: Whose, reader: string | null): Promise<PbxList> =>
    inWords(() => listPbxs(store, database, options.known().pbxs, scopeOf(asked, reader), clock.nowMs()));

  const described = [
    ...routes(sourcesOf(new FleetHistory(store, database, [], 0), options))
      .filter(({ path }) => SHARED.includes(path))
      .map((one) => scoped(one, options, scopeOf)),
    ...liveRoutes(options, scopeOf),
    ...faultRoutes(faults),
    ...fleetAlertRoutes(options, scopeOf),
    ...fleetEvidenceRoutes(options, scopeOf),
    ...fleetTrunkRoutes(options, scopeOf),
    ...fleetRatingRoutes(options, scopeOf),
    route({
      path: '/v1/tags',
      summary: 'The tags that calls of the PBXs have, that of most calls first.',
      query: WHOSE_QUERY.extend(LIST_QUERY.shape),
      answer: TAGS_ANSWER.extend({ shards: SHARDS.nullable() }),
      handle: ({ query: { limit, ...whose }, reader }) =>
        inWords(async () => {
          const remarks = new FleetRemarks(store, database, scopeOf(whose, reader));
          const tags = (await remarks.tags()).slice(0, limit);
          return { tags, shards: remarks.shards === null ? null : { ...remarks.shards } };
        }),
    }),
    ...readOnlyRoutes(),
    route({
      path: '/v1/pbxs',
      summary:
        'The PBXs of the fleet: when they were last heard of, what they said of themselves, and how their calls go.',
      query: WHOSE_QUERY,
      answer: PBXS_ANSWER,
      handle: async ({ query, reader }) => presentPbxs(await list(query, reader)),
    }),
    route({
      path: '/healthz',
      summary: 'Whether the process serves at all.',
      access: 'open',
      query: NO_QUERY,
      answer: z.strictObject({ status: z.literal('ok'), counters: z.record(z.string(), z.number()) }),
      handle: () => ({ status: 'ok' as const, counters: { ...options.counters() } }),
    }),
    route({
      path: '/readyz',
      summary: 'Whether every shard of ClickHouse answers.',
      query: NO_QUERY,
      answer: z.strictObject({ status: z.literal('ready'), shards: SHARDS }),
      handle: async () => {
        const { shardsAnswered: answered, shards: of } = await inWords(() => store.ask('SELECT 1'));
        if (answered < of)
          throw new Problem('MES_ERR_NOT_READY', `only ${answered} of ${of} shards of ClickHouse answer`);
        return { status: 'ready' as const, shards: { answered, of } };
      },
    }),
    route({
      path: '/metrics',
      summary: 'For Prometheus: the PBXs that the token may see, and how the gateway itself is.',
      query: NO_QUERY,
      answer: z.string(),
      type: metrics.contentType,
      handle: async ({ reader }) => {
        const [pbxs, found] = await Promise.all([
          list({}, reader).catch(() => null),
          faults.of({}, reader).catch(() => null),
        ]);
        const counters = reader === null ? options.counters() : {};
        return metrics.render({ list: pbxs, faults: found?.faults ?? null, counters, nowMs: clock.nowMs() });
      },
    }),
  ];
  return [...described, ...documentRoutes(described)];
}

/** The same route with `pbx` and `site`, answered by the store. */
function scoped(core: Route, options: FleetRoutesOptions, scopeOf: ScopeOf): Route {
  const { store, database } = options;
  const { site: ofPhones, ...own } = core.query.shape as Readonly<Record<string, z.ZodType>>;
  const query = z.strictObject({
    ...own,
    ...(ofPhones === undefined ? {} : { device_site: ofPhones }),
    ...WHOSE,
  });
  /** The route over the PBXs that the request chooses. */
  const begin = ({ query: asked, reader }: RouteRequest) => {
    const { pbx: pbxs, site: sites, device_site: phones, ...rest } = asked as Whose & Readonly<Record<string, unknown>>;
    const scope = scopeOf({ pbx: pbxs, site: sites }, reader);
    const history = new FleetHistory(options.store, options.database, scope, options.clock.nowMs());
    const table = routes(sourcesOf(history, options, scope));
    const one = table.find(({ path, method }) => path === core.path && method === core.method) ?? core;
    return { history, one, scope, rest: { ...rest, ...(phones === undefined ? {} : { site: phones }) } };
  };
  const { csv } = core;
  return {
    ...core,
    query,
    answer: withShards(core.answer),
    handle: (request) =>
      inWords(async () => {
        const { history, one, rest, scope } = begin(request);
        const answer = (await one.handle({ ...request, query: rest })) as Readonly<Record<string, unknown>>;
        return { ...(await remarked(answer, new FleetRemarks(store, database, scope))), shards: history.shards };
      }),
    csv:
      csv &&
      ((request) =>
        inWords(async () => {
          const { history, one, rest } = begin(request);
          // A CSV table has no place to say that a part of it is missing.
          history.beStrict();
          return (await one.csv?.({ ...request, query: rest })) ?? none();
        })),
  };
}

async function* none(): AsyncGenerator<string> {}

function withShards(answer: z.ZodType): z.ZodType {
  if (answer instanceof z.ZodUnion) return z.union(answer.options.map((option) => withShards(option as z.ZodType)));
  return answer instanceof z.ZodObject ? answer.extend({ shards: SHARDS.nullable() }) : answer;
}

/** An answer with the notes and tags of its calls. Two PBXs may have calls with the same linkedid. */
async function remarked(answer: Readonly<Record<string, unknown>>, remarks: FleetRemarks): Promise<object> {
  const isCall = 'notes' in answer;
  const list = isCall ? [answer] : Array.isArray(answer['calls']) ? (answer['calls'] as object[]) : [];
  const calls = list as (object & { readonly pbx: string; readonly linkedid: string })[];
  const found = await remarks.ofCalls(calls);
  const made = calls.map((call) => {
    const { notes, tags, tagged } = presentRemarks(
      found.get(`${call.pbx} ${call.linkedid}`) ?? { notes: [], tags: [] },
    );
    return isCall ? { ...call, notes, tags, tagged } : { ...call, tags };
  });
  if (isCall) return made[0] ?? answer;
  return calls.length === 0 ? answer : { ...answer, calls: made };
}

function sourcesOf(
  history: FleetHistory,
  { store, database, clock }: FleetRoutesOptions,
  scope: Scope = [],
): ApiSources {
  return {
    history,
    clock,
    ratings: {
      ofCall: (linkedid) => new FleetRatings(store, database, scope).ofCall(history.pbxOf(linkedid) ?? '', linkedid),
    },
    live: { liveCount: 0, liveUniqueids: () => [], liveChannel: () => null, liveMedia: () => null },
    health: { health: () => HEALTH },
    metrics: { contentType: '', render: async () => '', renderOpenMetrics: async () => '' },
    isFleet: true,
  };
}

/** The routes use only `capture` of it: what came of packets is shipped, the packets themselves are not. */
const HEALTH: HealthReport = {
  amiConnected: true,
  amiProblem: null,
  ariConnected: null,
  historyWritable: true,
  historyProblem: null,
  asteriskVersion: null,
  databaseBytes: null,
  capture: { status: 'off', problem: null },
  counters: {},
};
