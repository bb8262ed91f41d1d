import { el, foreign } from '../parts/dom.ts';
import type { Issue, Rating } from '../rest/rating-answers.ts';
import { t } from '../words/language.ts';

/** Issues in callers' words. */
const ISSUES: Readonly<Record<Issue, string>> = {
  silence: t('silence'),
  one_way: t('only one heard the other'),
  stuttering: t('the sound stuttered'),
  distorted: t('the sound was distorted'),
  echo_of_me: t('heard themselves'),
  echo_of_other: t('the other side heard themselves'),
  too_quiet: t('too quiet'),
  noise: t('noise'),
  delay: t('answers came late'),
  dropped: t('the call was cut'),
  other: t('something else'),
};
export const ISSUE_NAMES = Object.keys(ISSUES) as readonly Issue[];

/** Words of the scores 1 to 5 (ITU-T P.800, Annex B), with colours. */
const SCORES = [
  { word: t('bad'), tone: 'bad' },
  { word: t('poor'), tone: 'poor' },
  { word: t('fair'), tone: 'fair' },
  { word: t('good'), tone: 'good' },
  { word: t('excellent'), tone: 'good' },
] as const;

const SOURCES: Readonly<Record<Rating['source'], string>> = {
  ivr: t('by voice'),
  code: t('by code'),
  link: t('by link'),
  rest: t('by another program'),
  mark: t('by key'),
};

export function issueWords(issue: Issue): string {
  return ISSUES[issue] ?? issue;
}

export function sourceWords(source: Rating['source']): string {
  return SOURCES[source] ?? source;
}

/** A rating as figure, word and colour. */
export function ratingChip(score: number): HTMLElement {
  const said = SCORES[score - 1];
  return el('span', { class: `chip tone-${said?.tone ?? 'unknown'}` }, `${score}/5 ${said?.word ?? ''}`);
}

/** The issues of a rating, and its comment. */
export function complaintOf({ issues, comment }: Pick<Rating, 'issues' | 'comment'>): HTMLElement {
  const words = issues.map(issueWords).join(', ');
  return el(
    'span',
    {},
    words,
    comment !== null && words !== '' ? ': ' : '',
    comment === null ? null : el('q', {}, foreign(comment)),
  );
}
