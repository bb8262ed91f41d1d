import type { CallsSummaryAnswer, CallSummary } from '../rest/answers.ts';
import { CallsFilter, restQuery, strangeName } from './calls-filter.ts';
import { el, foreign } from '../parts/dom.ts';
import { offerFile } from '../parts/file.ts';
import { LOCALE, t, tn } from '../words/language.ts';
import { placeIn, rememberList, rememberPlace } from '../parts/list-memory.ts';
import { savedViews } from './saved-views.ts';
import { IS_FLEET } from '../fleet/scope.ts';
import { errorNotice } from '../parts/notice.ts';
import { get, getCsv } from '../rest/rest.ts';
import { callAddress, type Page, type Route } from '../rest/route.ts';
import { score, verdictChip } from '../parts/verdict-chip.ts';
import {
  byStart,
  duration,
  fullMoment,
  moment,
  oneWayWords,
  party,
  placeWords,
  quantity,
  verdictWords,
} from '../words/words.ts';

const PAGE_CALLS = 50;
/** REST gives a sorted list as one page. */
const SORTED_CALLS = 500;
/** Names shown per call: a conference has too many for a list. */
const MOST_NAMED = 3;
/** The next page is fetched when its place is this near to the screen. */
const NEAR = '600px';
/** Columns and their sort orders; the first click takes the first one. */
const COLUMNS: readonly (readonly [head: string, ...sorts: string[]])[] = [
  [t('Began'), ''],
  [t('Who')],
  [t('Score'), 'mes', '-mes'],
  [t('Verdict')],
  [t('Worst'), 'mes_min'],
  [t('Length'), '-duration_s', 'duration_s'],
  [t('Codec')],
  [t('Fault')],
];

/** The page of calls: those that match the filter, newest first or sorted. */
export function callsPage({ query }: Route): Page {
  return new CallsPage(query);
}

class CallsPage implements Page {
  readonly title = t('Calls');
  readonly #filter: CallsFilter;
  readonly #count = el('p', { class: 'status', role: 'status' });
  readonly #notice = el('div');
  readonly #heads = el('tr');
  readonly #rows = el('tbody');
  readonly #table = el('table', { class: 'list' }, el('thead', {}, this.#heads), this.#rows);
  readonly #more = el('button', { type: 'button', class: 'more', hidden: true }, t('Load more'));
  readonly #seen: IntersectionObserver;
  readonly element: HTMLElement;
  /** The query of the address. */
  #asked: URLSearchParams;
  #search = new AbortController();
  #cursor: string | null = null;
  #matching: number | null = null;
  #linkedids: string[] = [];
  #isLoading = false;

  constructor(query: URLSearchParams) {
    this.#asked = query;
    this.#filter = new CallsFilter(query, () => this.#changed());
    const csv = el('button', { type: 'button' }, '↓ CSV');
    csv.addEventListener('click', () => void this.#export(csv));
    this.#more.addEventListener('click', () => void this.#load());
    this.#seen = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting === true) void this.#load();
      },
      { rootMargin: NEAR },
    );
    this.#seen.observe(this.#more);
    this.element = el(
      'section',
      {},
      el('div', { class: 'head' }, el('h1', {}, t('Calls')), this.#count, csv),
      this.#filter.element,
      savedViews(() => this.#address),
      this.#notice,
      this.#table,
      this.#more,
    );
    this.#start();
  }

  leave(): void {
    if (this.#linkedids.length > 0) rememberPlace(this.#address, this.#linkedids.length);
    this.#search.abort();
    this.#seen.disconnect();
  }

  #changed(sort = this.#sort): void {
    this.#asked = this.#filter.query;
    if (sort !== '') this.#asked.set('sort', sort);
    history.pushState({ seen: true }, '', this.#address);
    this.#start();
  }

  get #address(): string {
    const query = this.#asked.toString();
    return `#/calls${query === '' ? '' : `?${query}`}`;
  }

  get #sort(): string {
    return this.#asked.get('sort') ?? '';
  }

