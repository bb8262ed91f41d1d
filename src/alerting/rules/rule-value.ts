import type { AlertRule, AlertSubject, LegSample } from '../../model/alert.ts';
import type { FaultPlace } from '../../model/fault.ts';
import type { Verdict } from '../../model/score.ts';
import { fits } from './endpoint-pattern.ts';
import { goneSights } from './gone.ts';
import type { RuleSight } from './rule-sight.ts';
import type { Surroundings } from './surroundings.ts';

export const TOGETHER = 'all';

const ONE_WAY: ReadonlySet<Verdict | null> = new Set(['no-media', 'one-way-rx', 'one-way-tx']);
const NOT_JUDGED: ReadonlySet<Verdict | null> = new Set([null, 'too-short', 'no-rtcp']);

export function isBad(verdict: Verdict | null): boolean {
  return verdict === 'bad' || ONE_WAY.has(verdict);
}

export function isJudged(verdict: Verdict | null): boolean {
  return !NOT_JUDGED.has(verdict);
}

/** Legs that are looked at in one step. */
const LEGS_A_STEP = 1000;

/** What the rule makes of the legs. Local channels are Asterisk's own and count for nobody. */
export function sights(rule: AlertRule, legs: Iterable<LegSample>, around: Surroundings): RuleSight[] {
  const steps = sightsInSteps(rule, legs, around);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, a millisecond or so at a time: a large PBX has tens of thousands of them. */
export function* sightsInSteps(
  rule: AlertRule,
  legs: Iterable<LegSample>,
  around: Surroundings,
): Generator<undefined, RuleSight[]> {
  if (rule.what === 'ami') return [amiSight(around)];
  if (rule.what === 'gone') return yield* goneSights(rule, around);
  if (rule.what === 'unreachable') {
    return around.reach?.sights(rule, around, (endpoint) => around.calls?.siteOf(endpoint) ?? null) ?? [];
  }
  const fromMs = around.nowMs - rule.overMs;
  const groups = new Map<string, Group>();
  let count = 0;
  for (const leg of legs) {
    if (++count % LEGS_A_STEP === 0) yield;
    if (leg.endpoint.startsWith('Local/') || !fits(leg.endpoint, rule.endpoints)) continue;
    if (leg.endedAtMs !== null && leg.endedAtMs <= fromMs) continue;
    const subject = rule.by === 'all' ? TOGETHER : rule.by === 'site' ? leg.site : leg.endpoint;
    if (subject === null) continue;
    let group = groups.get(subject);
    if (group === undefined) groups.set(subject, (group = { calls: new Map(), isUp: false }));
    addLeg(rule, group, leg, around);
  }
  const seen: RuleSight[] = [];
  for (const [subject, group] of groups) {
    const isReachable = rule.by === 'endpoint' ? (around.reach?.isReachable(subject) ?? null) : null;
    seen.push({ ...sightOf(rule, subject, group), isReachable });
    const before = count;
    count += group.calls.size;
    if (Math.floor(before / LEGS_A_STEP) !== Math.floor(count / LEGS_A_STEP)) yield;
  }
  return seen;
}

function amiSight({ nowMs, amiDownSinceMs }: Surroundings): RuleSight {
  const value = amiDownSinceMs === null ? 0 : (nowMs - amiDownSinceMs) / 1000;
  return {
    subject: TOGETHER,
    value,
    judged: 0,
    isUp: false,
    linkedids: [],
    sinceMs: amiDownSinceMs,
    place: null,
    isReachable: null,
  };
}

interface CallSight {
  readonly linkedid: string;
  startedAtMs: number;
  /** The worst of its legs, in the rule's unit; for a share, 1 or 0. Null: they tell nothing about it. */
  value: number | null;
  place: FaultPlace | null;
}

/** The legs of one subject, by their calls. */
interface Group {
  readonly calls: Map<string, CallSight>;
  isUp: boolean;
}

/** Without arrays and objects for a leg: a large PBX has tens of thousands of them, and several rules look at each. */
function addLeg(rule: AlertRule, group: Group, leg: LegSample, around: Surroundings): void {
  const { linkedid, endedAtMs, faultPlace } = leg;
  const value = LEG_VALUES[rule.what](leg, rule, around);
  const startedAtMs = onsetOf(rule.what, leg);
  group.isUp ||= endedAtMs === null;
  const call = group.calls.get(linkedid);
  if (call === undefined) {
    group.calls.set(linkedid, { linkedid, startedAtMs, value, place: faultPlace });
    return;
  }
  call.startedAtMs = Math.min(call.startedAtMs, startedAtMs);
  call.place ??= faultPlace;
  if (value === null) return;
  if (call.value === null) call.value = value;
  else call.value = rule.what === 'p5' ? Math.min(call.value, value) : Math.max(call.value, value);
}

function sightOf(rule: AlertRule, subject: string, { calls, isUp }: Group): Omit<RuleSight, 'isReachable'> {
  const values: number[] = [];
  const atFault: CallSight[] = [];
  for (const call of calls.values()) {
    const { value } = call;
    if (value === null) continue;
    values.push(value);
    if (isShare(rule.what) ? value === 1 : reaches(rule, value)) atFault.push(call);
  }
  atFault.sort((one, other) => one.startedAtMs - other.startedAtMs);
  return {
    subject,
    value: values.length < rule.calls ? null : valueOf(rule.what, values),
    judged: values.length,
    isUp,
    linkedids: atFault.map(({ linkedid }) => linkedid),
    sinceMs: atFault[0]?.startedAtMs ?? null,
    place: commonest(atFault.map(({ place }) => place)),
  };
}

/** Of calls that are up: since when they have been bad. */
function onsetOf(what: AlertSubject, { startedAtMs, badSinceMs }: LegSample): number {
  return what === 'bad-live' ? (badSinceMs ?? startedAtMs) : startedAtMs;
}

function isShare(what: AlertSubject): boolean {
  return what === 'bad-calls' || what === 'one-way' || what === 'no-reports' || what === 'bad-live';
}

type LegValue = (leg: LegSample, rule: AlertRule, around: Surroundings) => number | null;

/** Null: the leg tells nothing about it. */
const LEG_VALUES: Readonly<Record<AlertSubject, LegValue>> = {
  'bad-live': (leg, { overMs }, { nowMs }) => liveValue(leg, overMs, nowMs),
  'bad-calls': ({ verdict }) => (isJudged(verdict) ? Number(isBad(verdict)) : null),
  'one-way': ({ verdict }) => (isJudged(verdict) ? Number(ONE_WAY.has(verdict)) : null),
  'no-reports': ({ endpoint, endedAtMs, answered, verdict, hasFarReports }, _rule, { usedToReport }) =>
    endedAtMs !== null && answered && verdict !== 'too-short' && usedToReport(endpoint) ? Number(!hasFarReports) : null,
  p5: ({ mes }) => mes,
  loss: ({ lossPercent }) => lossPercent,
  jitter: ({ jitterMs }) => jitterMs,
  rtt: ({ rttMs }) => rttMs,
  ami: () => null,
  gone: () => null,
  unreachable: () => null,
  // Of whole PBXs: their fleet's gateway sees it.
  silent: () => null,
  problem: () => null,
};

function liveValue({ endedAtMs, badSinceMs, verdict }: LegSample, overMs: number, nowMs: number): number | null {
  if (endedAtMs !== null) return null;
  if (badSinceMs !== null) return Number(nowMs - badSinceMs >= overMs);
  return isJudged(verdict) ? 0 : null;
}

function valueOf(what: AlertSubject, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  if (what === 'bad-live') return sum;
  if (what === 'p5') return percentile5(values);
  const mean = values.length === 0 ? 0 : sum / values.length;
  return isShare(what) ? 100 * mean : mean;
}

/** By nearest rank. */
function percentile5(values: readonly number[]): number {
  // By their size without a comparison of ours: it is called for each pair.
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.05) - 1)] ?? 0;
}

/** Whether a value is so bad that the rule raises. */
export function reaches({ what, raise }: AlertRule, value: number): boolean {
  return what === 'p5' ? value <= raise : value >= raise;
}

/** Whether it is good enough again. */
export function isClear({ what, clear }: AlertRule, value: number): boolean {
  return what === 'p5' ? value >= clear : value <= clear;
}

function commonest(places: readonly (FaultPlace | null)[]): FaultPlace | null {
  const known = places.filter((place) => place !== null && place !== 'none');
  const [first] = [...Map.groupBy(known, (place) => place)].toSorted(([, one], [, other]) => other.length - one.length);
  return first?.[0] ?? null;
}
