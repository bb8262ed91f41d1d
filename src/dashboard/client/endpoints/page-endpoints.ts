import type { EndpointQuality, EndpointsAnswer } from '../rest/answers.ts';
import { el, foreign } from '../parts/dom.ts';
import { EndpointTrends, TREND_HELP } from './endpoint-trends.ts';
import { t, tn } from '../words/language.ts';
import { errorNotice } from '../parts/notice.ts';
import { get } from '../rest/rest.ts';
import type { Page, Route } from '../rest/route.ts';
import { spanBefore, spanPicker } from '../parts/span-picker.ts';
import { quantity } from '../words/words.ts';

const ORDERS = {
  score: t('the lowest 5th percentile'),
  bad: t('the most bad calls'),
  share: t('the highest share of bad calls'),
  worse: t('worse than the week before'),
} as const;
type Order = keyof typeof ORDERS;

/** Of fewer calls a percentile or a share says little. */
const FLOORS = ['1', '5', '20', '100'] as const;

const HEADS = [
  t('Endpoint'),
  t('5th percentile'),
  t('Before'),
  t('Median'),
  t('Worst'),
  t('Calls'),
  t('Bad calls'),
  t('Loss, %'),
  t('Jitter, ms'),
  t('RTT, ms'),
  t('Trend'),
] as const;
type Qualities = ReadonlyMap<string, EndpointQuality>;

/** Two PBXs may have endpoints of the same name. */
function nameOf({ endpoint, pbx = '' }: EndpointQuality): string {
  return `${pbx} ${endpoint}`;
}

/** How much lower the 5th percentile is than before; nothing where either is not known. */
function fall(endpoint: EndpointQuality, before: Qualities): number {
  const earlier = before.get(nameOf(endpoint))?.mes_p5 ?? null;
  return earlier === null || endpoint.mes_p5 === null ? Number.NEGATIVE_INFINITY : earlier - endpoint.mes_p5;
}

function inOrder(endpoints: readonly EndpointQuality[], order: string, before: Qualities): readonly EndpointQuality[] {
  switch (order as Order) {
    case 'bad':
      return endpoints.toSorted((a, b) => b.bad_calls - a.bad_calls);
    case 'share':
      return endpoints.toSorted((a, b) => (b.bad_percent ?? -1) - (a.bad_percent ?? -1));
    case 'worse':
      return endpoints.toSorted((a, b) =>
        fall(a, before) === fall(b, before) ? 0 : fall(b, before) - fall(a, before),
      );
    default:
      return endpoints;
  }
}

