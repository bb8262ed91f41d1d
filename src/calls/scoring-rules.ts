import type { CodecTable, MesProfile, VerdictThresholds } from '../model/score.ts';

/** How much R users of some endpoints forgive, for the E-model. */
export interface EndpointAdvantage {
  /** An endpoint, or the beginning of its name and `*`. */
  readonly pattern: string;
  readonly advantage: number;
}

/** The rules by which channels are scored and judged. */
export interface ScoringRules {
  readonly profile: MesProfile;
  readonly thresholds: VerdictThresholds;
  readonly codecs: CodecTable;
  /** The first that fits counts. */
  readonly advantages: readonly EndpointAdvantage[];
  /** The version of asterisk-mes. */
  readonly version: string;
}

/** The E-model's advantage factor of an endpoint; 0: none is set. */
export function advantageOf(endpoint: string, rules: Pick<ScoringRules, 'advantages'>): number {
  const fits = ({ pattern }: EndpointAdvantage): boolean =>
    pattern.endsWith('*') ? endpoint.startsWith(pattern.slice(0, -1)) : endpoint === pattern;
  return rules.advantages.find(fits)?.advantage ?? 0;
}
