import { el, foreign } from '../parts/dom.ts';
import { Search } from '../parts/search.ts';
import { spanPicker } from '../parts/span-picker.ts';
import { verdictChip } from '../parts/verdict-chip.ts';
import type { NamedMean, RatedCase, RatingSummary } from '../rest/rating-answers.ts';
import { get } from '../rest/rest.ts';
import { callAddress, type Page, type Route } from '../rest/route.ts';
import { t } from '../words/language.ts';
import { fullMoment, moment, quantity, shortEndpoint } from '../words/words.ts';
import { complaintOf, issueWords, ratingChip } from './rating-words.ts';

const USUAL_SPAN = '-30d';
const HELP = t(
  'Mean and complaints (1 and 2 of 5) are of all calls: they count those whom we asked, each by the number of calls that it stands for, since poor calls are asked about more often. Who called by themselves to complain is in the last column only, and who was asked and did not answer in none.',
);

const CASE_HEADS = [t('Began'), t('Who'), t('Said'), t('What'), t('Measured')] as const;
const GROUP_HEADS = [t('Mean'), t('Complaints'), t('Asked for'), t('Unasked'), t('Their mean')] as const;

/** The page of ratings: whether scores deserve trust, and what no score shows. */
export function ratingsPage({ query }: Route): Page {
  const span = spanPicker(query.get('from') ?? USUAL_SPAN);
  const content = el('div');
  const search = new Search(content, async (signal) => {
    const from = span.value;
    const summary = await get<RatingSummary>(`/v1/ratings/summary?${new URLSearchParams({ from })}`, signal);
    const { people_asked: asked, people_answered: answered } = summary;
    search.status.textContent =
      asked === 0 ? t('nobody was asked') : t('{answered} of {asked} who were asked answered', { answered, asked });
    content.replaceChildren(...contentOf(summary, from));
  });
  const form = el(
    'form',
    { class: 'filter panel', role: 'search', 'aria-label': t('Ratings') },
    el('label', {}, t('Said in'), span),
  );
  form.addEventListener('submit', (event) => event.preventDefault());
  span.addEventListener('change', () => {
    history.pushState(null, '', `#/ratings?${new URLSearchParams({ from: span.value })}`);
    void search.run();
  });
  void search.run();
  return {
    title: t('Ratings'),
    element: el('section', {}, el('div', { class: 'head' }, el('h1', {}, t('Ratings')), search.status), form, content),
    leave: () => search.stop(),
  };
}

function contentOf(summary: RatingSummary, from: string): readonly HTMLElement[] {
  const { all, said_bad_measured_good: saidBad, measured_bad_said_good: saidGood } = summary;
  if (all.ratings === 0) return [el('p', { class: 'empty' }, nothingWords(summary.people_asked))];
  return [
    figures(summary, from),
    el('details', { class: 'meta' }, el('summary', {}, t('What these figures count')), el('p', {}, HELP)),
    el('h2', {}, t('Said bad, measured good')),
    el('p', { class: 'meta' }, t('Echo, level and noise come first: no statistic of the network shows them.')),
    casesTable(saidBad, t('Said bad, measured good')),
    el('h2', {}, t('Measured bad, said good')),
    el('p', { class: 'meta' }, t('If there are many, the profile judges harder than people do.')),
    casesTable(saidGood, t('Measured bad, said good')),
    ...groupTable(t('Who rated'), summary.by_endpoint, (endpoint) => ({ endpoint }), from),
    ...groupTable(t('Other side, such as a trunk'), summary.by_other_side, (endpoint) => ({ endpoint }), from),
    ...groupTable(t('Codec that they heard'), summary.by_codec, (codec) => ({ codec }), from),
  ];
}

function nothingWords(asked: number): string {
  if (asked > 0) return t('Nobody who was asked answered in this time.');
  return t('Nobody rated a call in this time. With enabled = yes in [ratings] of mes.conf people are asked.');
}

/** The figures of all ratings, and the named issues. */
function figures({ all, issues }: RatingSummary, from: string): HTMLElement {
  const figure = (value: string, words: string): HTMLElement =>
    el('div', { class: 'figure' }, el('b', {}, value), el('span', {}, words));
  return el(
    'div',
    { class: 'panel figures' },
    figure(quantity(all.mean_score, 2), t('mean of all calls, 1-5')),
    figure(quantity(all.complaints_percent, 1, '%'), t('of all calls get a complaint')),
    figure(quantity(all.mean_score_unasked, 2), t('mean of those who came by themselves')),
    figure(String(all.ratings), t('ratings, {n} of them asked for', { n: all.asked })),
    issues.length === 0
      ? null
      : el(
          'ul',
          { class: 'issues', 'aria-label': t('What was wrong') },
          ...issues.map(({ issue, ratings }) =>
            el(
              'li',
              {},
              el('a', { href: `#/calls?${new URLSearchParams({ from, issue })}` }, issueWords(issue)),
              ` ${ratings}`,
            ),
          ),
        ),
  );
}

function casesTable(cases: readonly RatedCase[], name: string): HTMLElement {
  if (cases.length === 0) return el('p', { class: 'empty' }, t('None in this time.'));
  return el(
    'table',
    { class: 'list cases-list', 'aria-label': name },
    el('thead', {}, el('tr', {}, ...CASE_HEADS.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...cases.map(caseRow)),
  );
}

function caseRow({ rating, started_at: at, mes, verdict, endpoints }: RatedCase): HTMLElement {
  const who = endpoints.length === 0 ? rating.linkedid : endpoints.map(shortEndpoint).join(' ↔ ');
  const cells: readonly (string | HTMLElement)[] = [
    el('time', { datetime: at, title: fullMoment(at) }, moment(at)),
    el('a', { href: callAddress(rating.linkedid) }, foreign(who)),
    ratingChip(rating.score),
    complaintOf(rating),
    el('span', {}, quantity(mes, 2), ' ', verdictChip(verdict)),
  ];
  return el(
    'tr',
    { class: rating.score <= 2 ? 'tone-bad' : 'tone-good' },
    ...cells.map((cell, index) => el('td', { 'data-head': CASE_HEADS[index] ?? '' }, cell)),
  );
}

function groupTable(
  title: string,
  groups: readonly NamedMean[],
  filterOf: (name: string) => Readonly<Record<string, string>>,
  from: string,
): readonly HTMLElement[] {
  return [
    el('h2', {}, title),
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': title },
      el(
        'table',
        { class: 'list numbers-list' },
        el(
          'thead',
          {},
          el('tr', {}, el('td'), ...GROUP_HEADS.map((head) => el('th', { scope: 'col', 'data-head': head }, head))),
        ),
        el('tbody', {}, ...groups.map((group) => groupRow(group, filterOf, from))),
      ),
    ),
  ];
}

function groupRow(
  { name, ratings, asked, mean_score: mean, complaints_percent: complaints, mean_score_unasked: unasked }: NamedMean,
  filterOf: (name: string) => Readonly<Record<string, string>>,
  from: string,
): HTMLElement {
  const cells: readonly (string | HTMLElement)[] = [
    el('b', {}, quantity(mean, 2)),
    quantity(complaints, 1, '%'),
    String(asked),
    String(ratings - asked),
    quantity(unasked, 2),
  ];
  const link =
    name === null
      ? t('not known')
      : el('a', { href: `#/calls?${new URLSearchParams({ from, ...filterOf(name), rated: 'yes' })}` }, foreign(name));
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, link),
    ...cells.map((cell, index) => el('td', { 'data-head': GROUP_HEADS[index] ?? '' }, cell)),
  );
}
