import { z } from 'zod';
import { ALERT_GROUPINGS, ALERT_SUBJECTS, FLEET_ALERT_GROUPINGS, FLEET_ALERT_SUBJECTS } from '../../model/alert.ts';
import type { Clock } from '../../model/ports.ts';
import { FAULT_PLACES } from '../../model/fault.ts';
import { momentMs } from '../../units/moment.ts';
import { moment, NO_QUERY, parameter } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

const TIME = z.iso.datetime({ precision: 3 });
const STATES = ['active', 'over'] as const;
const WHAT = z.enum([...ALERT_SUBJECTS, ...FLEET_ALERT_SUBJECTS]).describe('silent and problem: on a fleet only');

export const ALERT = z.strictObject({
  id: z.string(),
  rule: z.string().describe('NAME of [alert:NAME]'),
  what: WHAT,
  endpoint: z.string().nullable().describe('null: a site, or all endpoints of the rule together'),
  site: z.string().nullable().describe('of a rule by site'),
  pbx: z.string().optional().describe('on a fleet, of an alert about one PBX'),
  status: z.enum(STATES),
  since: TIME.describe('start of the first call that it is about, or of what is wrong'),
  raised_at: TIME,
  over_at: TIME.nullable(),
  over_because: z.enum(['better', 'no-calls', 'rule-gone']).nullable(),
  value: z.number().nullable().describe('now, in the unit of the rule; null: too few calls'),
  worst: z.number(),
  sentence: z.string(),
  calls: z.int().nonnegative(),
  linkedids: z.array(z.string()).describe('the first 100 of its calls'),
  place: z.enum(FAULT_PLACES).nullable().describe('where the fault of its calls probably lies'),
  reachable: z
    .boolean()
    .nullable()
    .describe('whether Asterisk can reach the endpoint: registered, or answering; null: not known, or several'),
  told_at: TIME.nullable(),
  end_told_at: TIME.nullable(),
});

export const RULE = z.strictObject({
  name: z.string(),
  what: WHAT,
  over_s: z.number(),
  endpoints: z.array(z.string()),
  by: z.enum([...ALERT_GROUPINGS, ...FLEET_ALERT_GROUPINGS]).describe('pbx and pbx-endpoint: on a fleet only'),
  calls: z.int(),
  raise: z.number(),
  clear: z.number(),
  send: z.boolean(),
});

export const ALERTS_ANSWER = z.strictObject({ alerts: z.array(ALERT), rules: z.array(RULE) });

export const ALERTS_QUERY = z.strictObject({
  from: moment(),
  status: parameter('active or over', (text) => STATES.find((known) => known === text)),
  limit: parameter('a whole number from 1 to 1000', (text) =>
    /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 1000 ? Number(text) : undefined,
  ),
});

export const DEFAULT_LIMIT = 100;
export const DEFAULT_AGO_MS = 86_400_000;

/** Stored alerts, with the present state in place of open ones. */
export interface AlertService {
  /** Open alerts, and those raised or ended since `sinceMs`, the newest first. */
  list(sinceMs: number, limit: number): Promise<z.output<typeof ALERT>[]>;
  one(id: string): Promise<z.output<typeof ALERT> | null>;
  readonly rules: readonly z.output<typeof RULE>[];
}

export function alertRoutes(service: AlertService, clock: Clock): readonly Route[] {
  return [
    route({
      path: '/v1/alerts',
      summary: 'Alerts that go on, and those of the last day, or since `from`',
      query: ALERTS_QUERY,
      answer: ALERTS_ANSWER,
      async handle({ query: { from, status, limit = DEFAULT_LIMIT } }) {
        const nowMs = clock.nowMs();
        const sinceMs = from === undefined ? nowMs - DEFAULT_AGO_MS : momentMs(from, nowMs);
        const alerts = await service.list(sinceMs, status === undefined ? limit : 1000);
        const asked = alerts.filter((alert) => status === undefined || alert.status === status);
        return { alerts: asked.slice(0, limit), rules: [...service.rules] };
      },
    }),
    route({
      path: '/v1/alerts/:id',
      summary: 'One alert',
      query: NO_QUERY,
      answer: ALERT,
      async handle({ id }) {
        const alert = await service.one(id);
        if (alert === null) throw new Problem('MES_ERR_NO_SUCH_ID', 'no alert has this id; GET /v1/alerts lists them');
        return alert;
      },
    }),
  ];
}
