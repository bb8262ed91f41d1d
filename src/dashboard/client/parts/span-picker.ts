import { el } from './dom.ts';
import { t } from '../words/language.ts';

/** A span of time that ends now: its value for REST, and its name. */
export type Span = readonly [value: string, word: string];

export const SPANS = [
  ['-1h', t('the last hour')],
  ['-24h', t('the last 24 hours')],
  ['-7d', t('the last 7 days')],
  ['-30d', t('the last 30 days')],
] as const satisfies readonly Span[];

const WEEK_HOURS = 7 * 24;
const HOURS: Readonly<Record<string, number>> = { '-1h': 1, '-24h': 24, '-7d': WEEK_HOURS, '-30d': 30 * 24 };

/** The same span a week earlier (30 days: the 30 days before), as values for REST. */
export function spanBefore(span: string): { readonly from: string; readonly to: string; readonly shiftMs: number } {
  const hours = HOURS[span] ?? 24;
  const shift = Math.max(WEEK_HOURS, hours);
  return { from: `-${hours + shift}h`, to: `-${shift}h`, shiftMs: shift * 3_600_000 };
}

/** A choice of spans. An unknown one becomes 24 hours. */
export function spanPicker(wanted: string | null): HTMLSelectElement {
  const chosen = SPANS.some(([value]) => value === wanted) ? wanted : '-24h';
  return el(
    'select',
    { name: 'from' },
    ...SPANS.map(([value, word]) => el('option', { value, selected: value === chosen }, word)),
  );
}
