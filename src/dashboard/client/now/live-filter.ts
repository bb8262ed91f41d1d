import type { Channel } from '../rest/answers.ts';
import { el } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import type { LiveCall } from './live-call.ts';
import { verdictWords } from '../words/words.ts';

/** The tiles. Each call counts in exactly one. */
const TILES = [
  { name: 'bad', word: 'bad', sign: '✕', tone: 'bad' },
  { name: 'silent', word: 'no audio', sign: '∅', tone: 'bad' },
  { name: 'poor', word: 'poor', sign: '!', tone: 'poor' },
  { name: 'fair', word: 'fair', sign: '~', tone: 'fair' },
  { name: 'good', word: 'good', sign: '✓', tone: 'good' },
  { name: 'unknown', word: 'not yet known', sign: '…', tone: 'unknown' },
] as const;
type TileName = (typeof TILES)[number]['name'];

function tileOf(call: LiveCall): TileName {
  const { verdict } = call;
  if (verdict === 'no-media' || verdict === 'one-way-rx' || verdict === 'one-way-tx') return 'silent';
  return verdictWords(verdict).tone;
}

/** Endpoints with so many live calls are listed as busy. */
const BUSY_CALLS = 2;
const MOST_BUSY = 100;

/** Filters live calls: tiles that count and choose, busy endpoints, and a search. */
export class LiveFilter {
  readonly element: HTMLElement;
  readonly #tiles = new Map<TileName, { button: HTMLButtonElement; count: HTMLElement }>();
  readonly #chosen = new Set<TileName>();
  readonly #endpoint = el('select', { name: 'endpoint' });
  readonly #search = el('input', { type: 'search', name: 'search', size: 18, maxlength: 128, spellcheck: 'false' });
  #endpoints = '';

  constructor(onChange: () => void) {
    const tiles = el('div', { class: 'tiles', role: 'group', 'aria-label': t('Calls by their worst direction') });
    for (const { name, word, sign, tone } of TILES) {
      const count = el('b', {}, '0');
      const button = el(
        'button',
        { type: 'button', class: `tile tone-${tone}`, 'aria-pressed': 'false' },
        count,
        el('span', {}, el('span', { 'aria-hidden': 'true' }, `${sign} `), t(word)),
      );
      button.addEventListener('click', () => {
        if (!this.#chosen.delete(name)) this.#chosen.add(name);
        button.setAttribute('aria-pressed', String(this.#chosen.has(name)));
        onChange();
      });
      this.#tiles.set(name, { button, count });
      tiles.append(button);
    }
    this.element = el(
      'form',
      { class: 'live-filter', role: 'search', 'aria-label': t('Calls that are up') },
      tiles,
      el('label', {}, t('Endpoint or trunk'), this.#endpoint),
      el('label', {}, t('Search'), this.#search),
    );
    this.element.addEventListener('submit', (event) => event.preventDefault());
    this.element.addEventListener('input', onChange);
    this.element.addEventListener('change', onChange);
  }

  /** Returns the matching calls. The tiles count those that match everything else. */
  choose(calls: readonly LiveCall[]): LiveCall[] {
    this.#offer(calls);
    const text = this.#search.value.trim().toLocaleLowerCase();
    const endpoint = this.#endpoint.value;
    const fitting = calls.filter(
      ({ legs }) =>
        (endpoint === '' || legs.some((leg) => leg.endpoint === endpoint)) &&
        (text === '' || legs.some((leg) => textOf(leg).includes(text))),
    );
    const groups = Map.groupBy(fitting, tileOf);
    for (const [name, { button, count }] of this.#tiles) {
      const n = groups.get(name)?.length ?? 0;
      count.textContent = String(n);
      button.classList.toggle('none', n === 0);
    }
    return this.#chosen.size === 0 ? fitting : fitting.filter((call) => this.#chosen.has(tileOf(call)));
  }

  #offer(calls: readonly LiveCall[]): void {
    const counts = new Map<string, number>();
    for (const { legs } of calls) {
      for (const endpoint of new Set(legs.map((leg) => leg.endpoint))) {
        counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
      }
    }
    const chosen = this.#endpoint.value;
    const busy = [...counts]
      .filter(([endpoint, count]) => count >= BUSY_CALLS || endpoint === chosen)
      .toSorted(([one, most], [other, more]) => more - most || one.localeCompare(other))
      .slice(0, MOST_BUSY);
    const text = JSON.stringify(busy);
    // Do not replace the same options: an open list would close.
    if (text === this.#endpoints && this.#endpoint.childElementCount > 0) return;
    this.#endpoints = text;
    this.#endpoint.replaceChildren(
      el('option', { value: '' }, t('any')),
      ...busy.map(([endpoint, count]) => el('option', { value: endpoint }, `${endpoint} (${count})`)),
    );
    this.#endpoint.value = busy.some(([endpoint]) => endpoint === chosen) ? chosen : '';
  }
}

function textOf(leg: Channel): string {
  return [
    leg.endpoint,
    leg.caller_number,
    leg.caller_name,
    leg.connected_number,
    leg.connected_name,
    leg.exten,
    leg.linkedid,
  ]
    .join('\n')
    .toLocaleLowerCase();
}
