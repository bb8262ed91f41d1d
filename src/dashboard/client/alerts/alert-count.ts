import type { AlertsAnswer } from '../rest/alert-answers.ts';
import { el } from '../parts/dom.ts';
import { tn } from '../words/language.ts';
import { get } from '../rest/rest.ts';

const EVERY_MS = 30_000;

/** Shows in the bar of every page how many alerts are open. */
export function countAlerts(link: HTMLElement): void {
  const count = el('span', { class: 'chip tone-bad alert-count', hidden: true });
  link.append(count);
  const look = async (): Promise<void> => {
    try {
      const { alerts } = await get<AlertsAnswer>('/v1/alerts?status=active&limit=1000');
      count.hidden = alerts.length === 0;
      count.textContent = alerts.length === 0 ? '' : String(alerts.length);
      count.title = tn('{n} alert goes on', '{n} alerts go on', alerts.length);
    } catch {
      // The page shows the problem. An old number would be worse than none.
      count.hidden = true;
    }
  };
  setInterval(() => void look(), EVERY_MS);
  void look();
}
