import type { Direction } from './report.ts';

export type ProfileName = 'documented' | 'asterisk-22.10' | 'asterisk-2026.09' | 'custom';

export const PROFILE_NAMES = [
  'documented',
  'asterisk-22.10',
  'asterisk-2026.09',
  'custom',
] as const satisfies readonly ProfileName[];

/** Every number of the Media Experience Score. Defaults and sources are in `score/profiles.ts`. */
export interface MesProfile {
  readonly name: ProfileName;
  readonly baseR: number;
  /** Part of the round trip that counts: 1 the whole, 0.5 one way. */
  readonly rttFactor: number;
  /** Which jitter sample enters: the running mean or the latest report's. */
  readonly jitterSample: 'mean' | 'last';
  /** `s` repeats releases up to 22.10, which take seconds for milliseconds. */
  readonly jitterUnit: 'ms' | 's';
  readonly jitterFactor: number;
  readonly jitterStdevDivisor: number;
  readonly codecDelayMs: number;
  /** Whether a codec's own delay (`ScoreInputs.codecDelayMs`) takes the place of `codecDelayMs`; Asterisk has one for all. */
  readonly usesDelayOfCodec: boolean;
  readonly latencyKneeMs: number;
  readonly latencyDivisorBelow: number;
  readonly latencyOffsetMs: number;
  readonly latencyDivisorAbove: number;
  /** `cumulative-tx` repeats releases up to 22.10: the mean of the far end's cumulative counts. */
  readonly lossSample: 'interval' | 'cumulative-tx';
  readonly lossUnit: 'packets' | 'percent';
  readonly lossFactor: number;
  /** False repeats Asterisk: the cubic may dip below 1. */
  readonly clampBelowOne: boolean;
}

/** What a score is computed from. Every `undefined` is "not known", which is never a good value. */
export interface ScoreInputs {
  readonly direction: Direction;
  /** Mean round trip; undefined counts as 0 in the formula and marks the score. */
  readonly rttMeanMs: number | undefined;
  readonly jitterMeanMs: number;
  readonly jitterLastMs: number;
  readonly jitterStdevMs: number;
  /** Mean lost packets per report interval. */
  readonly lostPacketsMean: number;
  /** Mean of the cumulative counts as Asterisk keeps it (unsigned). */
  readonly cumulativeLostMean: number;
  readonly lossPercent: number;
  /** Overrides the profile's codec delay when the codec has its own. */
  readonly codecDelayMs?: number | undefined;
}

export interface MesScore {
  readonly profile: ProfileName;
  readonly effectiveLatencyMs: number;
  readonly rValue: number;
  /** Opinion scale, 1.00-4.50. */
  readonly mes: number;
  /** Asterisk's scale: opinion × 20. */
  readonly mes100: number;
  readonly rttKnown: boolean;
}

/** A judgement of a score, or why there is none. `one-way-rx`: audio flows in the rx direction only. */
export type Verdict =
  | 'good'
  | 'fair'
  | 'poor'
  | 'bad'
  | 'no-media'
  | 'no-rtcp'
  | 'one-way-rx'
  | 'one-way-tx'
  | 'too-short';

export const VERDICTS = [
  'good',
  'fair',
  'poor',
  'bad',
  'no-media',
  'no-rtcp',
  'one-way-rx',
  'one-way-tx',
  'too-short',
] as const satisfies readonly Verdict[];

/** Lowest opinion that still earns each word. */
export interface VerdictThresholds {
  readonly good: number;
  readonly fair: number;
  readonly poor: number;
}
