import { shareZ } from '../score/trend.ts';
import { fisherExact } from '../stats/fisher-exact.ts';

/** Calls of one PBX that belong together: over one trunk, by one device, or all of them. */
export interface PbxShare {
  readonly pbx: string;
  /** Calls with a verdict that says anything of their quality. */
  readonly judgedCalls: number;
  readonly badCalls: number;
}

export const FLEET_FAULT_KINDS = ['silent-pbx', 'trunk', 'release', 'asterisk', 'device'] as const;
export type FleetFaultKind = (typeof FLEET_FAULT_KINDS)[number];

/** What one PBX alone cannot see. */
export interface FleetFault {
  readonly kind: FleetFaultKind;
  /** The PBX, trunk, release or device. */
  readonly subject: string;
  /** PBXs of which it is true, the worst first. */
  readonly pbxs: readonly string[];
  /** PBXs that have it at all. */
  readonly ofPbxs: number;
  readonly judgedCalls: number;
  /** Null: of a PBX that is silent nobody knows. */
  readonly badPercent: number | null;
  /** Of what it is held against. */
  readonly othersBadPercent: number | null;
}

/** A trunk of so few calls on one PBX says nothing. */
export const FEWEST_TRUNK_CALLS = 5;
/** As the rule `bad-calls` raises. */
export const BAD_TRUNK_PERCENT = 20;
/** On fewer PBXs it is no matter of the fleet. */
export const FEWEST_PBXS = 3;
/** Chance alone makes one of fifty names that several PBXs share look as bad. */
const MOST_CHANCE = 0.02;

/** An endpoint's name that several PBXs have: of these with enough calls how many there are, and those where it is bad. */
export interface SharedTrunk {
  readonly endpoint: string;
  readonly pbxs: number;
  readonly judgedCalls: number;
  readonly badCalls: number;
  readonly bad: readonly PbxShare[];
}

/**
 * Trunks that are bad on at least three PBXs and on half of those that have them, where that is no chance: `pairs` are all
 * endpoints of all PBXs with enough calls, `badPairs` the bad ones among them. Extensions of the same number on many PBXs are
 * bad together by chance alone.
 */
export function badTrunks(
  trunks: readonly SharedTrunk[],
  { pairs, badPairs }: { readonly pairs: number; readonly badPairs: number },
): FleetFault[] {
  return trunks.flatMap(({ endpoint, pbxs, judgedCalls, badCalls, bad }) => {
    const others = { pairs: pairs - pbxs, bad: badPairs - bad.length };
    if (bad.length < FEWEST_PBXS || bad.length * 2 < pbxs) return [];
    // Where an endpoint is all there is, there is nothing to hold it against.
    if (others.pairs > 0) {
      if (bad.length / pbxs <= others.bad / others.pairs) return [];
      if (fisherExact(bad.length, pbxs, others.bad, others.pairs) > MOST_CHANCE) return [];
    }
    return [
      {
        kind: 'trunk' as const,
        subject: endpoint,
        pbxs: worstFirst(bad),
        ofPbxs: pbxs,
        judgedCalls,
        badPercent: percent(badCalls, judgedCalls),
        othersBadPercent: null,
      },
    ];
  });
}

/** With fewer calls, on either side, nothing is said of a release or a device. */
const FEWEST_CALLS = 100;
/** And of a PBX's part in it. */
const FEWEST_CALLS_OF_PBX = 10;
/** Worse by so many percentage points, and by half again. */
const LEAST_POINTS = 2;
const LEAST_RATIO = 1.5;
/** In standard errors: one in a thousand by chance. Calls of one PBX are alike, so that it has to hold on most PBXs as well. */
const CLEAR_Z = 3.29;
const MOST_OF_ITS_PBXS = 2 / 3;

