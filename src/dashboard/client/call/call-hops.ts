import type { Call, Channel, Direction } from '../rest/answers.ts';
import { el, foreign } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import { quantity, shortEndpoint, streamOf, verdictWords } from '../words/words.ts';

/** The gaps that a fault marks: 0 is between caller and server, 1 between server and callee. */
const FAULTY: Readonly<Record<string, readonly number[]>> = {
  'caller-network': [0],
  'callee-network': [1],
  'both-networks': [0, 1],
};

/**
 * The way of the voice: caller, this server and callee with an arrow for each direction, and the place of the fault. Null: the
 * call has not two legs.
 */
export function callHops(call: Call, legs: readonly Channel[]): HTMLElement | null {
  const [caller, callee] = legs;
  if (caller === undefined || callee === undefined || legs.length > 2) return null;
  const faulty = FAULTY[call.fault_place ?? ''] ?? [];
  const isServer = call.fault_place === 'this-server';
  const sure = certainty(call);
  return el(
    'section',
    { class: 'hops panel', 'aria-label': t('The way of the voice') },
    station(caller, t('caller')),
    gap([hop(caller, 'rx', ''), hop(caller, 'tx', ' back')], faulty.includes(0) ? sure : null),
    el(
      'div',
      { class: `station${isServer ? ' faulty' : ''}` },
      el('b', {}, t('this server')),
      isServer ? el('span', { class: 'fault-here' }, sure) : null,
    ),
    gap([hop(callee, 'tx', ''), hop(callee, 'rx', ' back')], faulty.includes(1) ? sure : null),
    station(callee, t('callee')),
  );
}

function certainty({ fault_certainty: how }: Call): string {
  const words = {
    sure: t('the fault is here, for sure'),
    likely: t('the fault is likely here'),
    guess: t('the fault may be here'),
  };
  return `▲ ${how === null ? t('the fault is here') : words[how]}`;
}

function station(leg: Channel, role: string): HTMLElement {
  return el('div', { class: 'station' }, el('b', {}, foreign(shortEndpoint(leg.endpoint))), el('span', {}, role));
}

function gap(hops: readonly HTMLElement[], fault: string | null): HTMLElement {
  return el(
    'div',
    { class: `gap${fault === null ? '' : ' faulty'}` },
    ...hops,
    fault === null ? null : el('span', { class: 'fault-here' }, fault),
  );
}

function hop(leg: Channel, direction: Direction, way: '' | ' back'): HTMLElement {
  const stream = streamOf(leg, direction);
  const { tone, word, sign } = verdictWords(stream?.verdict ?? null);
  const facts = [quantity(stream?.mes, 2), word, `${t('loss')} ${quantity(stream?.loss_percent, 1, '%')}`].join(', ');
  const line = el('span', { class: `hop-line${way}`, 'aria-hidden': 'true' });
  const words = el('span', {}, `${sign} ${quantity(stream?.mes, 2)}`);
  const element = el('span', { class: `hop tone-${tone}`, title: facts }, words, line);
  element.append(el('span', { class: 'unseen' }, ` ${facts}`));
  return element;
}
