import { el } from '../parts/dom.ts';
import { get } from '../rest/rest.ts';
import { t } from '../words/language.ts';
import type { PbxsAnswer, Shards } from './answers.ts';
import { chooseScope, chosenScope, SHARDS_ANSWERED } from './scope.ts';

export interface ScopePicker {
  readonly element: HTMLElement;
  /** Shows the present choice. */
  refresh(): void;
  /** Reads the list of PBXs again. */
  load(): void;
}

/** Chooses the PBXs that all pages show. `changed` is called after a choice. */
export function scopePicker(changed: () => void): ScopePicker {
  const select = el('select', { name: 'scope' });
  let known: PbxsAnswer['pbxs'] = [];
  const fill = (): void => {
    const pbxs = known;
    const sites = [...new Set(pbxs.map(({ site }) => site))].filter((site) => site !== '').toSorted();
    const option = (value: string, word: string): HTMLElement =>
      el('option', { value, selected: value === chosenScope() }, word);
    const group = (label: string, options: readonly HTMLElement[]): HTMLElement[] =>
      options.length === 0 ? [] : [el('optgroup', { label }, ...options)];
    select.replaceChildren(
      option('', t('all PBXs')),
      ...group(
        t('Sites'),
        sites.map((site) => option(`${new URLSearchParams({ site })}`, site)),
      ),
      ...group(
        'PBX',
        pbxs.map(({ pbx }) => option(`${new URLSearchParams({ pbx })}`, pbx)),
      ),
    );
  };
  fill();
  const load = async (): Promise<void> => {
    // Without the list all PBXs are shown, so a failure is ignored.
    const none: PbxsAnswer = { pbxs: [], shards: null };
    known = (await get<PbxsAnswer>('/v1/pbxs?pbx=*').catch(() => none)).pbxs;
    fill();
  };
  void load();
  select.addEventListener('pointerdown', () => void load(), { once: true });
  select.addEventListener('change', () => {
    chooseScope(select.value);
    changed();
  });
  return {
    element: el('label', { class: 'scope' }, `${t('Shown are')} `, select),
    refresh: fill,
    load: () => void load(),
  };
}

/** The notice "3 of 4 shards answered", while it is true. */
export function shardsNotice(): HTMLElement {
  const notice = el('p', { class: 'notice tone-poor', role: 'alert', hidden: true });
  window.addEventListener(SHARDS_ANSWERED, (event) => {
    const { answered, of } = (event as CustomEvent<Shards>).detail;
    notice.hidden = answered === of;
    notice.textContent = `! ${t('{answered} of {of} shards of the store answered: calls are missing here.', { answered, of })}`;
  });
  return notice;
}
