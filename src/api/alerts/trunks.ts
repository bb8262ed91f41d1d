import { z } from 'zod';
import type { Clock } from '../../model/ports.ts';
import { LIST_QUERY } from '../parameters.ts';
import { type Route, route } from '../route.ts';

const TIME = z.iso.datetime({ precision: 3 });

export const TRUNK = z.strictObject({
  endpoint: z.string(),
  calls: z.int().nonnegative().describe('of the last hour, with a verdict'),
  bad_calls: z.int().nonnegative(),
  recent_mes: z
    .number()
    .nullable()
    .describe('mean of their scores, the latest counting most; null: fewer than five calls'),
  last_call_at: TIME,
});
const TRUNKS_ANSWER = z.strictObject({ trunks: z.array(TRUNK) });

/** The quality of trunks, the best first. */
export interface TrunkView {
  all(nowMs: number): readonly {
    readonly endpoint: string;
    readonly calls: number;
    readonly badCalls: number;
    readonly recentMes: number | null;
    readonly lastAtMs: number;
  }[];
}

export function trunkRoutes(view: TrunkView, clock: Clock): readonly Route[] {
  return [
    route({
      path: '/v1/trunks',
      summary: 'Recent quality of every endpoint, as the script best compares trunks; the best first',
      query: LIST_QUERY,
      answer: TRUNKS_ANSWER,
      async handle({ query: { limit } }) {
        const best = view.all(clock.nowMs()).slice(0, limit);
        const trunks = best.map(({ endpoint, calls, badCalls, recentMes, lastAtMs }) => ({
          endpoint,
          calls,
          bad_calls: badCalls,
          recent_mes: recentMes === null ? null : Math.round(recentMes * 100) / 100,
          last_call_at: new Date(lastAtMs).toISOString(),
        }));
        return { trunks };
      },
    }),
  ];
}
