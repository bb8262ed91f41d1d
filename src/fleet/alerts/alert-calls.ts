import { whom } from '../../alerting/messages/words.ts';
import { MOST_LINKEDIDS } from '../../alerting/rules/judge.ts';
import type { Alert, FleetAlertRule } from '../../model/alert.ts';
import type { CallFilter } from '../../model/ports.ts';
import type { Verdict } from '../../model/score.ts';
import { BAD } from '../../history/sums/contribution.ts';
import { FleetHistory } from '../read/fleet-history.ts';
import type { Scope } from '../read/scope.ts';
import type { FleetStore } from '../store.ts';
import { hoursOf } from './sights.ts';

/** Where no call is bad by its verdict: those with the lowest scores. */
const MOST_WORST = 20;
const BAD_VERDICTS = [...BAD].filter((verdict): verdict is Verdict => verdict !== null);

/** A new alert with the calls that it is about; as it is when it is about none, or they are not found in time. */
export async function withCalls(
  alert: Alert,
  rule: FleetAlertRule,
  { store, database, nowMs }: { store: Pick<FleetStore, 'ask'>; database: string; nowMs: number },
): Promise<Alert> {
  if (rule.what === 'silent' || rule.what === 'problem') return alert;
  const { pbx, site, endpoint } = whom(alert);
  const scope: Scope = [
    { pbxs: rule.pbxs, sites: rule.sites },
    { pbxs: pbx === undefined ? undefined : [pbx], sites: site === null ? undefined : [site] },
  ];
  const endpoints = endpoint !== null ? [endpoint] : rule.endpoints.includes('*') ? undefined : rule.endpoints;
  const filter: CallFilter = {
    ...hoursOf(rule, nowMs),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(rule.what === 'bad-calls' ? { verdicts: BAD_VERDICTS } : {}),
  };
  const history = new FleetHistory(store, database, scope, nowMs);
  const isShare = rule.what === 'bad-calls';
  const { calls } = await history.calls(
    filter,
    isShare ? MOST_LINKEDIDS : MOST_WORST,
    null,
    isShare ? {} : { order: 'lowest-score' },
  );
  if (calls.length === 0) return alert;
  const places = calls.map(({ faultPlace }) => faultPlace).filter((place) => place !== null && place !== 'none');
  const [place] = [...Map.groupBy(places, (one) => one)].toSorted(([, one], [, other]) => other.length - one.length);
  return {
    ...alert,
    sinceMs: Math.min(alert.sinceMs, ...calls.map(({ startedAtMs }) => startedAtMs)),
    calls: calls.length,
    linkedids: calls.map(({ linkedid }) => linkedid),
    place: place?.[0] ?? null,
  };
}

/** The page with the calls of an alert, from the first of them to when it was raised. */
export function callsLink(url: string, { what, sinceMs, raisedAtMs, ...alert }: Alert): string {
  const { pbx, site, endpoint } = whom(alert);
  const query = new URLSearchParams({
    ...(pbx === undefined ? {} : { pbx }),
    ...(site === null ? {} : { site }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(what === 'bad-calls' ? { verdict: BAD_VERDICTS.join(',') } : { sort: 'mes' }),
    from: new Date(sinceMs).toISOString(),
    to: new Date(raisedAtMs).toISOString(),
  });
  return `${url}/#/calls?${query.toString()}`;
}
