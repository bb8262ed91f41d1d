import { el } from '../parts/dom.ts';
import { errorNotice } from '../parts/notice.ts';
import { Search } from '../parts/search.ts';
import { spanBefore, spanPicker } from '../parts/span-picker.ts';
import type { EndpointsAnswer, GroupsAnswer } from '../rest/answers.ts';
import { IS_FLEET } from '../fleet/scope.ts';
import { get } from '../rest/rest.ts';
import type { Page, Route } from '../rest/route.ts';
import { t, tn } from '../words/language.ts';
import { headsOf, keyOf, type Part, partRow, type Parts } from './endpoint-rows.ts';
import { EndpointTrends, TREND_HELP } from './endpoint-trends.ts';
import { pinned } from './pins.ts';

const ORDERS = {
  score: t('the lowest 5th percentile'),
  fault: t('the most faults of its own'),
  bad: t('the most bad calls'),
  share: t('the highest share of bad calls'),
  worse: t('worse than the week before'),
} as const;
type Order = keyof typeof ORDERS;

/** What calls are grouped by. */
const KINDS = {
  endpoint: t('endpoint or trunk'),
  device: t('device'),
  site: t('site'),
  codec: t('codec'),
} as const;
type Kind = keyof typeof KINDS;

/** Least numbers of calls to choose from. With few calls a percentile says little. */
const FLOORS = ['1', '5', '20', '100'] as const;

/** How much the 5th percentile has fallen; 0 when either is unknown. */
function fall(part: Part, before: Parts): number {
  const earlier = before.get(keyOf(part))?.mes_p5 ?? null;
  return earlier === null || part.mes_p5 === null ? Number.NEGATIVE_INFINITY : earlier - part.mes_p5;
}

function inOrder(parts: readonly Part[], order: string, before: Parts): readonly Part[] {
  switch (order as Order) {
    case 'fault':
      return parts.toSorted((a, b) => b.own_fault_calls - a.own_fault_calls);
    case 'bad':
      return parts.toSorted((a, b) => b.bad_calls - a.bad_calls);
    case 'share':
      return parts.toSorted((a, b) => (b.bad_percent ?? -1) - (a.bad_percent ?? -1));
    case 'worse':
      return parts.toSorted((a, b) => (fall(a, before) === fall(b, before) ? 0 : fall(b, before) - fall(a, before)));
    default:
      return parts;
  }
}

async function partsOf(
  kind: Kind,
  range: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly parts: readonly Part[]; readonly leftOut: number }> {
  if (kind === 'endpoint') {
    const { endpoints, left_out: leftOut } = await get<EndpointsAnswer>(
      `/v1/endpoints?${new URLSearchParams(range)}`,
      signal,
    );
    return { parts: endpoints.map(({ endpoint, ...quality }) => ({ name: endpoint, ...quality })), leftOut };
  }
  const query = new URLSearchParams({ ...range, by: kind });
  const { groups, left_out: leftOut } = await get<GroupsAnswer>(`/v1/groups?${query}`, signal);
  return { parts: groups, leftOut };
}