  #start(): void {
    this.#search.abort();
    this.#search = new AbortController();
    this.#isLoading = false;
    this.#cursor = null;
    this.#linkedids = [];
    this.#rows.replaceChildren();
    this.#table.hidden = true;
    this.#more.hidden = true;
    this.#heads.replaceChildren(...COLUMNS.map(([head, ...sorts]) => this.#head(head, sorts)));
    const strange = strangeName(this.#asked);
    if (strange !== undefined) {
      this.#count.textContent = '';
      const sentence = t('This link cannot be understood: it asks for “{name}”, which this page does not know.', {
        name: strange,
      });
      this.#notice.replaceChildren(
        el(
          'p',
          { class: 'notice tone-bad', role: 'alert' },
          `✕ ${sentence} `,
          el('a', { href: '#/calls' }, t('See all calls')),
        ),
      );
      return;
    }
    this.#count.textContent = t('Searching …');
    void this.#load();
  }

  #head(head: string, sorts: readonly string[]): HTMLElement {
    if (sorts.length === 0) return el('th', { scope: 'col' }, head);
    const at = sorts.indexOf(this.#sort);
    const isDescending = this.#sort === '' || this.#sort.startsWith('-');
    const button = el('button', { type: 'button', class: 'sort' }, head, at < 0 ? '' : isDescending ? ' ↓' : ' ↑');
    button.addEventListener('click', () => this.#changed(sorts[(at + 1) % sorts.length] ?? ''));
    return el(
      'th',
      { scope: 'col', 'aria-sort': at < 0 ? undefined : isDescending ? 'descending' : 'ascending' },
      button,
    );
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const { signal } = this.#search;
    const query = restQuery(this.#asked);
    query.set('fields', 'summary');
    const place = this.#cursor === null ? placeIn(this.#address) : undefined;
    // Coming back to the list, load as many rows as there were.
    query.set('limit', String(this.#sort === '' ? Math.max(PAGE_CALLS, place?.rows ?? 0) : SORTED_CALLS));
    if (this.#cursor === null) query.set('count', 'yes');
    else query.set('cursor', this.#cursor);
    try {
      const { calls, next_cursor: next, matching } = await get<CallsSummaryAnswer>(`/v1/calls?${query}`, signal);
      if (signal.aborted) return;
      this.#rows.append(...calls.map(callRow));
      this.#linkedids.push(...calls.map(({ linkedid }) => linkedid));
      // On a fleet a linkedid alone does not name a call.
      if (!IS_FLEET) rememberList({ address: this.#address, linkedids: this.#linkedids });
      if (matching !== undefined) this.#matching = matching;
      this.#cursor = next;
      this.#tell();
      if (place !== undefined) window.scrollTo(0, place.scrollY);
    } catch (error) {
      if (signal.aborted) return;
      this.#count.textContent = '';
      this.#more.hidden = true;
      this.#notice.replaceChildren(errorNotice(error, () => void this.#load()));
    }
    this.#isLoading = false;
  }

  #total(shown: number): string {
    const all = this.#matching;
    if (this.#cursor === null && (this.#sort === '' || all === shown)) return tn('{n} in all', '{n} in all', shown);
    const of = all === null ? t('more than 10,000') : all.toLocaleString(LOCALE);
    if (this.#sort !== '') return t('the first {n} of {all}', { n: shown, all: of });
    return t('the newest {n} of {all}', { n: shown, all: of });
  }

  #tell(): void {
    const shown = this.#rows.childElementCount;
    this.#notice.replaceChildren();
    this.#table.hidden = shown === 0;
    this.#more.hidden = this.#cursor === null;
    this.#count.textContent = this.#total(shown);
    if (shown > 0) {
      // On a tall screen the button stays in sight, so its observer does not fire again.
      this.#seen.unobserve(this.#more);
      this.#seen.observe(this.#more);
      return;
    }
    this.#notice.replaceChildren(
      el(
        'p',
        { class: 'empty' },
        t('No call fits. Choose a longer time or fewer conditions, or see'),
        ' ',
        el('a', { href: '#/calls' }, t('all calls')),
        '.',
      ),
    );
  }

  async #export(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      offerFile(await getCsv(`/v1/calls?${restQuery(this.#asked)}`), 'calls.csv');
    } catch (error) {
      this.#notice.replaceChildren(errorNotice(error, () => void this.#export(button)));
    }
    button.disabled = false;
  }
}

function callRow(call: CallSummary): HTMLElement {
  const legs = byStart(call.channels);
  const named = legs.slice(0, MOST_NAMED).map((leg) => foreign(party(leg)));
  const others = legs.length - named.length;
  const who = named.flatMap((name, index) => (index === 0 ? [name] : [' ↔ ', name]));
  const link = el(
    'a',
    { href: callAddress(call.linkedid, call.pbx) },
    ...(who.length === 0 ? [call.linkedid] : who),
    others > 0 ? ` ${t('and {n} more', { n: others })}` : '',
  );
  const cell = (index: number, ...content: (Node | string)[]): HTMLElement =>
    el('td', { 'data-head': COLUMNS[index]?.[0] ?? '' }, ...content);
  return el(
    'tr',
    { class: `tone-${verdictWords(call.verdict).tone}` },
    cell(0, el('time', { datetime: call.started_at, title: fullMoment(call.started_at) }, moment(call.started_at))),
    cell(
      1,
      ...(call.pbx === undefined ? [] : [el('span', { class: 'of-pbx' }, foreign(call.pbx), ' ')]),
      link,
      ...(call.tags ?? []).flatMap((tag) => [' ', el('span', { class: 'tag small' }, foreign(tag))]),
    ),
    cell(2, score(call.mes)),
    cell(3, verdictChip(call.verdict, oneWayWords(call))),
    cell(4, quantity(call.mes_min, 2)),
    cell(5, call.state === 'up' ? el('b', { class: 'up' }, `● ${t('up')}`) : duration(call.duration_s)),
    cell(6, foreign(call.codecs.join(', '))),
    cell(7, call.fault_place === 'none' ? '' : placeWords(call.fault_place)),
  );
}
