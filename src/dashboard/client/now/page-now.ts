import type { Channel } from '../rest/answers.ts';
import { el } from '../parts/dom.ts';
import { t, tn } from '../words/language.ts';
import { LiveFeed, MOST_OF_FLEET, type FeedState } from './live-feed.ts';
import { IS_FLEET } from '../fleet/scope.ts';
import { LiveCall, worstFirst } from './live-call.ts';
import { LiveFilter } from './live-filter.ts';
import type { Page } from '../rest/route.ts';
import { VirtualList } from '../parts/virtual-list.ts';

/** Data older than this is marked as old. */
const OLD_MS = 7000;
const CLOCK_MS = 1000;
/** Up to so many calls are shown open; more are one line each. */
const MOST_OPEN = 6;
/** Height of a line with its gap. */
const LINE_PX = 46;
/** Bound on the PBXs in a sentence. */
const MOST_NAMED = 5;

/** The page of live calls, the worst first. */
export function nowPage(): Page {
  const status = el('p', { class: 'status', role: 'status' }, t('Connecting …'));
  const warning = el('p', { class: 'notice tone-bad', role: 'alert', hidden: true });
  const list = el('div', { class: 'live' });
  const rows = new VirtualList(list, LINE_PX);
  const empty = el('p', { class: 'empty', hidden: true });
  const heading = el('h1', {}, t('Now'));
  const filter = new LiveFilter(() => choose());
  const element = el(
    'section',
    { class: 'now' },
    el('div', { class: 'head' }, heading, status),
    warning,
    filter.element,
    empty,
    rows.element,
  );
  const cards = new Map<string, LiveCall>();

  const choose = (): void => {
    const chosen = filter.choose(worstFirst([...cards.values()]));
    for (const card of chosen) card.isOpenByDefault = chosen.length <= MOST_OPEN;
    rows.show(chosen);
    filter.element.hidden = cards.size === 0;
    heading.textContent = cards.size === 0 ? t('Now') : tn('Now: {n} call', 'Now: {n} calls', cards.size);
    empty.hidden = chosen.length > 0;
    if (empty.hidden) return;
    const { sidecarProblem, freshAtMs } = feed.state;
    if (cards.size > 0) empty.replaceChildren(t('No call that is up fits. Take a tile or the search back.'));
    else if (sidecarProblem !== null || freshAtMs === null) {
      empty.replaceChildren(t('Whether calls are up is not known now. Ended ones are under'), ' ', callsLink(), '.');
    } else {
      empty.replaceChildren(
        t('No call is up at the moment. One appears here as soon as it begins; ended ones are under'),
        ' ',
        callsLink(),
        '.',
      );
    }
  };
  const feed = new LiveFeed((channels) => {
    take(cards, channels);
    choose();
    tell();
  });
  const tell = (): void => {
    const { sidecarProblem } = feed.state;
    const words = freshness(feed.state);
    if (status.textContent !== words.text) {
      status.textContent = words.text;
      // The feed's state decides what an empty list means.
      if (cards.size === 0 && feed.state.freshAtMs !== null) choose();
    }
    status.dataset['state'] = words.state;
    list.classList.toggle('old', words.state === 'cut');
    const problem = IS_FLEET ? fleetProblem(feed.state) : sidecarProblem;
    warning.hidden = problem === null || words.isDisconnected;
    if (problem !== null) {
      const sentence = IS_FLEET
        ? `! ${problem}`
        : `✕ ${t('The sidecar does not see all calls now, so this may be old: {why}.', { why: problem })}`;
      if (warning.textContent !== sentence) warning.textContent = sentence;
    }
  };
  const clock = setInterval(() => {
    tell();
    for (const card of cards.values()) card.tick();
  }, CLOCK_MS);
  return {
    title: t('Now'),
    element,
    leave: () => {
      clearInterval(clock);
      rows.stop();
      feed.stop();
    },
  };
}

function callsLink(): HTMLElement {
  return el('a', { href: '#/calls' }, t('Calls'));
}

function take(cards: Map<string, LiveCall>, channels: readonly Channel[]): void {
  // Two PBXs may have calls of the same linkedid.
  const groups = Map.groupBy(channels, ({ linkedid, pbx = '' }) => `${linkedid} ${pbx}`);
  for (const key of cards.keys()) if (!groups.has(key)) cards.delete(key);
  for (const [key, legs] of groups) {
    const card = cards.get(key) ?? new LiveCall(legs[0]?.linkedid ?? '', legs[0]?.pbx);
    cards.set(key, card);
    card.update(legs);
  }
}

/** A sentence on missing or old data of a fleet; null: all is well. */
function fleetProblem({ fleet }: FeedState): string | null {
  if (fleet === null) return null;
  const { pbxs, matching } = fleet;
  const old = pbxs.filter(({ state }) => state !== 'live');
  const some = old.slice(0, MOST_NAMED).map(({ pbx }) => pbx);
  const names = some.join(', ') + (old.length > some.length ? ' …' : '');
  const isOne = old.length === 1;
  const sentences = [
    ...(old.length === 0
      ? []
      : [
          t(
            isOne
              ? 'A PBX has told nothing for 20 s, so its calls may be missing or old here: {names}.'
              : '{n} PBXs have told nothing for 20 s, so their calls may be missing or old here: {names}.',
            { n: old.length, names },
          ),
        ]),
    ...(matching > MOST_OF_FLEET
      ? [t('{n} channels are up; the {most} worst are shown.', { n: matching, most: MOST_OF_FLEET })]
      : []),
  ];
  return sentences.length === 0 ? null : sentences.join(' ');
}

/** How fresh the page's data is. */
interface Freshness {
  readonly state: 'live' | 'cut' | 'connecting';
  readonly text: string;
  /** True: the sidecar sends nothing. */
  readonly isDisconnected: boolean;
}

function freshness({ freshAtMs, problem, sidecarProblem }: FeedState): Freshness {
  const ageMs = freshAtMs === null ? null : Date.now() - freshAtMs;
  if (problem === null && ageMs === null) {
    return { state: 'connecting', text: t('Connecting …'), isDisconnected: false };
  }
  if (problem === null && ageMs !== null && ageMs < OLD_MS) {
    if (sidecarProblem === null) return { state: 'live', text: `● ${t('Live')}`, isDisconnected: false };
    return { state: 'cut', text: `✕ ${t('Not live')}`, isDisconnected: false };
  }
  const why = problem ?? t('No news from the sidecar.');
  const age = ageMs === null ? '' : ` ${t('What is shown is {n} s old.', { n: Math.round(ageMs / 1000) })}`;
  return { state: 'cut', text: `✕ ${t('Connection lost; trying again.')} ${why}${age}`, isDisconnected: true };
}
