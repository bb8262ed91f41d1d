import type { CallOrder } from '../model/ports.ts';

/** The orders of calls; a minus reverses one. */
const ORDERS = {
  mes: 'lowest-score',
  '-mes': 'highest-score',
  mes_min: 'lowest-minimum',
  duration_s: 'shortest',
  '-duration_s': 'longest',
} as const satisfies Record<string, CallOrder>;
export const SORTS = ['-started_at', ...(Object.keys(ORDERS) as (keyof typeof ORDERS)[])] as const;

/** The order of a `sort` parameter; undefined: newest first. */
export function orderOf(sort: (typeof SORTS)[number] | undefined): CallOrder | undefined {
  return sort === undefined || sort === '-started_at' ? undefined : ORDERS[sort];
}
