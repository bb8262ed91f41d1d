import type { Alert, AlertRule, AlertsAnswer, AlertSubject } from '../rest/alert-answers.ts';
import { el, foreign } from '../parts/dom.ts';
import { t, tn } from '../words/language.ts';
import { errorNotice } from '../parts/notice.ts';
import { get } from '../rest/rest.ts';
import { callAddress, type Page, type Route } from '../rest/route.ts';
import { spanPicker } from '../parts/span-picker.ts';
import { fullMoment, moment, placeWords, quantity } from '../words/words.ts';

const EVERY_MS = 10_000;
const MOST_SHOWN = 500;
/** Calls of an alert that are shown at once; more on a click. */
const CALLS_AT_ONCE = 6;

const HEADS = [t('Ended at'), t('Alert'), t('Since'), t('At its worst'), t('Calls'), t('Fault')] as const;
const RULE_HEADS = [
  t('Rule'),
  t('Of the last'),
  t('For whom'),
  t('From calls'),
  t('Raised at'),
  t('Over at'),
  t('Sent'),
] as const;

/** Of what a rule watches; null: it counts calls. */
const UNITS: Readonly<Record<AlertSubject, string | null>> = {
  'bad-live': null,
  'bad-calls': '%',
  p5: '',
  'one-way': '%',
  loss: '%',
  jitter: 'ms',
  rtt: 'ms',
  'no-reports': '%',
  gone: null,
  unreachable: null,
  ami: 's',
  silent: 's',
  problem: 's',
};

