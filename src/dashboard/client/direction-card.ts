import type { Channel, Stream } from './answers.ts';
import { lineSample } from './chart-ink.ts';
import { el, foreign } from './dom.ts';
import { packetStory } from './packet-story.ts';
import { score, verdictChip } from './verdict-chip.ts';
import { directionWords, quantity, verdictWords } from './words.ts';

/** Everything known of one direction; `line` is its number in the chart. */
export function directionCard(channel: Channel, stream: Stream, line: number): HTMLElement {
  const { rtt_ms: rtt, jitter_ms: jitter } = stream;
  const lost =
    stream.packets_lost === null || stream.packets_expected === null
      ? ''
      : ` (${stream.packets_lost} of ${stream.packets_expected})`;
  const facts: readonly (readonly [string, string])[] = [
    ['Loss', quantity(stream.loss_percent, 1, '%') + lost],
    ['Jitter', range(jitter.mean, jitter.max, 1)],
    ['Round trip', range(rtt.mean, rtt.max, 0)],
    ['MOS listening', quantity(stream.mos_lq, 2)],
    ['MOS conversation', quantity(stream.mos_cq, 2)],
    ['Codec', stream.codec ?? '–'],
    ['Reports', `${stream.reports}, by ${stream.reporter === 'local' ? 'this server' : 'the far end'}`],
    ['Ours, of 100', quantity(stream.mes_100, 1)],
    ["Asterisk's own", quantity(stream.native_mes_100, 1)],
  ];
  return el(
    'section',
    { class: `direction tone-${verdictWords(stream.verdict).tone}` },
    el('h3', {}, lineSample(line), foreign(directionWords(channel, stream.direction))),
    el('p', { class: 'result' }, score(stream.mes), ' ', verdictChip(stream.verdict)),
    stream.why === null ? null : el('p', { class: 'why' }, foreign(stream.why)),
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    packetStory(stream),
    stream.native_why === null
      ? null
      : el('p', { class: 'native' }, "Asterisk's own score differs: ", foreign(stream.native_why)),
  );
}

function range(mean: number | null, highest: number | null, decimals: number): string {
  if (mean === null) return quantity(null, decimals);
  return `${quantity(mean, decimals, 'ms')}, up to ${quantity(highest, decimals)}`;
}
