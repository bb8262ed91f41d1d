import type { EndpointQuality, EndpointsAnswer } from './answers.ts';
import { el, foreign } from './dom.ts';
import { EndpointTrends, TREND_HELP } from './endpoint-trends.ts';
import { errorNotice } from './notice.ts';
import { get } from './rest.ts';
import type { Page, Route } from './route.ts';
import { spanPicker } from './span-picker.ts';
import { quantity } from './words.ts';

const ORDERS = {
  score: 'the lowest 5th percentile',
  bad: 'the most bad calls',
} as const;
type Order = keyof typeof ORDERS;

const HEADS = [
  'Endpoint',
  '5th percentile',
  'Median',
  'Worst',
  'Calls',
  'Bad calls',
  'Loss, %',
  'Jitter, ms',
  'RTT, ms',
  'Trend',
] as const;

/** Endpoints and trunks, the worst first, each with its trend; each leads to its calls and to its course. */
export function endpointsPage({ query }: Route): Page {
  let search = new AbortController();
  const span = spanPicker(query.get('from'));
  const order = el(
    'select',
    { name: 'order' },
    ...Object.entries(ORDERS).map(([value, word]) =>
      el('option', { value, selected: value === query.get('order') }, word),
    ),
  );
  const status = el('p', { class: 'status', role: 'status' });
  const content = el('div');

  const show = ({ endpoints, left_out: leftOut }: EndpointsAnswer, signal: AbortSignal): void => {
    status.textContent = `${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'}${leftOut === 0 ? '' : `; ${leftOut} better ones are left out`}`;
    if (endpoints.length === 0) {
      content.replaceChildren(el('p', { class: 'empty' }, 'No call began in this time. Choose a longer one.'));
      return;
    }
    const from = span.value;
    const trends = new EndpointTrends(from, signal, (error, retry) => {
      const notice = errorNotice(error, () => {
        notice.remove();
        retry();
      });
      content.prepend(notice);
    });
    const isByBad = order.value === ('bad' satisfies Order);
    const sorted = isByBad ? endpoints.toSorted((a, b) => b.bad_calls - a.bad_calls) : endpoints;
    content.replaceChildren(
      el('details', { class: 'meta' }, el('summary', {}, 'What the trend says'), el('p', {}, TREND_HELP)),
      el(
        'div',
        { class: 'scroll' },
        el(
          'table',
          { class: 'list numbers-list' },
          el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col', 'data-head': head }, head)))),
          el('tbody', {}, ...sorted.map((endpoint) => endpointRow(endpoint, from, trends))),
        ),
      ),
    );
  };
  const load = async (): Promise<void> => {
    search.abort();
    search = new AbortController();
    const { signal } = search;
    status.textContent = 'Searching …';
    try {
      show(await get<EndpointsAnswer>(`/v1/endpoints?${new URLSearchParams({ from: span.value })}`, signal), signal);
    } catch (error) {
      if (signal.aborted) return;
      status.textContent = '';
      content.replaceChildren(errorNotice(error, () => void load()));
    }
  };
  const form = el(
    'form',
    { class: 'filter panel' },
    el('label', {}, 'Calls that began in', span),
    el('label', {}, 'First', order),
  );
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => {
    history.pushState(null, '', `#/endpoints?${new URLSearchParams({ from: span.value, order: order.value })}`);
    void load();
  });
  void load();
  return {
    title: 'Endpoints',
    element: el('section', {}, el('div', { class: 'head' }, el('h1', {}, 'Endpoints'), status), form, content),
    leave: () => search.abort(),
  };
}

function endpointRow(quality: EndpointQuality, from: string, trends: EndpointTrends): HTMLElement {
  const { endpoint } = quality;
  const bad = `${quality.bad_calls}${quality.bad_percent === null ? '' : ` (${quantity(quality.bad_percent, 1, '%')})`}`;
  const cells = [
    el('b', {}, quantity(quality.mes_p5, 2)),
    quantity(quality.mes_median, 2),
    quantity(quality.mes_worst, 2),
    String(quality.calls),
    quality.bad_calls === 0 ? '0' : el('span', { class: 'chip tone-bad' }, `✕ ${bad}`),
    quantity(quality.loss_percent, 2),
    quantity(quality.jitter_mean_ms, 1),
    quantity(quality.rtt_mean_ms, 0),
    trends.place(endpoint),
  ];
  return el(
    'tr',
    {},
    el(
      'th',
      { scope: 'row' },
      el('a', { href: `#/calls?${new URLSearchParams({ from, endpoint })}` }, foreign(endpoint)),
    ),
    ...cells.map((content, index) => el('td', { 'data-head': HEADS[index + 1] ?? '' }, content)),
  );
}