/** The page of alerts: open ones with their calls, ended ones, and the rules. */
export function alertsPage({ query }: Route): Page {
  let search = new AbortController();
  const span = spanPicker(query.get('from'));
  const status = el('p', { class: 'status', role: 'status' }, t('Loading …'));
  const active = el('div', { class: 'alerts' });
  const over = el('div');
  const rules = el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Rules') });

  const show = ({ alerts, rules: known }: AlertsAnswer): void => {
    const goOn = alerts.filter((alert) => alert.status === 'active');
    const past = alerts.filter((alert) => alert.status === 'over');
    status.textContent = tn('{n} alert goes on', '{n} alerts go on', goOn.length);
    status.dataset['state'] = goOn.length > 0 ? 'cut' : 'live';
    const sent = new Set(known.filter(({ send }) => send).map(({ name }) => name));
    active.replaceChildren(
      ...(goOn.length === 0
        ? [el('p', { class: 'empty' }, t('Nothing is wrong now, as far as the rules look.'))]
        : goOn.map((alert) => alertCard(alert, sent.has(alert.rule)))),
    );
    over.replaceChildren(
      past.length === 0
        ? el('p', { class: 'empty' }, t('No alert ended in this time.'))
        : el(
            'table',
            { class: 'list alerts-list' },
            el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col' }, head)))),
            el('tbody', {}, ...past.map(overRow)),
          ),
    );
    rules.replaceChildren(
      el(
        'table',
        { class: 'list alerts-list' },
        el('thead', {}, el('tr', {}, ...RULE_HEADS.map((head) => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, ...known.map(ruleRow)),
      ),
    );
  };
  const load = async (): Promise<void> => {
    search.abort();
    search = new AbortController();
    const { signal } = search;
    try {
      const wanted = new URLSearchParams({ from: span.value, limit: String(MOST_SHOWN) });
      show(await get<AlertsAnswer>(`/v1/alerts?${wanted}`, signal));
    } catch (error) {
      if (signal.aborted) return;
      // The shown alerts may be over by now: better show nothing.
      status.textContent = '';
      over.replaceChildren();
      active.replaceChildren(errorNotice(error, () => void load()));
    }
  };
  span.addEventListener('change', () => {
    history.pushState(null, '', `#/alerts?${new URLSearchParams({ from: span.value })}`);
    void load();
  });
  const timer = setInterval(() => void load(), EVERY_MS);
  void load();
  return {
    title: t('Alerts'),
    element: el(
      'section',
      {},
      el('div', { class: 'head' }, el('h1', {}, t('Alerts')), status),
      active,
      el('div', { class: 'head over-head' }, el('h2', {}, t('Over')), el('label', {}, t('Since'), span)),
      over,
      el('details', { class: 'meta' }, el('summary', {}, t('Rules')), rules),
    ),
    leave: () => {
      clearInterval(timer);
      search.abort();
    },
  };
}

function nameOf({ rule, endpoint, site, pbx }: Alert): (string | HTMLElement)[] {
  const where = [endpoint ?? site, pbx].filter((name) => typeof name === 'string');
  return [foreign(rule), ...where.flatMap((name) => [` · `, foreign(name)])];
}

function time(iso: string): HTMLElement {
  return el('time', { datetime: iso, title: fullMoment(iso) }, moment(iso));
}

function alertCard(alert: Alert, isSent: boolean): HTMLElement {
  const { sentence, since, place, told_at: toldAt, calls } = alert;
  const told = toldAt === null ? (isSent ? t('not yet sent') : t('shown only, not sent')) : t('sent at');
  return el(
    'article',
    { class: 'call tone-bad' },
    el('header', {}, el('h2', {}, ...nameOf(alert)), el('span', { class: 'length' }, `${t('Since')} `, time(since))),
    el('p', { class: 'lead' }, `✕ `, foreign(sentence)),
    el(
      'p',
      { class: 'meta' },
      [placeWords(place), told].filter((text) => text !== '').join(' · '),
      ...(toldAt === null ? [] : [' ', time(toldAt)]),
    ),
    calls === 0 ? null : callLinks(alert),
  );
}

/** Links to the calls of an alert. */
function callLinks({ linkedids, calls, pbx }: Alert): HTMLElement {
  const link = (linkedid: string): HTMLElement => el('a', { href: callAddress(linkedid, pbx) }, foreign(linkedid));
  const separated = (ids: readonly string[]): (string | HTMLElement)[] =>
    ids.flatMap((linkedid, index) => (index === 0 ? [link(linkedid)] : [', ', link(linkedid)]));
  const rest = linkedids.slice(CALLS_AT_ONCE);
  const unnamed = calls - linkedids.length;
  return el(
    'div',
    { class: 'alert-calls' },
    `${tn('{n} call', '{n} calls', calls)}: `,
    ...separated(linkedids.slice(0, CALLS_AT_ONCE)),
    rest.length === 0
      ? null
      : el('details', {}, el('summary', {}, tn('{n} more', '{n} more', rest.length)), ...separated(rest)),
    unnamed > 0 ? el('p', { class: 'meta' }, t('and {n} more that are not kept one by one', { n: unnamed })) : null,
  );
}

function overRow(alert: Alert): HTMLElement {
  const { over_at: overAt, since, worst, linkedids, calls, place } = alert;
  const cells = [
    overAt === null ? '' : time(overAt),
    el('span', {}, ...nameOf(alert)),
    time(since),
    valueWords(alert.what, worst),
    linkedids.length === 0 ? String(calls) : callLinks(alert),
    placeWords(place),
  ];
  return el('tr', { class: 'tone-unknown' }, ...cells.map((cell, index) => cellOf(cell, HEADS[index])));
}

function ruleRow(rule: AlertRule): HTMLElement {
  const minutes = Math.round((rule.over_s / 60) * 10) / 10;
  const cells = [
    foreign(rule.name),
    rule.over_s < 60 ? `${rule.over_s} s` : `${minutes} min`,
    foreign(rule.endpoints.join(', ')),
    String(rule.calls),
    valueWords(rule.what, rule.raise),
    valueWords(rule.what, rule.clear),
    rule.send ? t('yes') : t('no'),
  ];
  return el(
    'tr',
    { class: rule.send ? 'tone-good' : 'tone-unknown' },
    ...cells.map((cell, index) => cellOf(cell, RULE_HEADS[index])),
  );
}

/** A value of a rule with its unit; scores and counts have none. */
function valueWords(what: AlertSubject, value: number): string {
  const unit = UNITS[what];
  const decimals = what === 'p5' ? 2 : 1;
  return quantity(value, unit === null && Number.isInteger(value) ? 0 : decimals, unit ?? '');
}

function cellOf(content: string | HTMLElement, head = ''): HTMLElement {
  return el('td', { 'data-head': head }, content);
}
