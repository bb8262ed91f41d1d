import { el, foreign } from '../parts/dom.ts';
import type { EndpointsAnswer } from '../rest/answers.ts';
import { get } from '../rest/rest.ts';
import { t } from '../words/language.ts';
import { quantity } from '../words/words.ts';

/** The span and the one of the same length before it, with a stretch that parts both into whole ones. */
const DOUBLE: Readonly<Record<string, readonly [from: string, bucket: string, words: string]>> = {
  '-1h': ['-2h', '5m', t('the last hour against the hour before')],
  '-24h': ['-48h', '1h', t('the last 24 hours against the 24 before')],
  '-7d': ['-14d', '6h', t('the last 7 days against the 7 before')],
  '-30d': ['-60d', '1d', t('the last 30 days against the 30 before')],
};
const WORDS = {
  better: ['↗', (who: string) => t('{who} is better:', { who }), 'good'],
  worse: ['↘', (who: string) => t('{who} is worse:', { who }), 'bad'],
  steady: ['→', (who: string) => t('{who} is as before:', { who }), 'unknown'],
} as const;

/** Whether an endpoint got worse, as a sentence with its figures; null where that cannot be said of it. */
export async function courseNotice(endpoint: string, span: string, signal: AbortSignal): Promise<HTMLElement | null> {
  const [from, bucket, words] = DOUBLE[span] ?? [];
  if (from === undefined || bucket === undefined || endpoint.endsWith('*') || endpoint === '') return null;
  const query = new URLSearchParams({ endpoint, from, bucket });
  const { endpoints } = await get<EndpointsAnswer>(`/v1/endpoints?${query}`, signal);
  const trend = endpoints[0]?.trend;
  if (trend === undefined) return null;
  const figures = [
    `${t('bad calls')} ${quantity(trend.earlier.bad_percent, 1, '%')} → ${quantity(trend.later.bad_percent, 1, '%')}`,
    `${t('5th percentile')} ${quantity(trend.earlier.mes_p5, 2)} → ${quantity(trend.later.mes_p5, 2)}`,
    `${t('calls')} ${trend.earlier.calls} → ${trend.later.calls}`,
  ].join(', ');
  if (trend.course === null) {
    return el(
      'p',
      { class: 'notice tone-unknown' },
      `… ${t('Too few calls to say whether it got worse:')} ${words}: ${figures}.`,
    );
  }
  const [sign, sentence, tone] = WORDS[trend.course];
  return el(
    'p',
    { class: `notice tone-${tone}` },
    `${sign} `,
    el('b', {}, foreign(sentence(endpoint))),
    ` ${words}: ${figures}.`,
  );
}
