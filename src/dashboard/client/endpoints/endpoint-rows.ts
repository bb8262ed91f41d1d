import { el, foreign } from '../parts/dom.ts';
import type { LegsQuality } from '../rest/answers.ts';
import { t, tn } from '../words/language.ts';
import { quantity } from '../words/words.ts';
import type { EndpointTrends } from './endpoint-trends.ts';
import { pinned, togglePin } from './pins.ts';

/** The calls of an endpoint, device, site or codec. */
export interface Part extends LegsQuality {
  readonly name: string;
  /** The PBX, on a fleet. */
  readonly pbx?: string | undefined;
}

/** The key of a row. Two PBXs may have endpoints of the same name. */
export function keyOf({ name, pbx = '' }: Part): string {
  return `${pbx} ${name}`;
}

export type Parts = ReadonlyMap<string, Part>;

const HEADS = [
  t('Name'),
  t('5th percentile'),
  t('Before'),
  t('Median'),
  t('Worst'),
  t('Calls'),
  t('Own faults'),
  t('Bad calls'),
  t('Loss, %'),
  t('Jitter, ms'),
  t('RTT, ms'),
] as const;

/** `withTrend`: only endpoints have one. */
export function headsOf(withTrend: boolean): readonly string[] {
  return withTrend ? [...HEADS, t('Trend')] : HEADS;
}

export function partRow(
  part: Part,
  {
    kind,
    before,
    from,
    trends,
    onPin,
  }: {
    /** The filter of calls that selects it. */
    readonly kind: string;
    readonly before: Part | undefined;
    readonly from: string;
    readonly trends: EndpointTrends;
    readonly onPin: () => void;
  },
): HTMLElement {
  const { name, pbx } = part;
  const whose = pbx === undefined ? {} : { pbx };
  const isEndpoint = kind === 'endpoint';
  const bad = `${part.bad_calls}${part.bad_percent === null ? '' : ` (${quantity(part.bad_percent, 1, '%')})`}`;
  const cells = [
    el('b', {}, quantity(part.mes_p5, 2)),
    el('span', { title: beforeWords(before) }, quantity(before?.mes_p5, 2)),
    quantity(part.mes_median, 2),
    quantity(part.mes_worst, 2),
    String(part.calls),
    part.own_fault_calls === 0 ? '0' : el('span', { class: 'chip tone-bad' }, `▲ ${part.own_fault_calls}`),
    part.bad_calls === 0 ? '0' : el('span', { class: 'chip tone-bad' }, `✕ ${bad}`),
    quantity(part.loss_percent, 2),
    quantity(part.jitter_mean_ms, 1),
    quantity(part.rtt_mean_ms, 0),
    ...(isEndpoint ? [trends.place(name, pbx)] : []),
  ];
  const heads = headsOf(isEndpoint);
  return el(
    'tr',
    {},
    el(
      'th',
      { scope: 'row' },
      isEndpoint ? pinButton(name, onPin) : null,
      ...(pbx === undefined ? [] : [el('span', { class: 'of-pbx' }, foreign(pbx), ' ')]),
      el('a', { href: `#/calls?${new URLSearchParams({ from, [kind]: name, ...whose })}` }, foreign(name)),
    ),
    ...cells.map((content, index) => el('td', { 'data-head': heads[index + 1] ?? '' }, content)),
  );
}

function pinButton(name: string, onPin: () => void): HTMLElement {
  const isPinned = pinned().has(name);
  const button = el(
    'button',
    { type: 'button', class: 'quiet pin', 'aria-pressed': String(isPinned), 'aria-label': t('Pin {name}', { name }) },
    isPinned ? '★' : '☆',
  );
  button.addEventListener('click', () => {
    togglePin(name);
    onPin();
  });
  return button;
}

function beforeWords(before: Part | undefined): string {
  if (before === undefined) return t('no call in the same time a week before');
  return `${tn('{n} call', '{n} calls', before.calls)}, ${t('bad')} ${quantity(before.bad_percent, 1, '%')}`;
}
