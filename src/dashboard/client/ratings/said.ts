import { el, foreign } from '../parts/dom.ts';
import type { Channel } from '../rest/answers.ts';
import type { BesideMark, Moment, RatedAnswer, Rating } from '../rest/rating-answers.ts';
import { t } from '../words/language.ts';
import { clock, directionWords, fullMoment, moment, quantity, shortEndpoint } from '../words/words.ts';
import { complaintOf, ratingChip, sourceWords } from './rating-words.ts';

/** Bound on the ratings shown beside the score; all are listed below. */
const MOST_CHIPS = 4;
const HEADS = [t('Direction'), t('Score'), t('Loss, %'), t('Jitter, ms'), t('RTT, ms')] as const;

/** Ratings for the line of the score; empty without ratings. */
export function peopleSaid(ratings: readonly Rating[]): readonly (string | HTMLElement)[] {
  if (ratings.length === 0) return [];
  return [` ${t('people said')} `, ...ratings.slice(0, MOST_CHIPS).flatMap(({ score }) => [ratingChip(score), ' '])];
}

/** Ratings of a call and marked moments; empty without either. */
export function whatPeopleSaid({ ratings, moments }: RatedAnswer, legs: readonly Channel[]): readonly HTMLElement[] {
  if (ratings.length === 0 && moments.length === 0) return [];
  return [
    el(
      'section',
      { class: 'panel said' },
      el('h2', {}, t('What people heard')),
      ratings.length === 0 ? null : el('ul', { class: 'said-list' }, ...ratings.map(ratingItem)),
      ...moments.map((marked) => momentTable(marked, legs)),
    ),
  ];
}

function ratingItem(rating: Rating): HTMLElement {
  const { endpoint, side, score, answers, asked, source, at } = rating;
  const who = endpoint === null ? '' : shortEndpoint(endpoint);
  return el(
    'li',
    {},
    ratingChip(score),
    ' ',
    el('b', {}, foreign(who), who === '' ? '' : ', ', side === 'caller' ? t('who called') : t('who was called')),
    ' ',
    complaintOf(rating),
    ' ',
    el(
      'span',
      { class: 'meta' },
      answers.length === 0 ? '' : `${answersWords(answers)}; `,
      `${asked ? t('asked') : t('unasked')}, ${sourceWords(source)}, `,
      el('time', { datetime: at, title: fullMoment(at) }, moment(at)),
    ),
  );
}

/** `echo-of-me: yes, noise: no` */
function answersWords(answers: Rating['answers']): string {
  return answers.map(({ question, answer }) => `${question}: ${answer ? t('yes') : t('no')}`).join(', ');
}

/** A table of each direction's reports before and after a mark. */
function momentTable({ at, uniqueid, directions }: Moment, legs: readonly Channel[]): HTMLElement {
  const legOf = (id: string): Channel | undefined => legs.find((leg) => leg.uniqueid === id);
  const leg = legOf(uniqueid);
  const who = leg === undefined ? t('somebody') : shortEndpoint(leg.endpoint);
  const caption = t('{who} pressed the key at {time}: the reports before and after it', {
    who,
    time: clock(Date.parse(at)),
  });
  if (directions.length === 0) return el('p', {}, foreign(caption), `. ${t('No report came near it.')}`);
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    el(
      'table',
      { class: 'values' },
      el('caption', {}, foreign(caption)),
      el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col' }, head)))),
      el(
        'tbody',
        {},
        ...directions.map(({ uniqueid: id, direction, before, after }) => {
          const own = legOf(id);
          const cells = [
            change(before, after, ({ mes }) => mes, 2),
            change(before, after, ({ loss_percent: percent }) => percent, 1),
            change(before, after, ({ jitter_ms: ms }) => ms, 1),
            change(before, after, ({ rtt_ms: ms }) => ms, 0),
          ];
          return el(
            'tr',
            {},
            el('th', { scope: 'row' }, foreign(own === undefined ? id : directionWords(own, direction))),
            ...cells.map((cell) => el('td', {}, cell)),
          );
        }),
      ),
    ),
  );
}

function change(
  before: BesideMark | null,
  after: BesideMark | null,
  valueOf: (report: BesideMark) => number | null,
  decimals: number,
): string {
  const text = (report: BesideMark | null): string => quantity(report === null ? null : valueOf(report), decimals);
  return `${text(before)} → ${text(after)}`;
}
