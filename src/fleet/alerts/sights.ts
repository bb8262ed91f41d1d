import { endpointOnPbx } from '../../alerting/messages/words.ts';
import type { RuleSight } from '../../alerting/rules/rule-sight.ts';
import { TOGETHER } from '../../alerting/rules/rule-value.ts';
import { qualityOf } from '../../history/sums/qualities.ts';
import type { ScoreSums } from '../../history/sums/score-sums.ts';
import type { AlertSubject, FleetAlertRule } from '../../model/alert.ts';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import { HEARTBEAT_EVERY_MS } from '../gatherer.ts';
import { type Heartbeat, readHeartbeats, SILENT_AFTER_MS } from '../read/pbxs.ts';
import { Question } from '../read/question.ts';
import { allOf, quote, textTest } from '../read/sql.ts';
import { askSums } from '../read/sum-question.ts';
import { LONGEST_BACK_OFF_MS } from '../shipper.ts';
import type { FleetStore } from '../store.ts';

const HOUR_MS = 3_600_000;
/** Those that are worst: of more than so many nobody reads. */
const MOST_SUBJECTS = 5000;
/** After gateways or store were away, PBXs that waited come back within this time. */
const COME_BACK_MS = 1.25 * LONGEST_BACK_OFF_MS + HEARTBEAT_EVERY_MS;

/** What rules look at. */
export interface FleetView {
  readonly store: Pick<FleetStore, 'ask'>;
  readonly database: string;
  /** The PBXs of fleet.conf: of others nobody expects to hear. */
  readonly known: readonly { readonly name: string; readonly site: string }[];
  readonly nowMs: number;
  /** Since when all shards have been there without a break. */
  readonly wholeSinceMs: number;
  /** Since when a PBX has said that it cannot score; of rounds before. */
  readonly problemsSinceMs: Map<string, number>;
}

/** What a rule sees of the fleet. Null as value: nothing is known. Rejects with StoreError. */
export async function fleetSights(rule: FleetAlertRule, view: FleetView): Promise<RuleSight[]> {
  if (rule.what === 'silent' || rule.what === 'problem') return stateSights(rule, view);
  return sumSights(rule, view);
}

function sight(subject: string, value: number | null, judged: number, sinceMs: number | null): RuleSight {
  return { subject, value, judged, isUp: false, isReachable: null, linkedids: [], sinceMs, place: null };
}

async function stateSights(rule: FleetAlertRule, view: FleetView): Promise<RuleSight[]> {
  const question = new Question(view.store, view.database, scopeOf(rule));
  const heartbeats = await readHeartbeats(question, view.nowMs);
  const siteOf = new Map(view.known.map(({ name, site }) => [name, site]));
  const groups = new Map<string, { values: number[]; since: number[] }>();
  for (const [pbx, heartbeat] of heartbeats) {
    if (!siteOf.has(pbx)) continue;
    const site = siteOf.get(pbx) || heartbeat.at_site;
    const subject = rule.by === 'site' ? site : rule.by === 'all' ? TOGETHER : pbx;
    if (subject === '') continue;
    const group = groups.get(subject) ?? { values: [], since: [] };
    groups.set(subject, group);
    const { value, sinceMs } = rule.what === 'silent' ? silence(heartbeat, view) : trouble(pbx, heartbeat, view);
    group.values.push(value);
    group.since.push(sinceMs);
  }
  // Of a site, or of all, it is true when it is true of each.
  const seen = [...groups].map(([subject, { values, since }]) =>
    sight(subject, Math.min(...values), 1, Math.max(...since)),
  );
  // What is not on a shard that does not answer is not known to be well; a PBX that fleet.conf has no more is nobody's worry.
  const isWhole = question.shards === null || question.shards.answered === question.shards.of;
  if (rule.by !== 'pbx') return isWhole ? seen : [];
  const gone = [...heartbeats.keys()].filter((pbx) => !siteOf.has(pbx));
  return [...seen, ...gone.map((pbx) => sight(pbx, 0, 1, null))];
}

function silence(
  { heard }: Heartbeat,
  { nowMs, wholeSinceMs }: FleetView,
): { readonly value: number; readonly sinceMs: number } {
  const fromMs = heard >= wholeSinceMs ? heard : Math.max(heard, wholeSinceMs + COME_BACK_MS);
  return { value: Math.max(0, (nowMs - fromMs) / 1000), sinceMs: heard };
}

