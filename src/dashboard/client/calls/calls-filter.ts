import type { EndpointsAnswer } from '../rest/answers.ts';
import { DAY_SPANS, momentsOf } from '../parts/day-spans.ts';
import { el } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import { ISSUE_NAMES, issueWords } from '../ratings/rating-words.ts';
import { get } from '../rest/rest.ts';
import { type Span, SPANS } from '../parts/span-picker.ts';
import { FAULT_PLACES, FINDINGS, placeWords, VERDICT_GROUPS, VERDICTS, verdictWords } from '../words/words.ts';

const CHOICES: readonly Span[] = [...SPANS, ...DAY_SPANS, ['', t('at any time')]];
/** The span "between two times", which only this form knows. */
const BETWEEN = 'between';
/** Filters with the same name in the address, the form and REST. */
const PLAIN = [
  'party',
  'endpoint',
  'direction',
  'number',
  'verdict',
  'fault_place',
  'finding',
  'ended_by',
  'device',
  'site',
  'tag',
  'codec',
  'min_mes',
  'max_mes',
  'min_duration_s',
  'max_duration_s',
  'rated',
  'rating',
  'issue',
] as const;
type Plain = (typeof PLAIN)[number];
/** Filters that are always shown; the others are folded away. */
const SHOWN: readonly string[] = ['party', 'verdict', 'fault_place', 'tag'];
const FOLDED = PLAIN.filter((name) => !SHOWN.includes(name));
/** The verdict "several", which shows boxes to tick; only this form knows it. */
const SEVERAL = 'several';
const KNOWN: ReadonlySet<string> = new Set(['from', 'to', 'sort', ...PLAIN]);
const SUGGESTED = 300;

type Field = HTMLInputElement | HTMLSelectElement;
type Options = readonly (readonly [value: string, word: string])[];

function select(name: string, options: Options): HTMLSelectElement {
  return el('select', { name }, ...options.map(([value, word]) => el('option', { value }, word)));
}

function text(name: string, placeholder: string, size: number): HTMLInputElement {
  return el('input', { name, placeholder, maxlength: 128, size, spellcheck: 'false', autocomplete: 'off' });
}

function fields(): Readonly<Record<Plain, Field>> {
  const score = { type: 'number', min: 1, max: 4.5, step: 0.1, inputmode: 'decimal' };
  const seconds = { type: 'number', min: 0, step: 1, inputmode: 'numeric' };
  return {
    party: text('party', '214', 14),
    endpoint: text('endpoint', 'PJSIP/alice, PJSIP/*', 18),
    direction: select('direction', [
      ['', t('made or got')],
      ['from', t('made by it')],
      ['to', t('got by it')],
    ]),
    // A text field, since a number may be name@host or begin with a plus sign.
    number: text('number', '101, +4930*', 12),
    verdict: select('verdict', [
      ['', t('any')],
      ...VERDICT_GROUPS,
      ...VERDICTS.map((verdict) => [verdict, `${verdictWords(verdict).sign} ${verdictWords(verdict).word}`] as const),
      [SEVERAL, t('several …')],
    ]),
    fault_place: select('fault_place', [
      ['', t('any')],
      ...FAULT_PLACES.map((place) => [place, placeWords(place)] as const),
    ]),
    finding: select('finding', [['', t('any')], ...FINDINGS]),
    ended_by: select('ended_by', [
      ['', t('any')],
      ['caller', t('the caller')],
      ['callee', t('the callee')],
      ['server', t('this server')],
    ]),
    device: text('device', 'Yealink*', 14),
    site: text('site', '', 8),
    tag: text('tag', '', 10),
    codec: text('codec', 'ulaw', 6),
    min_mes: el('input', { name: 'min_mes', ...score }),
    max_mes: el('input', { name: 'max_mes', ...score }),
    min_duration_s: el('input', { name: 'min_duration_s', ...seconds }),
    max_duration_s: el('input', { name: 'max_duration_s', ...seconds }),
    rated: select('rated', [
      ['', t('any')],
      ['yes', t('yes')],
      ['no', t('no')],
    ]),
    rating: select('rating', [
      ['', t('any')],
      ['<=2', t('1 or 2: complaints')],
      ['3', '3'],
      ['>=4', t('4 or 5')],
    ]),
    issue: select('issue', [['', t('any')], ...ISSUE_NAMES.map((issue) => [issue, issueWords(issue)] as const)]),
  };
}

