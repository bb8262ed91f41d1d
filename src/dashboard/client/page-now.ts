import type { Channel } from './answers.ts';
import { el } from './dom.ts';
import { LiveFeed, type FeedState } from './live-feed.ts';
import { LiveCall, worstFirst } from './live-call.ts';
import type { Page } from './route.ts';

/** Data older than this is marked as old. */
const OLD_MS = 7000;
const CLOCK_MS = 1000;

/** The calls that are up, worst first. */
export function nowPage(): Page {
  const status = el('p', { class: 'status', role: 'status' }, 'Connecting …');
  const warning = el('p', { class: 'notice tone-poor', role: 'alert', hidden: true });
  const list = el('div', { class: 'live' });
  const empty = el('p', { class: 'empty', hidden: true });
  const heading = el('h1', {}, 'Now');
  const element = el('section', { class: 'now' }, el('div', { class: 'head' }, heading, status), warning, empty, list);
  const cards = new Map<string, LiveCall>();

  const show = (channels: readonly Channel[]): void => {
    const groups = Map.groupBy(channels, ({ linkedid }) => linkedid);
    for (const [linkedid, card] of cards) {
      if (groups.has(linkedid)) continue;
      card.remove();
      cards.delete(linkedid);
    }
    for (const [linkedid, legs] of groups) {
      const card = cards.get(linkedid) ?? new LiveCall(linkedid);
      cards.set(linkedid, card);
      card.update(legs);
    }
    arrange(list, worstFirst([...cards.values()]));
    heading.textContent = cards.size === 0 ? 'Now' : `Now: ${cards.size} ${cards.size === 1 ? 'call' : 'calls'}`;
    empty.hidden = cards.size > 0;
    empty.replaceChildren(
      'No call is up at the moment. One appears here as soon as it begins; ended ones are under ',
      el('a', { href: '#/calls' }, 'Calls'),
      '.',
    );
  };

  const feed = new LiveFeed((channels) => {
    show(channels);
    tell();
  });
  const tell = (): void => {
    const { sidecarProblem } = feed.state;
    const words = freshness(feed.state);
    if (status.textContent !== words.text) status.textContent = words.text;
    status.dataset['state'] = words.state;
    list.classList.toggle('old', words.state === 'cut');
    warning.hidden = sidecarProblem === null || words.state === 'cut';
    if (sidecarProblem !== null) {
      const sentence = `! The sidecar does not see all calls now, so this may be old: ${sidecarProblem}.`;
      if (warning.textContent !== sentence) warning.textContent = sentence;
    }
  };
  const clock = setInterval(() => {
    tell();
    for (const card of cards.values()) card.tick();
  }, CLOCK_MS);
  return {
    title: 'Now',
    element,
    leave: () => {
      clearInterval(clock);
      feed.stop();
    },
  };
}

function freshness({ freshAtMs, problem }: FeedState): { state: 'live' | 'cut' | 'connecting'; text: string } {
  const ageMs = freshAtMs === null ? null : Date.now() - freshAtMs;
  if (problem === null && ageMs === null) return { state: 'connecting', text: 'Connecting …' };
  if (problem === null && ageMs !== null && ageMs < OLD_MS) return { state: 'live', text: '● Live' };
  const why = problem ?? 'No news from the sidecar.';
  const age = ageMs === null ? '' : ` What is shown is ${Math.round(ageMs / 1000)} s old.`;
  return { state: 'cut', text: `✕ Connection lost; trying again. ${why}${age}` };
}

/** Sorts the cards, moving only those that are out of place, and keeps the focus. */
function arrange(list: HTMLElement, cards: readonly LiveCall[]): void {
  const focused = document.activeElement;
  let moved = false;
  for (const [index, { element }] of cards.entries()) {
    if (list.children[index] === element) continue;
    list.insertBefore(element, list.children[index] ?? null);
    moved = true;
  }
  if (moved && focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}
