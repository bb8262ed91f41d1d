import type { CallOrder } from '../model/ports.ts';

/** What calls are sorted by; a minus turns the order around. */
const ORDERS = {
  mes: 'lowest-score',
  '-mes': 'highest-score',
  mes_min: 'lowest-minimum',
  duration_s: 'shortest',
  '-duration_s': 'longest',
} as const satisfies Record<string, CallOrder>;
export const SORTS = ['-started_at', ...(Object.keys(ORDERS) as (keyof typeof ORDERS)[])] as const;

/** The order that `sort` asks for; undefined is newest first. */
export function orderOf(sort: (typeof SORTS)[number] | undefined): CallOrder | undefined {
  return sort === undefined || sort === '-started_at' ? undefined : ORDERS[sort];
}
