import { z } from 'zod';
import { DEFAULT_LIMIT } from '../../api/parameters.ts';
import { encodeCursor, presentRating, RATING, RATINGS_QUERY, ratingFilter } from '../../api/ratings/ratings.ts';
import { type Route, route } from '../../api/route.ts';
import { FleetRatings } from '../read/ratings.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, WHOSE } from './asked.ts';
import { SHARDS } from './pbx-list.ts';

const ANSWER = z.strictObject({
  ratings: z.array(RATING.extend({ pbx: z.string(), site: z.string() })),
  next_cursor: z.string().nullable().describe('leads to the next page; null: this is the last one'),
  shards: SHARDS.nullable(),
});

/** What people said of their calls on all PBXs. How many were asked is known on each PBX only. */
export function fleetRatingRoutes({ store, database, clock }: FleetRoutesOptions, scopeOf: ScopeOf): readonly Route[] {
  return [
    route({
      path: '/v1/ratings',
      summary: 'What people said of their calls in [from, to) on the PBXs of the fleet, newest first.',
      query: z.strictObject({ ...RATINGS_QUERY.shape, ...WHOSE }),
      answer: ANSWER,
      handle: ({ query: { pbx, site, limit = DEFAULT_LIMIT, cursor = null, ...query }, reader }) =>
        inWords(async () => {
          const ratings = new FleetRatings(store, database, scopeOf({ pbx, site }, reader));
          const { ratings: found, next } = await ratings.list(ratingFilter(query, clock.nowMs()), limit, cursor);
          return {
            ratings: found.map(({ pbx: whose, site: where, ...rating }) => ({
              ...presentRating(rating),
              pbx: whose,
              site: where,
            })),
            next_cursor: next === null ? null : encodeCursor(next),
            shards: ratings.shards,
          };
        }),
    }),
  ];
}
