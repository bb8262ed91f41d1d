import type { BucketQuality, SummaryAnswer } from '../rest/answers.ts';
import { lineSample } from '../charts/chart-ink.ts';
import { el, foreign } from '../parts/dom.ts';
import { LOCALE, t, tn } from '../words/language.ts';
import { courseNotice } from './course-notice.ts';
import { heatMap } from './heat-map.ts';
import { Search } from '../parts/search.ts';
import { get } from '../rest/rest.ts';
import type { Page, Route } from '../rest/route.ts';
import { spanBefore, spanPicker } from '../parts/span-picker.ts';
import { TrendChart } from '../charts/trend-chart.ts';
import { moment, quantity } from '../words/words.ts';

/** How long a stretch is, so that a chart has some 25 to 60 of them. */
const BUCKETS: Readonly<Record<string, string>> = { '-1h': '2m', '-24h': '1h', '-7d': '6h', '-30d': '1d' };
const HOUR = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const HEADS = [t('From'), t('Calls'), t('Median'), t('5th percentile'), t('Worst'), t('Bad calls')] as const;

/** Hours and days: how many calls, how good, how many bad; of all endpoints or one. */
export function trendsPage({ query }: Route): Page {
  const span = spanPicker(query.get('from'));
  const endpoint = el('input', {
    name: 'endpoint',
    value: query.get('endpoint') ?? '',
    placeholder: 'PJSIP/alice or PJSIP/*',
    maxlength: 128,
    spellcheck: 'false',
  });
  const content = el('div');
  const course = el('div');
  const heat = el('div');
  let chart: TrendChart | undefined;

  const asked = (): URLSearchParams => {
    const name = endpoint.value.trim();
    return new URLSearchParams({ from: span.value, ...(name === '' ? {} : { endpoint: name }) });
  };
  const show = ({ buckets }: SummaryAnswer, before: SummaryAnswer, shiftMs: number): void => {
    chart?.stop();
    chart = undefined;
    const calls = buckets.reduce((sum, bucket) => sum + bucket.calls, 0);
    search.status.textContent = tn('{n} call', '{n} calls', calls);
    if (calls === 0) {
      content.replaceChildren(
        el('p', { class: 'empty' }, t('No call began in this time. Choose a longer one, or another endpoint.')),
      );
      return;
    }
    const isShort = ['-1h', '-24h'].includes(span.value);
    const earlier = new Map(before.buckets.map((bucket) => [Date.parse(bucket.starts_at) + shiftMs, bucket]));
    const values = el('p', { class: 'legend values-line', role: 'status' });
    chart = new TrendChart({
      buckets,
      earlier: buckets.map(({ starts_at: at }) => earlier.get(Date.parse(at))),
      timeWords: (atMs) => (isShort ? HOUR : DAY).format(atMs),
      onPoint: (index) => (values.textContent = pointWords(buckets[index], earlier)),
      onChoose: (index) => (location.hash = callsAddress(buckets, index, asked().get('endpoint'))),
    });
    const legend = el(
      'p',
      { class: 'legend' },
      lineSample(0),
      ` ${t('median; half of the calls lie in the dark band, nine of ten in the light one')} `,
      lineSample(1),
      ` ${t('5th percentile: of a hundred calls, five were at most this good')} `,
      lineSample(2),
      ` ${t('5th percentile before')}`,
    );
    content.replaceChildren(
      course,
      el('section', { class: 'panel' }, legend, values, chart.element),
      heat,
      bucketTable(buckets, asked().get('endpoint')),
    );
    chart.draw();
  };
  const showCourse = async (signal: AbortSignal): Promise<void> => {
    course.replaceChildren();
    const notice = await courseNotice(endpoint.value.trim(), span.value, signal);
    if (notice !== null && !signal.aborted) course.replaceChildren(notice);
  };
  /** Hours by days make a picture from two days on. */
  const showHeat = async (signal: AbortSignal): Promise<void> => {
    heat.replaceChildren();
    if (!['-7d', '-30d'].includes(span.value)) return;
    const parameters = asked();
    parameters.set('bucket', '1h');
    const { buckets } = await get<SummaryAnswer>(`/v1/summary?${parameters}`, signal);
    const toCalls = (bucket: BucketQuality): void => {
      location.hash = callsAddress(buckets, buckets.indexOf(bucket), asked().get('endpoint'));
    };
    if (!signal.aborted) heat.replaceChildren(heatMap(buckets, toCalls));
  };
  const search = new Search(content, async (signal) => {
    const parameters = asked();
    parameters.set('bucket', BUCKETS[span.value] ?? '1h');
    const { shiftMs, ...range } = spanBefore(span.value);
    const earlier = new URLSearchParams({ ...Object.fromEntries(parameters), ...range });
    const [now, before] = await Promise.all([
      get<SummaryAnswer>(`/v1/summary?${parameters}`, signal),
      get<SummaryAnswer>(`/v1/summary?${earlier}`, signal),
    ]);
    show(now, before, shiftMs);
    await Promise.all([showCourse(signal), showHeat(signal)]);
  });
  const form = el(
    'form',
    { class: 'filter panel' },
    el('label', {}, t('Calls that began in'), span),
    el('label', {}, t('Endpoint or trunk'), endpoint),
  );
  const change = (): void => {
    history.pushState({ seen: true }, '', `#/trends?${asked()}`);
    void search.run();
  };
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', change);
  void search.run();
  return {
    title: t('Trends'),
    element: el('section', {}, el('div', { class: 'head' }, el('h1', {}, t('Trends')), search.status), form, content),
    leave: () => {
      search.stop();
      chart?.stop();
    },
  };
}

