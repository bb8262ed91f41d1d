import type { CodecTable, MesProfile, VerdictThresholds } from '../model/score.ts';

/** How much R some users forgive, for the E-model. */
export interface Advantage {
  /** An endpoint, `device:`, `site:` or `network:` and such a name, or the beginning of one and `*`. */
  readonly pattern: string;
  readonly advantage: number;
}

/** What an advantage may depend on; null is not known. */
export interface AdvantageFacts {
  readonly endpoint: string;
  /** Make, model and firmware. */
  readonly device: string | null;
  readonly site: string | null;
  /** The kind of network by `[network:PREFIX]`. */
  readonly network: string | null;
}

/** The rules by which channels are scored and judged. */
export interface ScoringRules {
  readonly profile: MesProfile;
  readonly thresholds: VerdictThresholds;
  readonly codecs: CodecTable;
  /** The first that fits counts. */
  readonly advantages: readonly Advantage[];
  /** The version of asterisk-mes. */
  readonly version: string;
}

const NAMED_FACT = /^(device|site|network):/;

/** The E-model's advantage factor; 0: none is set. */
export function advantageOf(facts: AdvantageFacts, rules: Pick<ScoringRules, 'advantages'>): number {
  return rules.advantages.find(({ pattern }) => fits(pattern, facts))?.advantage ?? 0;
}

function fits(pattern: string, facts: AdvantageFacts): boolean {
  const [prefix = '', fact = 'endpoint'] = NAMED_FACT.exec(pattern) ?? [];
  const value = facts[fact as keyof AdvantageFacts];
  const wanted = pattern.slice(prefix.length);
  if (value === null) return false;
  return wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
}
