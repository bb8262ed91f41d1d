import { el } from './dom.ts';
import { t } from '../words/language.ts';

/** Says in the page what went wrong and what to do; `retry` is offered as a button. */
export function errorNotice(error: unknown, retry: () => void): HTMLElement {
  const sentence = error instanceof Error ? error.message : String(error);
  const button = el('button', { type: 'button' }, t('Try again'));
  button.addEventListener('click', retry);
  return el('div', { class: 'notice tone-bad', role: 'alert' }, el('p', {}, `✕ ${sentence}`), button);
}
