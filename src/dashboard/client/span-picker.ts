import { el } from './dom.ts';

/** A stretch of time that ends now, as REST takes it, and what people call it. */
export type Span = readonly [value: string, word: string];

export const SPANS = [
  ['-1h', 'the last hour'],
  ['-24h', 'the last 24 hours'],
  ['-7d', 'the last 7 days'],
  ['-30d', 'the last 30 days'],
] as const satisfies readonly Span[];

/** A choice of spans; one that is not offered is the 24 hours. */
export function spanPicker(wanted: string | null): HTMLSelectElement {
  const chosen = SPANS.some(([value]) => value === wanted) ? wanted : '-24h';
  return el(
    'select',
    { name: 'from' },
    ...SPANS.map(([value, word]) => el('option', { value, selected: value === chosen }, word)),
  );
}
