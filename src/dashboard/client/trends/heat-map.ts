import { el } from '../parts/dom.ts';
import type { BucketQuality } from '../rest/answers.ts';
import { LOCALE, t, tn } from '../words/language.ts';
import { quantity } from '../words/words.ts';

const HOURS = 24;
const DAY = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric', month: 'short' });
const STRETCH = new Intl.DateTimeFormat(LOCALE, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  hour: 'numeric',
  minute: '2-digit',
});
/** Shares of bad calls, percent, from which a cell has the next colour. */
const STEPS = [0.01, 3, 10, 25] as const;

/** Hours by days, in the viewer's zone: the darker, the more of its calls were bad. A cell leads to its calls. */
export function heatMap(buckets: readonly BucketQuality[], open: (bucket: BucketQuality) => void): HTMLElement {
  const days = new Map<string, Map<number, BucketQuality>>();
  for (const bucket of buckets) {
    const at = new Date(bucket.starts_at);
    const day = DAY.format(at);
    const hours = days.get(day) ?? new Map<number, BucketQuality>();
    // Where clocks are set back an hour comes twice: the worse one counts.
    const twin = hours.get(at.getHours());
    if (twin === undefined || (twin.bad_percent ?? -1) < (bucket.bad_percent ?? -1)) hours.set(at.getHours(), bucket);
    days.set(day, hours);
  }
  const rows = [...days].map(([day, hours]) =>
    el('tr', {}, el('th', { scope: 'row' }, day), ...Array.from({ length: HOURS }, (_, hour) => cell(hours.get(hour)))),
  );
  const said = el(
    'p',
    { class: 'legend values-line', role: 'status' },
    t('Point at an hour, or go there with the arrow keys; Enter shows its calls.'),
  );
  const table = el(
    'table',
    { class: 'heat', role: 'grid', 'aria-label': t('Share of bad calls by hour and day') },
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el('td', {}),
        ...Array.from({ length: HOURS }, (_, hour) =>
          el('th', { scope: 'col' }, el('span', { class: hour % 3 === 0 ? undefined : 'unseen' }, String(hour))),
        ),
      ),
    ),
    el('tbody', {}, ...rows),
  );
  const all = new Map(
    [...days.values()].flatMap((hours) => [...hours.values()]).map((bucket) => [bucket.starts_at, bucket]),
  );
  const bucketOf = (target: EventTarget | null): BucketQuality | undefined =>
    target instanceof Element ? all.get(target.closest('td')?.dataset['at'] ?? '') : undefined;
  const tell = (event: Event): void => {
    const bucket = bucketOf(event.target);
    if (bucket !== undefined) said.textContent = wordsOf(bucket);
  };
  table.addEventListener('mouseover', tell);
  table.addEventListener('focusin', tell);
  table.addEventListener('click', (event) => {
    const bucket = bucketOf(event.target);
    if (bucket !== undefined && bucket.calls > 0) open(bucket);
  });
  table.addEventListener('keydown', (event) => {
    const bucket = bucketOf(event.target);
    if (event.key === 'Enter' && bucket !== undefined && bucket.calls > 0) open(bucket);
    else if (step(event, table)) event.preventDefault();
  });
  table.querySelector('tbody td')?.setAttribute('tabindex', '0');
  return el(
    'section',
    { class: 'panel' },
    el('h2', {}, t('Bad calls by hour and day')),
    said,
    el('div', { class: 'scroll' }, table),
    legend(),
  );
}

function cell(bucket: BucketQuality | undefined): HTMLElement {
  if (bucket === undefined) return el('td', { role: 'gridcell', tabindex: -1 });
  return el('td', {
    role: 'gridcell',
    tabindex: -1,
    class: heatOf(bucket),
    'data-at': bucket.starts_at,
    'aria-label': wordsOf(bucket),
  });
}

function heatOf({ calls, bad_percent: percent }: BucketQuality): string {
  if (calls === 0) return 'heat-none';
  return `heat-${percent === null ? 'unknown' : STEPS.filter((least) => percent >= least).length}`;
}

function wordsOf(bucket: BucketQuality): string {
  const when = STRETCH.format(new Date(bucket.starts_at));
  if (bucket.calls === 0) return `${when}: ${t('no call')}`;
  return `${when}: ${tn('{n} call', '{n} calls', bucket.calls)}, ${t('bad')} ${quantity(bucket.bad_percent, 1, '%')}, ${t('5th percentile')} ${quantity(bucket.mes_p5, 2)}`;
}

/** The arrow keys go from cell to cell. */
function step({ key, target }: KeyboardEvent, table: HTMLElement): boolean {
  const at = target instanceof HTMLTableCellElement ? target : null;
  const row = at?.parentElement;
  if (at === null || !(row instanceof HTMLTableRowElement)) return false;
  const [across = 0, down = 0] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
    key
  ] ?? [0, 0];
  if (across === 0 && down === 0) return false;
  const rows = [...table.querySelectorAll<HTMLTableRowElement>('tbody tr')];
  const next = rows[rows.indexOf(row) + down]?.cells[at.cellIndex + across];
  if (!(next instanceof HTMLTableCellElement) || next.tagName !== 'TD') return false;
  at.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
  return true;
}

function legend(): HTMLElement {
  const words = [
    t('none bad'),
    t('some'),
    t('{n} % and more', { n: 3 }),
    t('{n} % and more', { n: 10 }),
    t('{n} % and more', { n: 25 }),
  ];
  return el(
    'p',
    { class: 'legend heat-legend' },
    ...words.flatMap((word, index) => [
      el('span', { class: `heat-sample heat-${index}`, 'aria-hidden': 'true' }),
      ` ${word} `,
    ]),
  );
}
