import type { Direction } from '../../model/report.ts';
import type { MesProfile } from '../../model/score.ts';
import { computeMes } from '../../score/mes.ts';
import { mesProfile } from '../../score/profiles.ts';
import { type DirectionRules, scoreInputs } from '../directions/direction-score.ts';
import { type DirectionState, isDead } from '../directions/direction-state.ts';

/** Two scores may differ by this many points of 100 without a sentence: rounding, and differences that nobody notices. */
const WORTH_A_WORD = 2;
/** The score that releases up to 22.10 give without any data: round trip 0, jitter 0, loss 0. */
const NO_DATA_MES_100 = 88.087887;
const NO_DATA_TOLERANCE = 0.06;

interface Defect {
  readonly name: string;
  /** The direction that has the defect; undefined: both. */
  readonly direction?: Direction;
  /** Asterisk's formula with this one defect corrected. */
  readonly corrected: (profile: MesProfile) => MesProfile;
}

/** The known defects of the native score that loss and jitter can tell apart, and one difference by choice. */
const DEFECTS: readonly Defect[] = [
  {
    name: 'Asterisk averages the cumulative loss as if it were the loss of each report (#2101)',
    direction: 'tx',
    corrected: (profile) => ({ ...profile, lossSample: 'report' }),
  },
  {
    name: 'Asterisk counts the packets lost in each report, however often there is one, and not those of 5 s',
    direction: 'rx',
    corrected: (profile) => ({ ...profile, lossSample: '5s' }),
  },
  {
    name: 'Asterisk takes the jitter in seconds for milliseconds, so that it never counts (#2097)',
    corrected: (profile) => ({ ...profile, jitterUnit: 'ms', jitterSample: 'mean' }),
  },
  {
    name: 'the profiles weigh a lost packet differently (Asterisk 2.0 of R)',
    corrected: (profile) => ({ ...profile, lossFactor: 2.5 }),
  },
];

/**
 * Explains why Asterisk's own score of a direction differs from ours by more than 2 points of 100; null: it does not, or one of
 * the scores is not known. `mes100` is ours.
 */
export function nativeDifference(state: DirectionState, rules: DirectionRules, mes100: number | null): string | null {
  const native = state.nativeMes100;
  if (native === null) return null;
  const looksLikeNoData = Math.abs(native - NO_DATA_MES_100) < NO_DATA_TOLERANCE;
  if (mes100 === null) return looksLikeNoData ? 'Asterisk scores a direction without any data as perfect.' : null;
  if (Math.abs(native - mes100) <= WORTH_A_WORD) return null;
  if (isDead(state) || state.total.deadReports > 0) {
    return 'Asterisk does not notice that nothing arrives any more: the highest sequence stands still and no loss is counted (#2012).';
  }
  const found = mainDefect(state, rules);
  return found === undefined
    ? 'No known defect of the native score explains the difference.'
    : `${found.charAt(0).toUpperCase()}${found.slice(1)}.`;
}

/** The defect whose correction moves Asterisk's formula farthest towards ours. */
function mainDefect(state: DirectionState, rules: DirectionRules): string | undefined {
  const inputs = scoreInputs(state, state.total, rules);
  const asterisk = mesProfile('asterisk-22.10');
  const ours = computeMes(rules.profile, inputs).mes100;
  const distance = Math.abs(computeMes(asterisk, inputs).mes100 - ours);
  const possible = DEFECTS.filter(({ direction = state.direction }) => direction === state.direction);
  const [best] = possible
    .map(({ name, corrected }) => ({
      name,
      gain: distance - Math.abs(computeMes(corrected(asterisk), inputs).mes100 - ours),
    }))
    .toSorted((a, b) => b.gain - a.gain);
  return best !== undefined && best.gain > 0 ? best.name : undefined;
}
