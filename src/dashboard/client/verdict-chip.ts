import type { Verdict } from './answers.ts';
import { el, foreign } from './dom.ts';
import { quantity, verdictWords } from './words.ts';

/** A verdict as colour, sign and word; `who`: the party that it is about, where one is known. */
export function verdictChip(verdict: Verdict | null, who?: string): HTMLElement {
  const { sign, word, tone, ofParty } = verdictWords(verdict);
  const words = who === undefined || ofParty === undefined ? [word] : ['one way: ', foreign(who), ` ${ofParty}`];
  return el('span', { class: `chip tone-${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), ' ', ...words);
}

/** A score on the opinion scale, 1.00-4.50, or a dash. */
export function score(mes: number | null): HTMLElement {
  return el('span', { class: 'score' }, quantity(mes, 2));
}
