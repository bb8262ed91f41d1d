import { el } from './dom.ts';
import { type Span, SPANS } from './span-picker.ts';
import { VERDICTS, verdictWords } from './words.ts';

const CHOICES: readonly Span[] = [...SPANS, ['', 'at any time']];
/** The span that asks for two moments; REST does not know it. */
const BETWEEN = 'between';
/** Filters with the same name in the address, the form and REST. */
const PLAIN = ['endpoint', 'number', 'verdict', 'codec', 'min_mes', 'max_mes'] as const;

/** The form of filters. It starts from the address and reports changes. */
export class CallsFilter {
  readonly element: HTMLFormElement;
  readonly #span: HTMLSelectElement;
  readonly #from = el('input', { type: 'datetime-local', name: 'from' });
  readonly #to = el('input', { type: 'datetime-local', name: 'to' });
  readonly #between: readonly HTMLElement[];
  readonly #fields: Readonly<Record<(typeof PLAIN)[number], HTMLInputElement | HTMLSelectElement>>;

  constructor(query: URLSearchParams, onChange: () => void) {
    const option = (value: string, word: string): HTMLElement => el('option', { value }, word);
    this.#span = el(
      'select',
      { name: 'span' },
      ...CHOICES.map(([value, word]) => option(value, word)),
      option(BETWEEN, 'between …'),
    );
    const score = { type: 'number', min: 1, max: 4.5, step: 0.1, inputmode: 'decimal' };
    this.#fields = {
      endpoint: el('input', {
        name: 'endpoint',
        placeholder: 'PJSIP/alice or PJSIP/*',
        maxlength: 128,
        spellcheck: 'false',
      }),
      // A text field: a number may be a name@host, or begin with a plus sign.
      number: el('input', {
        name: 'number',
        placeholder: '101 or +4930*',
        maxlength: 64,
        size: 12,
        spellcheck: 'false',
      }),
      verdict: el(
        'select',
        { name: 'verdict' },
        option('', 'any'),
        ...VERDICTS.map((verdict) => option(verdict, `${verdictWords(verdict).sign} ${verdictWords(verdict).word}`)),
      ),
      codec: el('input', { name: 'codec', placeholder: 'ulaw', maxlength: 32, size: 6, spellcheck: 'false' }),
      min_mes: el('input', { name: 'min_mes', ...score }),
      max_mes: el('input', { name: 'max_mes', ...score }),
    };
    const { endpoint, number, verdict, codec, min_mes: lowest, max_mes: highest } = this.#fields;
    this.#between = [el('label', {}, 'From', this.#from), el('label', {}, 'Until', this.#to)];
    this.element = el(
      'form',
      { class: 'filter panel', role: 'search', 'aria-label': 'Calls' },
      el('label', {}, 'Began', this.#span),
      ...this.#between,
      el('label', {}, 'Endpoint', endpoint),
      el('label', {}, 'Number', number),
      el('label', {}, 'Verdict', verdict),
      el('label', {}, 'Score from', lowest),
      el('label', {}, 'up to', highest),
      el('label', {}, 'Codec', codec),
    );
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

  /** The filters as address and REST write them; empty ones are left out. */
  get query(): URLSearchParams {
    const query = new URLSearchParams();
    if (this.#span.value === BETWEEN) {
      if (this.#from.value !== '') query.set('from', new Date(this.#from.value).toISOString());
      if (this.#to.value !== '') query.set('to', new Date(this.#to.value).toISOString());
    } else if (this.#span.value !== '') {
      query.set('from', this.#span.value);
    }
    for (const name of PLAIN) {
      const value = this.#fields[name].value.trim();
      if (value !== '') query.set(name, value);
    }
    return query;
  }

  #fill(query: URLSearchParams): void {
    for (const name of PLAIN) this.#fields[name].value = query.get(name) ?? '';
    const from = query.get('from') ?? '';
    const isSpan = !query.has('to') && CHOICES.some(([value]) => value === from);
    this.#span.value = isSpan ? from : BETWEEN;
    if (!isSpan) {
      this.#from.value = localTime(from);
      this.#to.value = localTime(query.get('to') ?? '');
    }
    this.#showBetween();
  }

  #showBetween(): void {
    for (const element of this.#between) element.hidden = this.#span.value !== BETWEEN;
  }
}

/** ISO 8601 as a date field takes it, in the viewer's time zone; empty when it is no time. */
function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
