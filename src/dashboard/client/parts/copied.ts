import { el, foreign } from './dom.ts';
import { t } from '../words/language.ts';

const SAID_MS = 2000;

/** An id with a button that copies it, or selects it where the page may not copy (plain HTTP from elsewhere). */
export function copyable(name: string, value: string): HTMLElement {
  const code = el('code', {}, foreign(value));
  const button = el('button', { type: 'button', class: 'copy', 'aria-label': t('Copy {name}', { name }) }, t('copy'));
  const said = el('span', { class: 'status', role: 'status' });
  button.addEventListener('click', () => void copy());
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value);
      said.textContent = t('copied');
    } catch {
      getSelection()?.selectAllChildren(code);
      said.textContent = t('selected; copy it with Ctrl+C');
    }
    setTimeout(() => (said.textContent = ''), SAID_MS);
  };
  return el('span', { class: 'copyable' }, `${name} `, code, ' ', button, said);
}