/** The page of endpoints, devices, sites or codecs, the worst first, with links to their calls and trends. */
export function endpointsPage({ query }: Route): Page {
  let answer: Awaited<ReturnType<typeof partsOf>> | undefined;
  let before: Parts = new Map();
  const span = spanPicker(query.get('from'));
  const choice = (name: string, options: readonly (readonly [value: string, word: string])[]): HTMLSelectElement =>
    el(
      'select',
      { name },
      ...options.map(([value, word]) => el('option', { value, selected: value === query.get(name) }, word)),
    );
  const by = choice('by', Object.entries(KINDS));
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
  const content = el('div');
  const kind = (): Kind => (by.value in KINDS ? (by.value as Kind) : 'endpoint');

  const show = (): void => {
    if (answer === undefined) return;
    const { parts, leftOut } = answer;
    const wanted = text.value.trim().toLocaleLowerCase();
    const fitting = parts.filter(
      ({ name, calls }) => calls >= Number(floor.value) && name.toLocaleLowerCase().includes(wanted),
    );
    const rest = leftOut === 0 ? '' : `; ${t('{n} better ones are left out', { n: leftOut })}`;
    search.status.textContent =
      (kind() === 'endpoint'
        ? tn('{n} endpoint', '{n} endpoints', fitting.length)
        : tn('{n} in all', '{n} in all', fitting.length)) + rest;
    if (fitting.length === 0) {
      const words =
        parts.length === 0
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
    const sorted = inOrder(fitting, order.value, before);
    const pins = pinned();
    const table = (rows: readonly Part[], caption: string | null): HTMLElement | null =>
      rows.length === 0
        ? null
        : el(
            'div',
            { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption ?? KINDS[kind()] },
            caption === null ? null : el('h2', { class: 'table-head' }, caption),
            el(
              'table',
              { class: 'list numbers-list' },
              el(
                'thead',
                {},
                el(
                  'tr',
                  {},
                  ...headsOf(kind() === 'endpoint').map((head) => el('th', { scope: 'col', 'data-head': head }, head)),
                ),
              ),
              el(
                'tbody',
                {},
                ...rows.map((part) =>
                  partRow(part, { kind: kind(), before: before.get(keyOf(part)), from, trends, onPin: show }),
                ),
              ),
            ),
          );
    const [first, others] =
      kind() === 'endpoint'
        ? [sorted.filter(({ name }) => pins.has(name)), sorted.filter(({ name }) => !pins.has(name))]
        : [[], sorted];
    const tables = [
      table(first, t('Pinned, such as trunks')),
      table(others, first.length === 0 ? null : t('All others')),
    ].filter((one) => one !== null);
    content.replaceChildren(
      el(
        'details',
        { class: 'meta' },
        el('summary', {}, t('What the columns say')),
        el('p', {}, HELP),
        el('p', {}, TREND_HELP),
      ),
      ...tables,
    );
  };
  const search = new Search(content, async (signal) => {
    const { from, to } = spanBefore(span.value);
    const [now, earlier] = await Promise.all([
      partsOf(kind(), { from: span.value }, signal),
      partsOf(kind(), { from, to }, signal),
    ]);
    answer = now;
    before = new Map(earlier.parts.map((part) => [keyOf(part), part]));
    show();
  });
  const form = el(
    'form',
    { class: 'filter panel', role: 'search', 'aria-label': t('Endpoints') },
    el('label', {}, t('Calls that began in'), span),
    // A fleet's store has no groups.
    IS_FLEET ? null : el('label', {}, t('By'), by),
    el('label', {}, t('First'), order),
    el('label', {}, t('With calls'), floor),
    el('label', {}, t('Search'), text),
  );
  form.addEventListener('submit', (event) => event.preventDefault());
  text.addEventListener('input', show);
  form.addEventListener('change', (event) => {
    const address = new URLSearchParams({ from: span.value, order: order.value });
    if (kind() !== 'endpoint') address.set('by', kind());
    if (floor.value !== '1') address.set('floor', floor.value);
    if (text.value.trim() !== '') address.set('search', text.value.trim());
    history.pushState({ seen: true }, '', `#/endpoints?${address}`);
    if (event.target === span || event.target === by) void search.run();
    else show();
  });
  void search.run();
  return {
    title: t('Endpoints'),
    element: el(
      'section',
      {},
      el('div', { class: 'head' }, el('h1', {}, t('Endpoints')), search.status),
      form,
      content,
    ),
    leave: () => search.stop(),
  };
}

const HELP = [
  t('Own faults: calls whose fault lies with this endpoint, its phone or the network between it and this server.'),
  t('Bad calls: calls that were bad for this endpoint, whoever was at fault.'),
  t('Before: the 5th percentile of the same time a week before.'),
].join(' ');
