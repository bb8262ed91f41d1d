import { t } from '../words/language.ts';
import type { Span } from './span-picker.ts';

/** Spans that begin at midnight in the viewer's time zone. REST does not know them. */
export const DAY_SPANS: readonly Span[] = [
  ['today', t('today')],
  ['yesterday', t('yesterday')],
  ['this-week', t('this week')],
  ['last-week', t('last week')],
];

/** The midnight `days` after that of `now` in the viewer's time zone. A day may have 23 or 25 hours. */
function midnight(now: Date, days: number): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).toISOString();
}

/** Day of the week; Monday is 0. */
function weekday(now: Date): number {
  return (now.getDay() + 6) % 7;
}

/** Beginning and end of a span of days, ISO 8601; undefined for any other text. */
export function momentsOf(span: string, now = new Date()): { readonly from: string; readonly to?: string } | undefined {
  const monday = -weekday(now);
  switch (span) {
    case 'today':
      return { from: midnight(now, 0) };
    case 'yesterday':
      return { from: midnight(now, -1), to: midnight(now, 0) };
    case 'this-week':
      return { from: midnight(now, monday) };
    case 'last-week':
      return { from: midnight(now, monday - 7), to: midnight(now, monday) };
    default:
      return undefined;
  }
}
