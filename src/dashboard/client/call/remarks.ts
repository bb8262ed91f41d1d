import { IS_FLEET } from '../fleet/scope.ts';
import { el, foreign } from '../parts/dom.ts';
import { errorNotice } from '../parts/notice.ts';
import type { Note, Tag, WholeCall } from '../rest/answers.ts';
import { get, send } from '../rest/rest.ts';
import { t } from '../words/language.ts';
import { moment } from '../words/words.ts';

const AUTHOR_KEY = 'asterisk-mes-author';
const LONGEST_NOTE = 2000;
/** Unsaved text by call: asking for a token opens the page anew. */
const drafts = new Map<string, string>();

/** Notes and tags of a call, with fields to add more. */
export class Remarks {
  readonly element = el('section', { class: 'panel remarks', 'aria-label': t('Notes and tags') });
  readonly #linkedid: string;
  readonly #tags = el('ul', { class: 'tags' });
  readonly #notes = el('ol', { class: 'notes' });
  readonly #notice = el('div');
  readonly #text: HTMLTextAreaElement;
  readonly #author: HTMLInputElement;
  readonly #tag: HTMLInputElement;
  readonly #known = el('datalist', { id: 'known-tags' });

  constructor(linkedid: string) {
    this.#linkedid = linkedid;
    this.#text = el('textarea', { name: 'note', rows: 2, maxlength: LONGEST_NOTE });
    this.#text.value = drafts.get(linkedid) ?? '';
    this.#text.addEventListener('input', () => drafts.set(linkedid, this.#text.value));
    this.#author = el('input', { name: 'author', maxlength: 60, size: 12, autocomplete: 'name' });
    this.#author.value = localStorage.getItem(AUTHOR_KEY) ?? '';
    this.#author.addEventListener('change', () => localStorage.setItem(AUTHOR_KEY, this.#author.value.trim()));
    this.#tag = el('input', { name: 'tag', maxlength: 40, size: 14, list: 'known-tags', autocomplete: 'off' });
    this.#tag.addEventListener('focus', () => void this.#suggest(), { once: true });
    const note = form(t('Write the note'), () => this.#write(), [
      el('label', { class: 'wide' }, t('Note'), this.#text),
      el('label', {}, t('Your name'), this.#author),
    ]);
    const tag = form(t('Set the tag'), () => this.#set(), [el('label', {}, t('Tag'), this.#tag)]);
    this.element.append(
      el('h2', {}, t('Notes and tags')),
      this.#tags,
      this.#notes,
      this.#notice,
      el('div', { class: 'remark-forms' }, note, tag),
      this.#known,
    );
  }

  show({ notes, tagged }: Pick<WholeCall, 'notes' | 'tagged'>): void {
    this.#tags.replaceChildren(...tagged.map((tag) => this.#tagItem(tag)));
    this.#notes.replaceChildren(...notes.map((note) => this.#noteItem(note)));
  }

  #tagItem({ tag, author, at }: Tag): HTMLElement {
    const off = el(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': t('Take the tag {tag} off', { tag }) },
      '✕',
    );
    off.addEventListener('click', () => void this.#change({ remove: [tag] }));
    const link = el('a', { href: `#/calls?${new URLSearchParams({ tag })}` }, foreign(tag));
    return el('li', { class: 'tag', title: whoAndWhen(author, at) }, link, ' ', off);
  }

  #noteItem({ id, text, author, at }: Note): HTMLElement {
    const off = el('button', { type: 'button', class: 'quiet' }, t('delete'));
    off.addEventListener('click', () => {
      if (off.dataset['asked'] === undefined) {
        off.dataset['asked'] = 'yes';
        off.textContent = t('really delete?');
        return;
      }
      void this.#try(async () => {
        await send('DELETE', `/v1/notes/${encodeURIComponent(id)}`);
        await this.#reload();
      });
    });
    return el(
      'li',
      {},
      el('p', { class: 'note-text' }, foreign(text)),
      el('p', { class: 'meta' }, foreign(whoAndWhen(author, at)), ' ', off),
    );
  }

  #write(): Promise<void> {
    return this.#try(async () => {
      const author = this.#author.value.trim();
      await send('POST', this.#path('notes'), { text: this.#text.value, ...(author === '' ? {} : { author }) });
      drafts.delete(this.#linkedid);
      this.#text.value = '';
      await this.#reload();
    });
  }

  async #set(): Promise<void> {
    await this.#change({ add: [this.#tag.value.trim()] });
    this.#tag.value = '';
  }

  #change(change: { readonly add?: readonly string[]; readonly remove?: readonly string[] }): Promise<void> {
    return this.#try(async () => {
      const author = this.#author.value.trim();
      await send('POST', this.#path('tags'), { ...change, ...(author === '' ? {} : { author }) });
      await this.#reload();
    });
  }

  #path(what: string): string {
    return `/v1/calls/${encodeURIComponent(this.#linkedid)}/${what}`;
  }

  async #reload(): Promise<void> {
    this.show(await get<WholeCall>(`/v1/calls/${encodeURIComponent(this.#linkedid)}`));
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.#notice.replaceChildren();
    try {
      await work();
    } catch (error) {
      this.#notice.replaceChildren(errorNotice(error, () => void this.#try(work)));
    }
  }

  async #suggest(): Promise<void> {
    if (IS_FLEET) return;
    // Tags can be typed without suggestions, so a failure is ignored.
    const none: { readonly tags: readonly { readonly tag: string }[] } = { tags: [] };
    const { tags } = await get<typeof none>('/v1/tags').catch(() => none);
    this.#known.replaceChildren(...tags.map(({ tag }) => el('option', { value: tag })));
  }
}

function form(word: string, submit: () => Promise<void>, labels: readonly HTMLElement[]): HTMLFormElement {
  const [first] = labels;
  first?.querySelector('input, textarea')?.setAttribute('required', '');
  const made = el('form', { class: 'filter' }, ...labels, el('button', {}, word));
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  return made;
}

function whoAndWhen(author: string | null, at: string): string {
  return author === null ? moment(at) : `${author}, ${moment(at)}`;
}
