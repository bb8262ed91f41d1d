import type { Call, CallsAnswer } from './answers.ts';
import { CallsFilter } from './calls-filter.ts';
import { el, foreign } from './dom.ts';
import { offerFile } from './file.ts';
import { errorNotice } from './notice.ts';
import { get, getCsv } from './rest.ts';
import { callAddress, type Page, type Route } from './route.ts';
import { score, verdictChip } from './verdict-chip.ts';
import { byStart, duration, fullMoment, moment, party, partyOf, placeWords, quantity, verdictWords } from './words.ts';

const PAGE_CALLS = 50;
/** Names shown per call: a conference has too many for a list. */
const MOST_NAMED = 3;
/** The next page is fetched when its place is this near to the screen. */
const NEAR = '600px';
const HEADS = ['Began', 'Who', 'Score', 'Verdict', 'Worst', 'Length', 'Codec', 'Fault'] as const;

/** The calls of the past, newest first, as far as they fit the filter. */
export function callsPage({ query }: Route): Page {
  return new CallsPage(query);
}

class CallsPage implements Page {
  readonly title = 'Calls';
  readonly #filter: CallsFilter;
  readonly #count = el('p', { class: 'status', role: 'status' });
  readonly #notice = el('div');
  readonly #rows = el('tbody');
  readonly #table = el(
    'table',
    { class: 'list' },
    el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col' }, head)))),
    this.#rows,
  );
  readonly #more = el('button', { type: 'button', class: 'more', hidden: true }, 'Load more');
  readonly #seen: IntersectionObserver;
  readonly element: HTMLElement;
  #search = new AbortController();
  #cursor: string | null = null;
  #isLoading = false;

  constructor(query: URLSearchParams) {
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
      el('div', { class: 'head' }, el('h1', {}, 'Calls'), this.#count, csv),
      this.#filter.element,
      this.#notice,
      this.#table,
      this.#more,
    );
    this.#start();
  }

  leave(): void {
    this.#search.abort();
    this.#seen.disconnect();
  }

  #changed(): void {
    const query = this.#filter.query.toString();
    history.pushState(null, '', `#/calls${query === '' ? '' : `?${query}`}`);
    this.#start();
  }

  #start(): void {
    this.#search.abort();
    this.#search = new AbortController();
    this.#isLoading = false;
    this.#cursor = null;
    this.#rows.replaceChildren();
    this.#table.hidden = true;
    this.#more.hidden = true;
    this.#count.textContent = 'Searching …';
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const { signal } = this.#search;
    const query = this.#filter.query;
    query.set('limit', String(PAGE_CALLS));
    if (this.#cursor !== null) query.set('cursor', this.#cursor);
    try {
      const { calls, next_cursor: next } = await get<CallsAnswer>(`/v1/calls?${query}`, signal);
      if (signal.aborted) return;
      this.#rows.append(...calls.map(callRow));
      this.#cursor = next;
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      this.#count.textContent = '';
      this.#more.hidden = true;
      this.#notice.replaceChildren(errorNotice(error, () => void this.#load()));
    }
    this.#isLoading = false;
  }

  #tell(): void {
    const shown = this.#rows.childElementCount;
    this.#notice.replaceChildren();
    this.#table.hidden = shown === 0;
    this.#more.hidden = this.#cursor === null;
    this.#count.textContent = this.#cursor === null ? `${shown} in all` : `the newest ${shown}`;
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
        'No call fits. Choose a longer time or fewer conditions, or see ',
        el('a', { href: '#/calls' }, 'all calls'),
        '.',
      ),
    );
  }

  async #export(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      offerFile(await getCsv(`/v1/calls?${this.#filter.query}`), 'calls.csv');
    } catch (error) {
      this.#notice.replaceChildren(errorNotice(error, () => void this.#export(button)));
    }
    button.disabled = false;
  }
}

function callRow(call: Call): HTMLElement {
  const legs = byStart(call.channels);
  const named = legs.slice(0, MOST_NAMED).map((leg) => foreign(party(leg)));
  const others = legs.length - named.length;
  const who = named.flatMap((name, index) => (index === 0 ? [name] : [' ↔ ', name]));
  const link = el(
    'a',
    { href: callAddress(call.linkedid) },
    ...(who.length === 0 ? [call.linkedid] : who),
    others > 0 ? ` and ${others} more` : '',
  );
  const cell = (index: number, ...content: (Node | string)[]): HTMLElement =>
    el('td', { 'data-head': HEADS[index] ?? '' }, ...content);
  return el(
    'tr',
    { class: `tone-${verdictWords(call.verdict).tone}` },
    cell(0, el('time', { datetime: call.started_at, title: fullMoment(call.started_at) }, moment(call.started_at))),
    cell(1, link),
    cell(2, score(call.mes)),
    cell(3, verdictChip(call.verdict, partyOf(call))),
    cell(4, quantity(call.mes_min, 2)),
    cell(5, call.state === 'up' ? el('b', { class: 'up' }, '● up') : duration(call.duration_s)),
    cell(6, foreign(call.codecs.join(', '))),
    cell(7, call.fault_place === 'none' ? '' : placeWords(call.fault_place)),
  );
}
