import type { Channel, Direction } from '../rest/answers.ts';
import { el } from '../parts/dom.ts';
import { directionWords, quantity, streamOf, verdictWords } from '../words/words.ts';

const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];
/** Bound on the legs whose arrows fit into a line. */
const MOST_LEGS = 3;

/** One arrow for each direction in the colour of its verdict, with the worst one in words. */
export function liveArrows(legs: readonly Channel[]): HTMLElement {
  const arrows = legs.slice(0, MOST_LEGS).map((leg) => {
    const own = DIRECTIONS.map((direction) => {
      const stream = streamOf(leg, direction);
      const { tone, word, sign } = verdictWords(stream?.verdict ?? null);
      const name = `${directionWords(leg, direction)}: ${word}, ${quantity(stream?.mes, 2)}`;
      const arrow = direction === 'rx' ? '→' : '←';
      // A sign beside the colour, for people who cannot tell colours apart.
      const mark = tone === 'good' ? '' : sign;
      return el('span', { class: `arrow tone-${tone}`, title: name }, `${arrow}${mark}`);
    });
    return el('span', { class: 'leg' }, ...own);
  });
  const more = legs.length > MOST_LEGS ? ` +${legs.length - MOST_LEGS}` : '';
  return el('span', { class: 'arrows', 'aria-hidden': 'true' }, ...arrows, more);
}
