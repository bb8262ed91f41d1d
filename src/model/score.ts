import type { Direction } from './report.ts';

export type ProfileName =
  | 'documented'
  | 'documented-per-report'
  | 'informed'
  | 'asterisk-22.10'
  | 'asterisk-2026.09'
  | 'custom';

export const PROFILE_NAMES = [
  'documented',
  'documented-per-report',
  'informed',
  'asterisk-22.10',
  'asterisk-2026.09',
  'custom',
] as const satisfies readonly ProfileName[];

/** Every number of the Media Experience Score. Defaults and sources are in `score/profiles.ts`. */
export interface MesProfile {
  readonly name: ProfileName;
  readonly baseR: number;
  /** Share of the round trip that counts: 1 is the whole, 0.5 one way. */
  readonly rttFactor: number;
  /** Which jitter sample enters: the running mean or the latest report's. */
  readonly jitterSample: 'mean' | 'last';
  /** `s` repeats releases up to 22.10, which mistake seconds for milliseconds. */
  readonly jitterUnit: 'ms' | 's';
  readonly jitterFactor: number;
  readonly jitterStdevDivisor: number;
  readonly codecDelayMs: number;
  /**
   * Whether a codec's own delay (`ScoreInputs.codecDelayMs`) replaces the profile's `codecDelayMs`. Asterisk has one delay for
   * all codecs.
   */
  readonly usesDelayOfCodec: boolean;
  readonly latencyKneeMs: number;
  readonly latencyDivisorBelow: number;
  readonly latencyOffsetMs: number;
  readonly latencyDivisorAbove: number;
  /**
   * What lost packets are counted over: 5 s of audio whatever the pace of the reports, or one report. `cumulative-tx` repeats
   * releases up to 22.10: the mean of the far end's cumulative counts.
   */
  readonly lossSample: '5s' | 'report' | 'cumulative-tx';
  readonly lossUnit: 'packets' | 'percent';
  readonly lossFactor: number;
  /** Whether loss and codec cost what the E-model says (Ie,eff less the advantage) instead of `lossFactor`. */
  readonly usesCodecImpairment: boolean;
  /** False repeats Asterisk: the cubic may dip below 1. */
  readonly clampBelowOne: boolean;
}

/** What a codec does to speech, for the E-model (ITU-T G.107 §7.5, G.113 Appendix I). */
export interface CodecImpairment {
  /** Equipment impairment factor without loss. */
  readonly ie: number;
  /** Robustness against packet loss; a small number suffers more. */
  readonly bpl: number;
  /** Base rating R0 − Is. */
  readonly r0Is: number;
  /** True: rated on the wideband scale, whose best is 129, so the opinion is that of R / 1.29. */
  readonly isWidebandScale: boolean;
}

/** What the settings say about a codec; undefined: our own number counts. */
export interface CodecSettings {
  readonly delayMs?: number | undefined;
  readonly ie?: number | undefined;
  readonly bpl?: number | undefined;
  readonly r0Is?: number | undefined;
}

/** Settings by the codec's name in lower case. */
export type CodecTable = ReadonlyMap<string, CodecSettings>;

/** The inputs of a score. Undefined always means not known, and never counts as good. */
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
  /** In percent of the expected packets, so that every interval has the weight of its packets. */
  readonly lossPercent: number;
  /** Overrides the profile's codec delay when the codec has its own. */
  readonly codecDelayMs?: number | undefined;
  /** Undefined counts as G.711. */
  readonly codec?: CodecImpairment | undefined;
  /** Mean length of loss runs over the one under random loss; undefined counts as random. */
  readonly burstR?: number | undefined;
  /** How much R users forgive (G.113 Appendix II); undefined: none. */
  readonly advantage?: number | undefined;
}

/** How much R each cause takes. */
export interface ScoreCosts {
  /** The cost of round trip and codec delay. */
  readonly delayR: number;
  readonly jitterR: number;
  readonly lossR: number;
  /** The cost of the codec by itself, without loss. */
  readonly codecR: number;
}

export interface MesScore {
  readonly profile: ProfileName;
  readonly effectiveLatencyMs: number;
  /** As shown: limited to 0-100. */
  readonly rValue: number;
  readonly costs: ScoreCosts;
  /** Opinion scale, 1.00-4.50. */
  readonly mes: number;
  /** Asterisk's scale: opinion × 20. */
  readonly mes100: number;
  readonly rttKnown: boolean;
}

/** The bands of ITU-T G.109, worst first. */
export const QUALITY_WORDS = ['bad', 'poor', 'fair', 'good'] as const;

export type QualityWord = (typeof QUALITY_WORDS)[number];

/** A judgement of a score, or why there is none. `one-way-rx`: audio flows in the rx direction only. */
export type Verdict = QualityWord | 'no-media' | 'no-rtcp' | 'one-way-rx' | 'one-way-tx' | 'too-short';

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

/** Words that ask for several verdicts. A party that hears nothing is served no better than one with a bad score. */
export const VERDICT_GROUPS = {
  'bad-or-worse': ['bad', 'no-media', 'one-way-rx', 'one-way-tx'],
  'poor-or-worse': ['poor', 'bad', 'no-media', 'one-way-rx', 'one-way-tx'],
  'any-one-way': ['one-way-rx', 'one-way-tx'],
} as const satisfies Record<string, readonly Verdict[]>;

/** Lowest opinion that still earns each word. */
export interface VerdictThresholds {
  readonly good: number;
  readonly fair: number;
  readonly poor: number;
}
