import { VERDICT_GROUPS, type Verdict } from '../../model/score.ts';

/** Verdicts that count as a bad call. */
export const BAD: ReadonlySet<Verdict | null> = new Set<Verdict>(VERDICT_GROUPS['bad-or-worse']);
/** Verdicts that say anything of the call's quality. */
export const JUDGED: ReadonlySet<Verdict | null> = new Set<Verdict>(['good', 'fair', 'poor', ...(BAD as Set<Verdict>)]);

/** What was measured of one direction of a leg; of loss nothing where one of the two counts is not known. */
export interface StreamFacts {
  readonly codec: string | null;
  readonly packetsLost: number | null;
  readonly packetsExpected: number | null;
  readonly jitterMeanMs: number | null;
  readonly jitterReports: number;
  readonly rttMeanMs: number | null;
  readonly rttReports: number;
}

export interface LegFacts {
  readonly endpoint: string;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly callerNumber: string | null;
  readonly connectedNumber: string | null;
  readonly device: string | null;
  readonly site: string | null;
  readonly streams: readonly StreamFacts[];
}

/** All of a call that is searched for or summed up. */
export interface CallFacts {
  readonly linkedid: string;
  readonly startedAtMs: number;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly legs: readonly LegFacts[];
}

/**
 * What a sum is over: all calls (scope is empty), one endpoint, or `shared`: what calls with several endpoints of one
 * beginning count for that beginning, less what they count for each part of it.
 */
export type ScopeKind = 'calls' | 'endpoint' | 'shared';

/** What one call adds to the sums of one scope, or takes off where `times` is -1. */
export interface Contribution {
  readonly kind: ScopeKind;
  readonly scope: string;
  readonly times: 1 | -1;
  readonly mes: number | null;
  readonly isJudged: boolean;
  readonly isBad: boolean;
  /** Of endpoints only. */
  readonly streams: readonly StreamFacts[];
}

type Quality = Pick<Contribution, 'mes' | 'isJudged' | 'isBad'>;

/**
 * What a call adds to which sums. An endpoint has of its legs in one call the mean score and any of their faults; and so
 * do all endpoints of one beginning (`PJSIP/*`) together. For any beginning, the sums of all scopes that start with it
 * are therefore those of its calls: at each place where the names of a call's endpoints part, a `shared` scope
 * adds what they have together and takes off what each part is counted for.
 */
export function contributionsOf({ mes, verdict, legs }: CallFacts): Contribution[] {
  const isJudged = JUDGED.has(verdict);
  const isBad = BAD.has(verdict);
  const found: Contribution[] = [{ kind: 'calls', scope: '', times: 1, mes, isJudged, isBad, streams: [] }];
  if (legs.length > 0) addEndpoints(legs.toSorted(byEndpoint), found);
  return found;
}

function byEndpoint(one: LegFacts, other: LegFacts): number {
  if (one.endpoint === other.endpoint) return 0;
  return one.endpoint < other.endpoint ? -1 : 1;
}

/** `legs` in order of endpoint, at least one. */
function addEndpoints(legs: readonly LegFacts[], found: Contribution[]): Quality {
  const quality = qualityOf(legs);
  const first = legs[0]?.endpoint ?? '';
  const common = commonBeginning(first, legs.at(-1)?.endpoint ?? '');
  if (legs.every(({ endpoint }) => endpoint === first)) {
    const streams = legs.flatMap((leg) => leg.streams);
    found.push({ kind: 'endpoint', scope: first, times: 1, ...quality, streams });
    return quality;
  }
  found.push({ kind: 'shared', scope: common, times: 1, ...quality, streams: [] });
  const parts = Map.groupBy(legs, ({ endpoint }) => endpoint.codePointAt(common.length));
  for (const part of parts.values()) {
    found.push({ kind: 'shared', scope: common, times: -1, ...addEndpoints(part, found), streams: [] });
  }
  return quality;
}

function qualityOf(legs: readonly LegFacts[]): Quality {
  const scores = legs.flatMap(({ mes }) => mes ?? []);
  return {
    mes: scores.length === 0 ? null : scores.reduce((sum, mes) => sum + mes, 0) / scores.length,
    isJudged: legs.some(({ verdict }) => JUDGED.has(verdict)),
    isBad: legs.some(({ verdict }) => BAD.has(verdict)),
  };
}

/** Never half of a character that takes two places. */
function commonBeginning(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  if (length > 0 && (one.codePointAt(length - 1) ?? 0) > 0xffff) length--;
  return one.slice(0, length);
}
