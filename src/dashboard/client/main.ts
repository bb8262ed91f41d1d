import { countAlerts } from './alerts/alert-count.ts';
import { el } from './parts/dom.ts';
import { chooseLanguage, LANGUAGE, LANGUAGES, t } from './words/language.ts';
import { alertsPage } from './alerts/page-alerts.ts';
import { callPage } from './call/page-call.ts';
import { callsPage } from './calls/page-calls.ts';
import { askForm } from './calls/ask.ts';
import { comparePage } from './compare/page-compare.ts';
import { pbxsPage } from './fleet/page-pbxs.ts';
import { chooseScope, IS_FLEET, scopeToPage } from './fleet/scope.ts';
import { scopePicker, shardsNotice } from './fleet/scope-picker.ts';
import { endpointsPage } from './endpoints/page-endpoints.ts';
import { measurementsPage } from './measurements/page-measurements.ts';
import { nowPage } from './now/page-now.ts';
import { ratingsPage } from './ratings/page-ratings.ts';
import { trendsPage } from './trends/page-trends.ts';
import { arrive } from './parts/list-memory.ts';
import { hasToken, storeToken, TOKEN_NEEDED } from './rest/rest.ts';
import { type Page, parseRoute, type Route } from './rest/route.ts';

/** All pages. Those with a word are in the bar, in this order. */
const PAGES_OF_ONE: readonly { name: string; word?: string; open: (route: Route) => Page }[] = [
  { name: '', word: t('Now'), open: () => nowPage() },
  { name: 'calls', word: t('Calls'), open: callsPage },
  { name: 'endpoints', word: t('Endpoints'), open: endpointsPage },
  { name: 'trends', word: t('Trends'), open: trendsPage },
  { name: 'ratings', word: t('Ratings'), open: ratingsPage },
  { name: 'alerts', word: t('Alerts'), open: alertsPage },
  { name: 'measurements', word: t('Measurements'), open: () => measurementsPage() },
  { name: 'call', open: callPage },
  { name: 'compare', open: comparePage },
];
/** Pages that the fleet's store can fill. */
const OF_FLEETS: readonly string[] = ['calls', 'endpoints', 'trends', 'alerts', 'call'];
const PAGES: typeof PAGES_OF_ONE = IS_FLEET
  ? [
      { name: '', word: t('PBXs'), open: () => pbxsPage() },
      { name: 'now', word: t('Now'), open: () => nowPage() },
      ...PAGES_OF_ONE.filter(({ name }) => OF_FLEETS.includes(name)),
    ]
  : PAGES_OF_ONE;

const place = document.querySelector('#page') as HTMLElement;
const bar = document.querySelector('nav') as HTMLElement;
const dialog = document.querySelector('#token') as HTMLDialogElement;
let page: Page | undefined;
const picker = IS_FLEET ? scopePicker(open) : undefined;

function open(): void {
  const route = inFleet(parseRoute(location.hash));
  page?.leave();
  const known = PAGES.find(({ name }) => name === route.name);
  page = known?.open(route) ?? lost();
  document.title = `${page.title} · asterisk-mes`;
  place.replaceChildren(page.element);
  for (const link of bar.querySelectorAll('a')) {
    if (link.dataset['page'] === route.name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** A link to calls of one PBX or site chooses it for all pages; a call's own address says whose it is. */
function inFleet(route: Route): Route {
  const pbx = IS_FLEET ? route.query.get('pbx') : null;
  const site = IS_FLEET ? route.query.get('site') : null;
  scopeToPage(route.name === 'call' ? pbx : null);
  if ((pbx === null && site === null) || route.name === 'call') return route;
  chooseScope(`${new URLSearchParams(pbx === null ? { site: site ?? '' } : { pbx })}`);
  picker?.refresh();
  route.query.delete('pbx');
  route.query.delete('site');
  history.replaceState(null, '', `#/${route.name}?${route.query}`);
  return route;
}

function lost(): Page {
  const element = el(
    'p',
    { class: 'empty' },
    `${t('There is no such page.')} `,
    el('a', { href: '#/' }, IS_FLEET ? t('PBXs') : t('See the live calls')),
  );
  return { title: t('Not found'), element, leave: () => {} };
}

function askToken(): void {
  if (dialog.open) return;
  (dialog.querySelector('.wrong') as HTMLElement).hidden = !hasToken();
  dialog.showModal();
}

/** Translates the words of the page itself, and adds the choice of language. */
function speak(): void {
  document.documentElement.lang = LANGUAGE;
  bar.setAttribute('aria-label', t('Pages'));
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = t(element.textContent ?? '');
  const button = document.querySelector('#language') as HTMLButtonElement;
  const other = LANGUAGES.find((language) => language !== LANGUAGE);
  if (other === undefined) return;
  button.textContent = new Intl.DisplayNames(other, { type: 'language' }).of(other) ?? other;
  button.lang = other;
  button.hidden = false;
  button.addEventListener('click', () => {
    chooseLanguage(other);
    location.reload();
  });
}

speak();
bar.after(askForm());
bar.append(
  ...PAGES.flatMap(({ name, word }) =>
    word === undefined ? [] : [el('a', { href: `#/${name}`, 'data-page': name }, word)],
  ),
);
window.addEventListener(TOKEN_NEEDED, askToken);
countAlerts(bar.querySelector('[data-page=alerts]') as HTMLElement);
if (picker !== undefined) {
  bar.after(picker.element);
  place.before(shardsNotice());
  const words = dialog.querySelector('p');
  if (words !== null) words.textContent = t('It is token in [http] of fleet.conf, or a reader’s own.');
}
window.addEventListener('hashchange', () => {
  arrive();
  open();
  window.scrollTo(0, 0);
  place.focus({ preventScroll: true });
});
dialog.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  const input = dialog.querySelector('input') as HTMLInputElement;
  storeToken(input.value);
  input.value = '';
  dialog.close();
  picker?.load();
  open();
});
// Pages load after their address changes, so the browser would scroll too early.
history.scrollRestoration = 'manual';
arrive();
open();
