import { z } from 'zod';
import { TRUNK } from '../../api/alerts/trunks.ts';
import { endpoints, limit } from '../../api/parameters.ts';
import { type Route, route } from '../../api/route.ts';
import { fleetTrunks } from '../read/trunks.ts';
import { Question } from '../read/question.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, WHOSE } from './asked.ts';
import { SHARDS } from './pbx-list.ts';

const USUAL_LIMIT = 500;
const MOST_LIMIT = 2000;

const ANSWER = z.strictObject({
  trunks: z.array(TRUNK.extend({ pbx: z.string(), site: z.string() })),
  shards: SHARDS.nullable(),
});

/** The recent quality of all PBXs' trunks. */
export function fleetTrunkRoutes({ store, database, clock }: FleetRoutesOptions, scopeOf: ScopeOf): readonly Route[] {
  return [
    route({
      path: '/v1/trunks',
      summary:
        'Recent quality of every endpoint of every PBX, the best first; calls come here some seconds after their end.',
      query: z.strictObject({ endpoint: endpoints(), limit: limit(MOST_LIMIT), ...WHOSE }),
      answer: ANSWER,
      handle: ({ query: { pbx, site, endpoint, limit: most = USUAL_LIMIT }, reader }) =>
        inWords(async () => {
          const question = new Question(store, database, scopeOf({ pbx, site }, reader));
          const found = await fleetTrunks(question, endpoint, most, clock.nowMs());
          return {
            trunks: found.map((trunk) => ({
              pbx: trunk.pbx,
              site: trunk.site,
              endpoint: trunk.endpoint,
              calls: trunk.calls,
              bad_calls: trunk.badCalls,
              recent_mes: trunk.recentMes === null ? null : Math.round(trunk.recentMes * 100) / 100,
              last_call_at: new Date(trunk.lastAtMs).toISOString(),
            })),
            shards: question.shards,
          };
        }),
    }),
  ];
}
