import type { Verdict } from './answers.ts';
import { el } from './dom.ts';
import { quantity, verdictWords } from './words.ts';

/** A verdict as colour, sign and word. */
export function verdictChip(verdict: Verdict | null): HTMLElement {
  const { sign, word, tone } = verdictWords(verdict);
  return el('span', { class: `chip tone-${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), ` ${word}`);
}

/** A score on the opinion scale, 1.00-4.50, or a dash. */
export function score(mes: number | null): HTMLElement {
  return el('span', { class: 'score' }, quantity(mes, 2));
}