/** Releases or devices whose calls are worse than those of all others together, and not because of one or two PBXs. */
export function worseThanRest(
  kind: 'release' | 'asterisk' | 'device',
  groups: ReadonlyMap<string, readonly PbxShare[]>,
): FleetFault[] {
  const totals = new Map([...groups].map(([subject, shares]) => [subject, total(shares)]));
  const all = total([...totals.values()]);
  return [...groups].flatMap(([subject, shares]) => {
    const own = totals.get(subject) ?? all;
    const rest = { judgedCalls: all.judgedCalls - own.judgedCalls, badCalls: all.badCalls - own.badCalls };
    if (Math.min(own.judgedCalls, rest.judgedCalls) < FEWEST_CALLS) return [];
    const ownPercent = percent(own.badCalls, own.judgedCalls) ?? 0;
    const restPercent = percent(rest.badCalls, rest.judgedCalls) ?? 0;
    if (ownPercent < restPercent + LEAST_POINTS || ownPercent < restPercent * LEAST_RATIO) return [];
    if (shareZ(rest.badCalls, rest.judgedCalls, own.badCalls, own.judgedCalls) < CLEAR_Z) return [];
    const told = shares.filter(({ judgedCalls }) => judgedCalls >= FEWEST_CALLS_OF_PBX);
    const worse = told.filter(({ badCalls, judgedCalls }) => (percent(badCalls, judgedCalls) ?? 0) > restPercent);
    if (told.length < FEWEST_PBXS || worse.length < MOST_OF_ITS_PBXS * told.length) return [];
    return [
      {
        kind,
        subject,
        pbxs: worstFirst(worse),
        ofPbxs: shares.length,
        judgedCalls: own.judgedCalls,
        badPercent: ownPercent,
        othersBadPercent: restPercent,
      },
    ];
  });
}

/** In order of the PBXs' names: a PBX of which nothing is heard any more. */
export function silentPbxs(pbxs: readonly string[]): FleetFault[] {
  return pbxs.map((pbx) => ({
    kind: 'silent-pbx',
    subject: pbx,
    pbxs: [pbx],
    ofPbxs: 1,
    judgedCalls: 0,
    badPercent: null,
    othersBadPercent: null,
  }));
}

type Counts = Omit<PbxShare, 'pbx'>;

function total(shares: readonly Counts[]): Counts {
  return shares.reduce(
    (sum, { judgedCalls, badCalls }) => ({
      judgedCalls: sum.judgedCalls + judgedCalls,
      badCalls: sum.badCalls + badCalls,
    }),
    { judgedCalls: 0, badCalls: 0 },
  );
}

function percent(badCalls: number, judgedCalls: number): number | null {
  return judgedCalls === 0 ? null : (100 * badCalls) / judgedCalls;
}

function worstFirst(shares: readonly PbxShare[]): string[] {
  const share = ({ badCalls, judgedCalls }: PbxShare): number => percent(badCalls, judgedCalls) ?? 0;
  return shares
    .toSorted((one, other) => share(other) - share(one) || (one.pbx < other.pbx ? -1 : 1))
    .map(({ pbx }) => pbx);
}

/** What it is, in one plain sentence. */
export function faultSentence({
  kind,
  subject,
  pbxs,
  ofPbxs,
  judgedCalls,
  badPercent,
  othersBadPercent,
}: FleetFault): string {
  const share = (value: number | null): string => `${(value ?? 0).toFixed(1)} %`;
  const names = `${pbxs.slice(0, 3).join(', ')}${pbxs.length > 3 ? ` and ${pbxs.length - 3} more` : ''}`;
  if (kind === 'silent-pbx')
    return `Nothing is heard of the PBX ${subject} any more; see whether it and its network are up.`;
  if (kind === 'trunk')
    return `The trunk ${subject} is bad on ${pbxs.length} of the ${ofPbxs} PBXs that have it (${names}): the fault of ${share(badPercent)} of ${judgedCalls} calls lies there.`;
  const whose = {
    release: `The release ${subject} of asterisk-mes`,
    asterisk: `The release ${subject} of Asterisk`,
    device: `The device ${subject}`,
  }[kind];
  const bad = kind === 'device' ? 'bad by its fault' : 'bad';
  return `${whose} is worse than all others: ${share(badPercent)} of ${judgedCalls} calls are ${bad}, of others ${share(othersBadPercent)}; it is so on ${pbxs.length} of ${ofPbxs} PBXs (${names}).`;
}
