import { z } from 'zod';
import { alertJson, whom } from '../../alerting/messages/words.ts';
import { ALERT, ALERTS_QUERY, DEFAULT_AGO_MS, DEFAULT_LIMIT, RULE } from '../../api/alerts/alerts.ts';
import { NO_QUERY } from '../../api/parameters.ts';
import { Problem } from '../../api/problem.ts';
import { type Route, route } from '../../api/route.ts';
import type { Alert, FleetAlertRule } from '../../model/alert.ts';
import { momentMs } from '../../units/moment.ts';
import { WatchTable } from '../alerts/watch-table.ts';
import { isWithin } from '../read/scope.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, type Whose, WHOSE } from './asked.ts';

const MOST = 1000;

const ANSWER = z.strictObject({
  alerts: z.array(ALERT),
  rules: z.array(
    RULE.extend({
      pbxs: z.array(z.string()).describe('which PBXs it is about'),
      sites: z.array(z.string()).describe('where these are; empty: anywhere'),
    }),
  ),
});

/** Alerts of fleet.conf, whichever of the gateways raised them. A reader sees those about one PBX of its own, or a site of its own. */
export function fleetAlertRoutes(options: FleetRoutesOptions, scopeOf: ScopeOf): readonly Route[] {
  const { store, database, clock, known, alertRules = [] } = options;
  const table = new WatchTable(store, database);
  const isSeen = (alert: Alert, asked: Whose, reader: string | null): boolean => {
    const { pbx, site } = whom(alert);
    const scope = scopeOf(asked, reader);
    if (pbx !== undefined)
      return isWithin(scope, { name: pbx, site: known().pbxs.find(({ name }) => name === pbx)?.site ?? '' });
    // What is about several PBXs is for those who see all of them.
    return scope.every(({ pbxs, sites }) => pbxs === undefined && (sites === undefined || sites.includes(site ?? '')));
  };
  return [
    route({
      path: '/v1/alerts',
      summary: 'Alerts by the rules of fleet.conf that go on, and those of the last day, or since `from`',
      query: z.strictObject({ ...ALERTS_QUERY.shape, ...WHOSE }),
      answer: ANSWER,
      handle: ({ query: { from, status, limit = DEFAULT_LIMIT, pbx, site }, reader }) =>
        inWords(async () => {
          const nowMs = clock.nowMs();
          const sinceMs = from === undefined ? nowMs - DEFAULT_AGO_MS : momentMs(from, nowMs);
          const found = await table.alertsSince(sinceMs, MOST);
          const asked = found
            .filter((alert) => isSeen(alert, { pbx, site }, reader))
            .map((alert) => alertJson(alert))
            .filter((alert) => status === undefined || alert.status === status);
          return { alerts: asked.slice(0, limit), rules: alertRules.map(presentRule) };
        }),
    }),
    route({
      path: '/v1/alerts/:id',
      summary: 'One alert',
      query: NO_QUERY,
      answer: ALERT,
      handle: ({ id, reader }) =>
        inWords(async () => {
          const alert = await table.alert(id);
          if (alert === null || !isSeen(alert, {}, reader))
            throw new Problem('MES_ERR_NO_SUCH_ID', 'no alert has this id; GET /v1/alerts lists them');
          return alertJson(alert);
        }),
    }),
  ];
}

function presentRule(rule: FleetAlertRule): z.output<typeof ANSWER>['rules'][number] {
  const { name, what, overMs, endpoints, by, calls, raise, clear, send, pbxs = ['*'], sites = [] } = rule;
  const more = { endpoints: [...endpoints], pbxs: [...pbxs], sites: [...sites] };
  return { name, what, over_s: overMs / 1000, by, calls, raise, clear, send, ...more };
}
