import { el } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import { understand } from './sentence.ts';

/** The search field of every page: it finds calls by a sentence. The key `/` moves to it. */
export function askForm(): HTMLFormElement {
  const input = el('input', {
    type: 'search',
    name: 'ask',
    size: 24,
    maxlength: 200,
    'aria-label': t('Find calls by a sentence'),
    placeholder: t('214 yesterday one way'),
    title: t('Find calls by a sentence'),
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const said = el('span', { class: 'ask-said', role: 'status' });
  const form = el('form', { class: 'ask', role: 'search', 'aria-label': t('Find calls by a sentence') }, input, said);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { query, strange } = understand(input.value);
    said.textContent =
      strange.length === 0
        ? ''
        : t('Not understood: {words}', { words: strange.map((word) => `“${word}”`).join(', ') });
    if (strange.length > 0) return;
    location.hash = `/calls?${query}`;
  });
  input.addEventListener('input', () => (said.textContent = ''));
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select');
    if (key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
  return form;
}
