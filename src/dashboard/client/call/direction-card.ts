import type { Channel, Stream } from '../rest/answers.ts';
import { lineSample } from '../charts/chart-ink.ts';
import { el, foreign } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import { packetStory } from './packet-story.ts';
import { phoneStory } from './phone-story.ts';
import { score, verdictChip } from '../parts/verdict-chip.ts';
import { directionWords, moment, quantity, verdictWords } from '../words/words.ts';

/** The card of one direction. `line`: its number in the chart. */
export function directionCard(channel: Channel, stream: Stream, line: number): HTMLElement {
  const { rtt_ms: rtt, jitter_ms: jitter } = stream;
  const lost =
    stream.packets_lost === null || stream.packets_expected === null
      ? ''
      : ` (${t('{n} of {all}', { n: stream.packets_lost, all: stream.packets_expected })})`;
  const facts: readonly (readonly [string, string])[] = [
    [t('Loss'), quantity(stream.loss_percent, 1, '%') + lost],
    [t('Jitter'), range(jitter.mean, jitter.max, 1)],
    [t('Round trip'), range(rtt.mean, rtt.max, 0)],
    [t('MOS listening'), quantity(stream.mos_lq, 2)],
    [t('MOS conversation'), quantity(stream.mos_cq, 2)],
    [t('Codec'), stream.codec ?? '–'],
    [
      t('Reports'),
      stream.reporter === 'local'
        ? t('{n}, by this server', { n: stream.reports })
        : t('{n}, by the far end', { n: stream.reports }),
    ],
    ...(stream.lossy_reports === null ? [] : [[t('Reports with loss'), String(stream.lossy_reports)] as const]),
    ...(stream.last_report_at === null ? [] : [[t('Last report'), moment(stream.last_report_at)] as const]),
    [t('Ours, of 100'), quantity(stream.mes_100, 1)],
    [t("Asterisk's own"), quantity(stream.native_mes_100, 1)],
  ];
  return el(
    'section',
    { class: `direction tone-${verdictWords(stream.verdict).tone}` },
    el('h3', {}, lineSample(line), foreign(directionWords(channel, stream.direction))),
    el('p', { class: 'result' }, score(stream.mes), ' ', verdictChip(stream.verdict)),
    stream.why === null ? null : el('p', { class: 'why' }, foreign(stream.why)),
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    phoneStory(channel, stream),
    packetStory(stream),
    stream.native_why === null
      ? null
      : el('p', { class: 'native' }, t("Asterisk's own score differs:"), ' ', foreign(stream.native_why)),
  );
}

function range(mean: number | null, highest: number | null, decimals: number): string {
  if (mean === null) return quantity(null, decimals);
  return `${quantity(mean, decimals, 'ms')}, ${t('up to')} ${quantity(highest, decimals)}`;
}