function trouble(
  pbx: string,
  { trouble: problem, heard }: Heartbeat,
  { nowMs, problemsSinceMs }: FleetView,
): { readonly value: number; readonly sinceMs: number } {
  // Of one that is silent its last word counts no more: that it is silent is another rule's.
  if (problem === null || nowMs - heard > SILENT_AFTER_MS) {
    problemsSinceMs.delete(pbx);
    return { value: 0, sinceMs: heard };
  }
  const sinceMs = problemsSinceMs.get(pbx) ?? heard;
  problemsSinceMs.set(pbx, sinceMs);
  return { value: Math.max(0, (nowMs - sinceMs) / 1000), sinceMs };
}

/** By what calls are taken together, in SQL over sums. */
const SUBJECTS = {
  pbx: 'pbx',
  site: 'site',
  endpoint: 'scope',
  'pbx-endpoint': `concat(scope, '${endpointOnPbx('', '')}', pbx)`,
  all: `concat('${TOGETHER}', '')`,
} as const;

/** The worst first, so that those are read which may raise. */
const WORST_FIRST: Readonly<Partial<Record<AlertSubject, string>>> = {
  'bad-calls': 'sum_bad / sum_judged DESC',
  p5: 'sum_mes_micro / sum_judged',
  loss: 'sum_packets_lost / sum_packets_expected DESC',
  jitter: 'sum_jitter_us / sum_jitter_reports DESC',
  rtt: 'sum_rtt_us / sum_rtt_reports DESC',
};

/** Whole hours, those that the time of the rule touches: PBXs send their sums by the hour. */
export function hoursOf({ overMs }: Pick<FleetAlertRule, 'overMs'>, nowMs: number): { fromMs: number; toMs: number } {
  return { fromMs: Math.floor((nowMs - overMs) / HOUR_MS) * HOUR_MS, toMs: Math.ceil((nowMs + 1) / HOUR_MS) * HOUR_MS };
}

async function sumSights(rule: FleetAlertRule, { store, database, nowMs }: FleetView): Promise<RuleSight[]> {
  const question = new Question(store, database, scopeOf(rule));
  const isOfAllEndpoints = rule.endpoints.includes('*');
  const isOfCalls = rule.what === 'bad-calls' || rule.what === 'p5';
  const byEndpoint = rule.by === 'endpoint' || rule.by === 'pbx-endpoint';
  const of = isOfCalls && isOfAllEndpoints && !byEndpoint ? 'calls' : 'endpoints';
  const test = allOf(
    of === 'calls' ? '' : `NOT startsWith(assumeNotNull(scope), ${quote(LOCAL_CHANNEL_PREFIX)})`,
    of === 'calls' || isOfAllEndpoints ? '' : textTest(['scope'], rule.endpoints),
  );
  // By PBX every row is of one shard. Of others a shard may have too few calls by itself, and enough with those of the others.
  const isOfOneShard = rule.by === 'pbx' || rule.by === 'pbx-endpoint';
  const enough = `sum_judged >= ${rule.calls}`;
  const rows = await askSums(
    question,
    hoursOf(rule, nowMs),
    { of, test, withMedia: !isOfCalls },
    {
      by: { subject: SUBJECTS[rule.by] },
      rest: `AND ${isOfOneShard ? enough : 'sum_judged > 0'} ORDER BY ${enough} DESC, ${WORST_FIRST[rule.what]} LIMIT ${MOST_SUBJECTS}`,
    },
  );
  // Of what is on several shards, an answer without one of them tells nothing.
  const isWhole = question.shards === null || question.shards.answered === question.shards.of;
  if (!isWhole && !isOfOneShard) return [];
  const sumsOf = new Map<string, ScoreSums>();
  for (const { subject, sums } of rows) {
    const known = sumsOf.get(String(subject));
    if (known === undefined) sumsOf.set(String(subject), sums);
    else known.add(sums);
  }
  return [...sumsOf]
    .filter(([subject, { judged }]) => subject !== '' && judged >= rule.calls)
    .map(([subject, sums]) => sight(subject, valueOf(rule.what, sums), sums.judged, null));
}

/** In the unit of the rule; null: there is nothing to judge. */
function valueOf(what: AlertSubject, sums: ScoreSums): number | null {
  const ratio = (sum: number, of: number): number | null => (of === 0 ? null : sum / of);
  if (what === 'bad-calls') return qualityOf(sums).badPercent;
  if (what === 'p5') return qualityOf(sums).mesP5;
  if (what === 'loss') return ratio(100 * sums.packetsLost, sums.packetsExpected);
  return what === 'jitter'
    ? ratio(sums.jitterUs / 1000, sums.jitterReports)
    : ratio(sums.rttUs / 1000, sums.rttReports);
}

function scopeOf({ pbxs, sites }: FleetAlertRule) {
  return [{ pbxs, sites }];
}