/** The form of filters. It starts from the address and reports changes. */
export class CallsFilter {
  readonly element: HTMLFormElement;
  readonly #span = select('span', [...CHOICES, [BETWEEN, t('between …')]]);
  readonly #from = el('input', { type: 'datetime-local', name: 'from' });
  readonly #to = el('input', { type: 'datetime-local', name: 'to' });
  readonly #between: readonly HTMLElement[];
  readonly #fields = fields();
  readonly #names = el('datalist', { id: 'endpoint-names' });
  readonly #tags = el('datalist', { id: 'tag-names' });
  readonly #several = el('fieldset', { class: 'several', hidden: true }, el('legend', {}, t('Verdicts')));
  readonly #more = el('details', { class: 'more-filters' });

  constructor(query: URLSearchParams, onChange: () => void) {
    const { party, endpoint, direction, number, verdict, fault_place: place, codec } = this.#fields;
    const { device, site, tag, finding, ended_by: ender } = this.#fields;
    const { min_mes: lowest, max_mes: highest, min_duration_s: shortest, max_duration_s: longest } = this.#fields;
    const { rated, rating, issue } = this.#fields;
    this.#between = [el('label', {}, t('From'), this.#from), el('label', {}, t('Until'), this.#to)];
    this.#more.append(
      el('summary', {}, t('More conditions')),
      el(
        'div',
        { class: 'filter' },
        el('label', {}, t('Endpoint'), endpoint),
        el('label', {}, t('Its calls'), direction),
        el('label', {}, t('Number'), number),
        el('label', {}, t('Score from'), lowest),
        el('label', {}, t('up to'), highest),
        el('label', {}, t('Length from, s'), shortest),
        el('label', {}, t('to, s'), longest),
        el('label', {}, t('Codec'), codec),
        el('label', {}, t('In the audio'), finding),
        el('label', {}, t('Hung up by'), ender),
        el('label', {}, t('Rated'), rated),
        el('label', {}, t('Rating'), rating),
        el('label', {}, t('Complaint'), issue),
        el('label', {}, t('Device'), device),
        el('label', {}, t('Site'), site),
      ),
    );
    this.element = el(
      'form',
      { class: 'filter panel', role: 'search', 'aria-label': t('Calls') },
      el('label', {}, t('Began'), this.#span),
      ...this.#between,
      el('label', {}, t('Who'), party),
      el('label', {}, t('Verdict'), verdict),
      el('label', {}, t('Fault'), place),
      el('label', {}, t('Tag'), tag),
      this.#several,
      this.#more,
      this.#names,
      this.#tags,
    );
    this.#several.append(
      ...VERDICTS.map((value) => {
        const { sign, word } = verdictWords(value);
        return el('label', {}, el('input', { type: 'checkbox', value }), ` ${sign} ${word}`);
      }),
    );
    tag.setAttribute('list', 'tag-names');
    tag.addEventListener('focus', () => void this.#suggestTags(), { once: true });
    for (const field of [party, endpoint]) {
      field.setAttribute('list', 'endpoint-names');
      field.addEventListener('focus', () => void this.#suggest(), { once: true });
    }
    this.#fill(query);
    this.element.addEventListener('change', () => {
      this.#showBetween();
      if (this.element.reportValidity()) onChange();
    });
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      onChange();
    });
  }

  /** The filters as query parameters, without empty ones. */
  get query(): URLSearchParams {
    const query = new URLSearchParams();
    if (this.#span.value === BETWEEN) {
      if (this.#from.value !== '') query.set('from', new Date(this.#from.value).toISOString());
      if (this.#to.value !== '') query.set('to', new Date(this.#to.value).toISOString());
    } else if (this.#span.value !== '') {
      query.set('from', this.#span.value);
    }
    for (const name of PLAIN) {
      const value = this.#valueOf(name);
      if (value !== '') query.set(name, value);
    }
    if (!query.has('endpoint')) query.delete('direction');
    return query;
  }

  #valueOf(name: Plain): string {
    const value = this.#fields[name].value.trim();
    if (name !== 'verdict' || value !== SEVERAL) return value;
    return this.#boxes.flatMap((box) => (box.checked ? [box.value] : [])).join(',');
  }

  get #boxes(): HTMLInputElement[] {
    return [...this.#several.querySelectorAll('input')];
  }

  #fill(query: URLSearchParams): void {
    for (const name of PLAIN) {
      const field = this.#fields[name];
      const value = query.getAll(name).join(',');
      if (name === 'verdict' && this.#tick(value)) {
        field.value = SEVERAL;
        continue;
      }
      // A select shows only its options. Add one for several values, or for a value that REST will refuse.
      if (field instanceof HTMLSelectElement && ![...field.options].some((option) => option.value === value)) {
        field.append(el('option', { value }, value));
      }
      field.value = value;
    }
    this.#more.open = FOLDED.some((name) => query.has(name));
    const from = query.get('from') ?? '';
    const isSpan = !query.has('to') && CHOICES.some(([value]) => value === from);
    this.#span.value = isSpan ? from : BETWEEN;
    if (!isSpan) {
      this.#from.value = localTime(from);
      this.#to.value = localTime(query.get('to') ?? '');
    }
    this.#showBetween();
  }

  /** Ticks the boxes of several verdicts. False when the value is not a list of known verdicts. */
  #tick(value: string): boolean {
    const wanted = value.split(',');
    const boxes = this.#boxes;
    const isSeveral = wanted.length > 1 && wanted.every((one) => boxes.some((box) => box.value === one));
    for (const box of boxes) box.checked = isSeveral && wanted.includes(box.value);
    return isSeveral;
  }

  #showBetween(): void {
    for (const element of this.#between) element.hidden = this.#span.value !== BETWEEN;
    this.#several.hidden = this.#fields.verdict.value !== SEVERAL;
  }

  async #suggestTags(): Promise<void> {
    const none: { readonly tags: readonly { readonly tag: string; readonly calls: number }[] } = { tags: [] };
    const { tags } = await get<typeof none>('/v1/tags').catch(() => none);
    this.#tags.replaceChildren(...tags.map(({ tag, calls }) => el('option', { value: tag }, String(calls))));
  }

  async #suggest(): Promise<void> {
    // Names can be typed without suggestions, so a failure is ignored.
    const none: EndpointsAnswer = { endpoints: [], left_out: 0 };
    const { endpoints } = await get<EndpointsAnswer>(`/v1/endpoints?from=-7d&limit=${SUGGESTED}`).catch(() => none);
    const names = endpoints.map(({ endpoint }) => endpoint).toSorted();
    this.#names.replaceChildren(...names.map((value) => el('option', { value })));
  }
}

/** The query for REST of an address. */
export function restQuery(address: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams(address);
  const moments = momentsOf(query.get('from') ?? '');
  if (moments !== undefined) {
    query.set('from', moments.from);
    if (moments.to !== undefined) query.set('to', moments.to);
  }
  return query;
}

/** A filter in a link that this page does not know; undefined: it knows all. Ignoring it would show too many calls. */
export function strangeName(address: URLSearchParams): string | undefined {
  return [...address.keys()].find((name) => !KNOWN.has(name));
}

/** An ISO 8601 time as value of a date field, in the viewer's time zone; empty when it is no time. */
function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
