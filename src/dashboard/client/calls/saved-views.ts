import { el, foreign } from '../parts/dom.ts';
import { t } from '../words/language.ts';

const KEY = 'asterisk-mes-views';
const MOST_VIEWS = 50;

interface View {
  readonly name: string;
  /** The address after `#`. */
  readonly address: string;
}

/** The saved views of this browser. They may come from another release, or be broken. */
function views(): View[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    if (!Array.isArray(kept)) return [];
    return (kept as Partial<View>[]).flatMap(({ name, address }) =>
      typeof name === 'string' && typeof address === 'string' && address.startsWith('/') ? [{ name, address }] : [],
    );
  } catch {
    return [];
  }
}

/** Saved searches: a list to choose from, and the field to save what is shown now. `addressNow` gives its address. */
export function savedViews(addressNow: () => string): HTMLElement {
  const list = el('ul', { class: 'views' });
  const name = el('input', { name: 'view', maxlength: 60, size: 16, required: true, autocomplete: 'off' });
  const form = el('form', { class: 'filter' }, el('label', {}, t('Name'), name), el('button', {}, t('Save this view')));
  const element = el('details', { class: 'saved-views' }, el('summary', {}, t('Saved views')), list, form);
  const keep = (kept: readonly View[]): void => {
    localStorage.setItem(KEY, JSON.stringify(kept.slice(-MOST_VIEWS)));
    show();
  };
  const show = (): void => {
    list.replaceChildren(
      ...views().map((view) => {
        const off = el(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': t('Forget the view {name}', { name: view.name }) },
          '✕',
        );
        off.addEventListener('click', () => keep(views().filter((other) => other.name !== view.name)));
        return el('li', {}, el('a', { href: `#${view.address}` }, foreign(view.name)), ' ', off);
      }),
    );
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = name.value.trim();
    if (wanted === '') return;
    // A view of the same name is replaced.
    keep([
      ...views().filter((other) => other.name !== wanted),
      { name: wanted, address: addressNow().replace(/^#/, '') },
    ]);
    name.value = '';
  });
  show();
  return element;
}
