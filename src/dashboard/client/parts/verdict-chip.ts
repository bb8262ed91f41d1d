import type { Verdict } from '../rest/answers.ts';
import { el, foreign } from './dom.ts';
import { quantity, verdictWords } from '../words/words.ts';

/** A verdict as colour, sign and word. `words` replaces the word. */
export function verdictChip(verdict: Verdict | null, words?: string): HTMLElement {
  const { sign, word, tone } = verdictWords(verdict);
  return el(
    'span',
    { class: `chip tone-${tone}` },
    el('span', { 'aria-hidden': 'true' }, sign),
    ' ',
    words === undefined ? word : foreign(words),
  );
}

/** A score on the opinion scale, 1.00-4.50, or a dash. */
export function score(mes: number | null): HTMLElement {
  return el('span', { class: 'score' }, quantity(mes, 2));
}
