import type { Grouping } from '../../model/ports.ts';
import type { FaultPlace } from '../../model/fault.ts';
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
  /** Whether it is the channel with which the call began. */
  readonly isCaller: boolean;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly callerNumber: string | null;
  readonly connectedNumber: string | null;
  readonly device: string | null;
  readonly site: string | null;
  readonly streams: readonly StreamFacts[];
}

/** Everything of a call by which it is found or counted. */
export interface CallFacts {
  readonly linkedid: string;
  readonly startedAtMs: number;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly faultPlace: FaultPlace | null;
  /** Between blanks; null: none. */
  readonly findings: string | null;
  readonly legs: readonly LegFacts[];
}

const GROUPINGS = ['device', 'site', 'codec'] as const satisfies readonly Grouping[];

/**
 * What a sum is over: all calls (scope is empty), one endpoint, one device, site or codec, or `shared`: what calls with several endpoints of one
 * beginning count for that beginning, less what they count for each part of it.
 */
export type ScopeKind = 'calls' | 'endpoint' | 'shared' | Grouping;

/** What one call adds to the sums of one scope, or takes off where `times` is -1. */
export interface Contribution {
  readonly kind: ScopeKind;
  readonly scope: string;
  readonly times: 1 | -1;
  readonly mes: number | null;
  readonly isJudged: boolean;
  readonly isBad: boolean;
  /** The call's fault lies with one of these legs: its phone, or the network between it and this server. */
  readonly isOwnFault: boolean;
  /** The streams, needed for endpoints and groups only. */
  readonly streams: readonly StreamFacts[];
}

type Quality = Pick<Contribution, 'mes' | 'isJudged' | 'isBad' | 'isOwnFault'>;

/** Whose legs a fault lies with; at this server, with nobody's. */
export const FAULTY: Readonly<Record<FaultPlace, readonly ('caller' | 'callee')[]>> = {
  'caller-network': ['caller'],
  'caller-phone': ['caller'],
  'callee-network': ['callee'],
  'callee-phone': ['callee'],
  'both-networks': ['caller', 'callee'],
  'this-server': [],
  none: [],
};

/**
 * What a call adds to which sums. An endpoint has of its legs in one call the mean score and any of their faults; and so
 * do all endpoints of one beginning (`PJSIP/*`) together. For any beginning, the sums of all scopes that start with it
 * are therefore those of its calls: at each place where the names of a call's endpoints part, a `shared` scope
 * adds what they have together and takes off what each part is counted for.
 */
export function contributionsOf({ mes, verdict, faultPlace, legs }: CallFacts): Contribution[] {
  const isJudged = JUDGED.has(verdict);
  const isBad = BAD.has(verdict);
  const faulty = faultPlace === null ? [] : FAULTY[faultPlace];
  const whole = { mes, isJudged, isBad, isOwnFault: false, streams: [] };
  const found: Contribution[] = [{ kind: 'calls', scope: '', times: 1, ...whole }];
  if (legs.length === 0) return found;
  addEndpoints(legs.toSorted(byEndpoint), faulty, found);
  addGroups(legs, faulty, found);
  return found;
}

/** Legs of one device, site or codec count together, as those of one endpoint do. */
function addGroups(legs: readonly LegFacts[], faulty: Faulty, found: Contribution[]): void {
  const scopesOf: Readonly<Record<Grouping, (leg: LegFacts) => readonly (string | null)[]>> = {
    device: ({ device }) => [device],
    site: ({ site }) => [site],
    codec: ({ streams }) => streams.map(({ codec }) => codec),
  };
  for (const kind of GROUPINGS) {
    const scopes = new Set(legs.flatMap((leg) => scopesOf[kind](leg)));
    for (const scope of scopes) {
      if (scope === null) continue;
      const own = legs.filter((leg) => scopesOf[kind](leg).includes(scope));
      const streams = own.flatMap((leg) => leg.streams).filter(({ codec }) => kind !== 'codec' || codec === scope);
      found.push({ kind, scope, times: 1, ...qualityOf(own, faulty), streams });
    }
  }
}

function byEndpoint(one: LegFacts, other: LegFacts): number {
  if (one.endpoint === other.endpoint) return 0;
  return one.endpoint < other.endpoint ? -1 : 1;
}

/** `legs` in order of endpoint, at least one. */
function addEndpoints(legs: readonly LegFacts[], faulty: Faulty, found: Contribution[]): Quality {
  const quality = qualityOf(legs, faulty);
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
    found.push({ kind: 'shared', scope: common, times: -1, ...addEndpoints(part, faulty, found), streams: [] });
  }
  return quality;
}

type Faulty = readonly ('caller' | 'callee')[];

function qualityOf(legs: readonly LegFacts[], faulty: Faulty): Quality {
  const scores = legs.flatMap(({ mes }) => mes ?? []);
  return {
    mes: scores.length === 0 ? null : scores.reduce((sum, mes) => sum + mes, 0) / scores.length,
    isJudged: legs.some(({ verdict }) => JUDGED.has(verdict)),
    isBad: legs.some(({ verdict }) => BAD.has(verdict)),
    isOwnFault: legs.some(({ isCaller }) => faulty.includes(isCaller ? 'caller' : 'callee')),
  };
}

/** Never half of a character that takes two places. */
function commonBeginning(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  if (length > 0 && (one.codePointAt(length - 1) ?? 0) > 0xffff) length--;
  return one.slice(0, length);
}