/** The same in numbers, the newest first; each stretch leads to its calls. */
function bucketTable(buckets: readonly BucketQuality[], endpoint: string | null): HTMLElement {
  const rows = buckets.flatMap((bucket, index) => {
    if (bucket.calls === 0) return [];
    const bad = quantity(bucket.bad_percent, 1, '%');
    const cells = [
      String(bucket.calls),
      quantity(bucket.mes_median, 2),
      el('b', {}, quantity(bucket.mes_p5, 2)),
      quantity(bucket.mes_worst, 2),
      bucket.bad_calls === 0 ? '0' : el('span', { class: 'chip tone-bad' }, `✕ ${bucket.bad_calls} (${bad})`),
    ];
    const link = el('a', { href: `#${callsAddress(buckets, index, endpoint)}` }, foreign(moment(bucket.starts_at)));
    return [
      el(
        'tr',
        {},
        el('th', { scope: 'row' }, link),
        ...cells.map((cell, column) => el('td', { 'data-head': HEADS[column + 1] ?? '' }, cell)),
      ),
    ];
  });
  return el(
    'table',
    { class: 'list numbers-list' },
    el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...rows.toReversed()),
  );
}

/** The calls of a stretch. */
function callsAddress(buckets: readonly BucketQuality[], index: number, endpoint: string | null): string {
  const next = buckets[index + 1]?.starts_at;
  const query = new URLSearchParams({
    from: buckets[index]?.starts_at ?? '',
    ...(next === undefined ? {} : { to: next }),
    ...(endpoint === null ? {} : { endpoint }),
  });
  return `/calls?${query}`;
}

function pointWords(bucket: BucketQuality | undefined, earlier: ReadonlyMap<number, BucketQuality>): string {
  if (bucket === undefined) return '';
  const before = earlier.get(Date.parse(bucket.starts_at));
  const words = (one: BucketQuality): string =>
    `${tn('{n} call', '{n} calls', one.calls)}, ${t('median')} ${quantity(one.mes_median, 2)}, ${t('5th percentile')} ${quantity(one.mes_p5, 2)}, ${t('bad')} ${quantity(one.bad_percent, 1, '%')}`;
  const was = before === undefined ? '' : `; ${t('before')}: ${words(before)}`;
  return `${moment(bucket.starts_at)}: ${words(bucket)}${was}`;
}