/** Endpoints and trunks, the worst first, each with its trend; each leads to its calls and to its course. */
export function endpointsPage({ query }: Route): Page {
  let search = new AbortController();
  let answer: EndpointsAnswer | undefined;
  let before: Qualities = new Map();
  const span = spanPicker(query.get('from'));
  const choice = (name: string, options: readonly (readonly [value: string, word: string])[]): HTMLSelectElement =>
    el(
      'select',
      { name },
      ...options.map(([value, word]) => el('option', { value, selected: value === query.get(name) }, word)),
    );
  const order = choice('order', Object.entries(ORDERS));
  const floor = choice(
    'floor',
    FLOORS.map((least) => [least, least === '1' ? t('any number') : t('{n} or more', { n: least })]),
  );
  const text = el('input', {
    type: 'search',
    name: 'search',
    value: query.get('search') ?? '',
    size: 16,
    spellcheck: 'false',
  });
  const status = el('p', { class: 'status', role: 'status' });
  const content = el('div');

  const show = (): void => {
    if (answer === undefined) return;
    const { endpoints, left_out: leftOut } = answer;
    const wanted = text.value.trim().toLocaleLowerCase();
    const fitting = endpoints.filter(
      ({ endpoint, calls }) => calls >= Number(floor.value) && endpoint.toLocaleLowerCase().includes(wanted),
    );
    const rest = leftOut === 0 ? '' : `; ${t('{n} better ones are left out', { n: leftOut })}`;
    status.textContent = tn('{n} endpoint', '{n} endpoints', fitting.length) + rest;
    if (fitting.length === 0) {
      const words =
        endpoints.length === 0
          ? t('No call began in this time. Choose a longer one.')
          : t('No endpoint fits. Take the search or the least number of calls back.');
      content.replaceChildren(el('p', { class: 'empty' }, words));
      return;
    }
    const from = span.value;
    const trends = new EndpointTrends(from, search.signal, (error, retry) => {
      const notice = errorNotice(error, () => {
        notice.remove();
        retry();
      });
      content.prepend(notice);
    });
    content.replaceChildren(
      el('details', { class: 'meta' }, el('summary', {}, t('What the trend says')), el('p', {}, TREND_HELP)),
      el(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Endpoints') },
        el(
          'table',
          { class: 'list numbers-list' },
          el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col', 'data-head': head }, head)))),
          el(
            'tbody',
            {},
            ...inOrder(fitting, order.value, before).map((endpoint) =>
              endpointRow(endpoint, before.get(nameOf(endpoint)), from, trends),
            ),
          ),
        ),
      ),
    );
  };
  const load = async (): Promise<void> => {
    search.abort();
    search = new AbortController();
    const { signal } = search;
    status.textContent = t('Searching …');
    const { from, to } = spanBefore(span.value);
    try {
      const [now, earlier] = await Promise.all([
        get<EndpointsAnswer>(`/v1/endpoints?${new URLSearchParams({ from: span.value })}`, signal),
        get<EndpointsAnswer>(`/v1/endpoints?${new URLSearchParams({ from, to })}`, signal),
      ]);
      answer = now;
      before = new Map(earlier.endpoints.map((quality) => [nameOf(quality), quality]));
      show();
    } catch (error) {
      if (signal.aborted) return;
      status.textContent = '';
      content.replaceChildren(errorNotice(error, () => void load()));
    }
  };
  const form = el(
    'form',
    { class: 'filter panel', role: 'search', 'aria-label': t('Endpoints') },
    el('label', {}, t('Calls that began in'), span),
    el('label', {}, t('First'), order),
    el('label', {}, t('With calls'), floor),
    el('label', {}, t('Search'), text),
  );
  form.addEventListener('submit', (event) => event.preventDefault());
  text.addEventListener('input', show);
  form.addEventListener('change', (event) => {
    const address = new URLSearchParams({ from: span.value, order: order.value });
    if (floor.value !== '1') address.set('floor', floor.value);
    if (text.value.trim() !== '') address.set('search', text.value.trim());
    history.pushState(null, '', `#/endpoints?${address}`);
    if (event.target === span) void load();
    else show();
  });
  void load();
  return {
    title: t('Endpoints'),
    element: el('section', {}, el('div', { class: 'head' }, el('h1', {}, t('Endpoints')), status), form, content),
    leave: () => search.abort(),
  };
}

function endpointRow(
  quality: EndpointQuality,
  before: EndpointQuality | undefined,
  from: string,
  trends: EndpointTrends,
): HTMLElement {
  const { endpoint, pbx } = quality;
  const whose = pbx === undefined ? {} : { pbx };
  const bad = `${quality.bad_calls}${quality.bad_percent === null ? '' : ` (${quantity(quality.bad_percent, 1, '%')})`}`;
  const cells = [
    el('b', {}, quantity(quality.mes_p5, 2)),
    el('span', { title: beforeWords(before) }, quantity(before?.mes_p5, 2)),
    quantity(quality.mes_median, 2),
    quantity(quality.mes_worst, 2),
    String(quality.calls),
    quality.bad_calls === 0 ? '0' : el('span', { class: 'chip tone-bad' }, `✕ ${bad}`),
    quantity(quality.loss_percent, 2),
    quantity(quality.jitter_mean_ms, 1),
    quantity(quality.rtt_mean_ms, 0),
    trends.place(endpoint, pbx),
  ];
  return el(
    'tr',
    {},
    el(
      'th',
      { scope: 'row' },
      ...(pbx === undefined ? [] : [el('span', { class: 'of-pbx' }, foreign(pbx), ' ')]),
      el('a', { href: `#/calls?${new URLSearchParams({ from, endpoint, ...whose })}` }, foreign(endpoint)),
    ),
    ...cells.map((content, index) => el('td', { 'data-head': HEADS[index + 1] ?? '' }, content)),
  );
}

function beforeWords(before: EndpointQuality | undefined): string {
  if (before === undefined) return t('no call in the same time a week before');
  return `${tn('{n} call', '{n} calls', before.calls)}, ${t('bad')} ${quantity(before.bad_percent, 1, '%')}`;
}
