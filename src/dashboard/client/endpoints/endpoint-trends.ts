import type { EndpointsAnswer, EndpointTrend, Quality } from '../rest/answers.ts';
import { el } from '../parts/dom.ts';
import { t, tn } from '../words/language.ts';
import { get } from '../rest/rest.ts';
import { sparkline } from '../parts/sparkline.ts';
import { quantity } from '../words/words.ts';

/** Bound on the endpoints of one request. */
const AT_ONCE = 25;
/** A trend is fetched when its row is this near to the screen. */
const NEAR = '600px';

/** Length of a trend's buckets by span, so that a line has 12 to 31, and their name. */
const STRETCHES: Readonly<Record<string, readonly [value: string, word: string]>> = {
  '-1h': ['5m', t('5 minutes')],
  '-24h': ['1h', t('hour')],
  '-7d': ['6h', t('6 hours')],
  '-30d': ['1d', t('day')],
};
const DAILY = ['1d', t('day')] as const;

/** Colour, sign and word of each course. */
const COURSES = {
  better: ['↗', t('better'), 'good'],
  worse: ['↘', t('worse'), 'bad'],
  steady: ['→', t('steady'), 'unknown'],
} as const;
const NOT_KNOWN = ['…', t('too few calls'), 'unknown'] as const;

/** Explains to people what the sidecar's `courseOf` does. */
export const TREND_HELP = [
  t('The line is the 5th percentile over this time, with a gap where nobody called.'),
  t('The word compares the later half of the time with the earlier.'),
  t(
    'Worse: the share of bad calls rose by a percentage point or more, or the 5th percentile fell by 0.1 or more, and chance does not explain it.',
  ),
  t('Better: one of them did the opposite, and neither got worse.'),
  t('With fewer than 20 calls in a half there is nothing to tell.'),
].join(' ');

/** Shows trends of endpoints, a few at a time, as their rows come near the screen. */
export class EndpointTrends {
  readonly #from: string;
  readonly #signal: AbortSignal;
  readonly #failed: (error: unknown, retry: () => void) => void;
  readonly #cells = new Map<Element, string>();
  readonly #waiting = new Map<string, Element>();
  readonly #seen: IntersectionObserver;
  #isLoading = false;

  /** `from`: the span as REST takes it. Stops with `signal`; calls `failed` with what went wrong. */
  constructor(from: string, signal: AbortSignal, failed: (error: unknown, retry: () => void) => void) {
    this.#from = from;
    this.#signal = signal;
    this.#failed = failed;
    this.#seen = new IntersectionObserver((entries) => this.#near(entries), { rootMargin: NEAR });
    signal.addEventListener('abort', () => this.#seen.disconnect());
  }

  /** The link to an endpoint's trends, in which its sparkline will appear. With `pbx` there is no sparkline. */
  place(endpoint: string, pbx?: string): HTMLElement {
    const whose = pbx === undefined ? {} : { pbx };
    const link = el(
      'a',
      { href: `#/trends?${new URLSearchParams({ from: this.#from, endpoint, ...whose })}` },
      t('trend'),
    );
    if (pbx !== undefined) return link;
    this.#cells.set(link, endpoint);
    this.#seen.observe(link);
    return link;
  }

  #near(entries: readonly IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries) {
      const endpoint = this.#cells.get(target);
      if (!isIntersecting || endpoint === undefined) continue;
      this.#seen.unobserve(target);
      this.#waiting.set(endpoint, target);
    }
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      while (this.#waiting.size > 0) await this.#loadSome([...this.#waiting].slice(0, AT_ONCE));
      this.#isLoading = false;
    } catch (error) {
      if (this.#signal.aborted) return;
      // Rows that come near meanwhile wait for the retry.
      this.#failed(error, () => {
        this.#isLoading = false;
        void this.#load();
      });
    }
  }

  async #loadSome(wanted: readonly (readonly [endpoint: string, place: Element])[]): Promise<void> {
    const [bucket, word] = STRETCHES[this.#from] ?? DAILY;
    const query = new URLSearchParams({ from: this.#from, bucket });
    for (const [endpoint] of wanted) query.append('endpoint', endpoint);
    const { endpoints } = await get<EndpointsAnswer>(`/v1/endpoints?${query}`, this.#signal);
    const trends = new Map(endpoints.map(({ endpoint, trend }) => [endpoint, trend]));
    for (const [endpoint, place] of wanted) {
      showTrend(place, trends.get(endpoint), word);
      this.#waiting.delete(endpoint);
    }
  }
}

/** Draws a trend; undefined: its calls have left the range meanwhile. */
function showTrend(place: Element, trend: EndpointTrend | undefined, stretch: string): void {
  const course = trend?.course ?? null;
  const [sign, word, tone] = course === null ? NOT_KNOWN : COURSES[course];
  place.className = `trend tone-${tone}`;
  if (trend !== undefined)
    place.setAttribute(
      'title',
      `${halfWords(t('Earlier half'), trend.earlier)} ${halfWords(t('Later half'), trend.later)}`,
    );
  const scores = trend?.buckets.map(({ mes_p5: p5 }) => p5) ?? [];
  place.replaceChildren(
    sparkline(scores, t('5th percentile by {stretch}', { stretch })),
    el(
      'span',
      { class: `chip tone-${tone}${course === null ? ' faint' : ''}` },
      el('span', { 'aria-hidden': 'true' }, sign),
      ` ${word}`,
    ),
  );
}

function halfWords(name: string, { calls, bad_percent: bad, mes_p5: p5 }: Quality): string {
  return `${name}: ${tn('{n} call', '{n} calls', calls)}, ${t('bad')} ${quantity(bad, 1, '%')}, ${t('5th percentile')} ${quantity(p5, 2)}.`;
}
