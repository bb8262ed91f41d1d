import { QUALITY_WORDS, type QualityWord, type VerdictThresholds } from '../model/score.ts';
import { roundOpinion } from './opinion.ts';

export const DEFAULT_THRESHOLDS: VerdictThresholds = { good: 4.0, fair: 3.6, poor: 3.1 };

/**
 * The word for an opinion score. Each threshold is the lowest score that earns its word. The score is judged as it is shown, with
 * two decimals, so that 3.996, which is shown as 4.00, earns what 4.00 earns.
 */
export function verdictOf(score: number, thresholds: VerdictThresholds): QualityWord {
  const opinion = roundOpinion(score);
  if (opinion >= thresholds.good) return 'good';
  if (opinion >= thresholds.fair) return 'fair';
  return opinion >= thresholds.poor ? 'poor' : 'bad';
}

/** The worse of two opinions; null when both are unknown. */
export function worseOpinion(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** The worst of these words, without unknown ones; null: all are unknown. */
export function worstWord(words: readonly (QualityWord | null)[]): QualityWord | null {
  for (const word of QUALITY_WORDS) if (words.includes(word)) return word;
  return null;
}

/** The mean of the known scores; null: none is known. */
export function meanOfKnown(scores: Iterable<number | null>): number | null {
  let sum = 0;
  let count = 0;
  for (const score of scores) {
    if (score === null) continue;
    sum += score;
    count++;
  }
  return count === 0 ? null : sum / count;
}
