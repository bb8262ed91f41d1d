import type { Channel, PhoneHearing, Stream } from '../rest/answers.ts';
import { el, foreign } from '../parts/dom.ts';
import { t, tn } from '../words/language.ts';
import { quantity } from '../words/words.ts';

/** RTCP about the audio to a phone, beside the phone's own report. Null when the phone sent none. */
export function phoneStory({ phone }: Channel, stream: Stream): HTMLElement | null {
  if (phone === null || stream.direction !== 'tx') return null;
  const rows: readonly (readonly [name: string, ours: string, phones: string])[] = [
    [t('Lost on the way'), quantity(stream.loss_percent, 1, '%'), quantity(phone.network_loss_percent, 1, '%')],
    [t('Thrown away'), '', quantity(phone.discard_percent, 1, '%')],
    [t('In bursts'), '', stretch(phone.burst_loss_percent, phone.burst_duration_ms)],
    [t('Between bursts'), '', stretch(phone.gap_loss_percent, phone.gap_duration_ms)],
    [t('Jitter'), quantity(stream.jitter_ms.mean, 1, 'ms'), quantity(phone.interarrival_jitter_ms, 1, 'ms')],
    [t('Round trip'), quantity(stream.rtt_ms.mean, 0, 'ms'), quantity(phone.round_trip_delay_ms, 0, 'ms')],
    [t('MOS listening'), quantity(stream.mos_lq, 2), quantity(phone.mos_lq, 1)],
    [t('MOS conversation'), quantity(stream.mos_cq, 2), quantity(phone.mos_cq, 1)],
  ];
  return el(
    'div',
    { class: 'phone' },
    el('h4', {}, t('As this server measured it, and as the phone heard it')),
    el(
      'table',
      {},
      el('thead', {}, el('tr', {}, el('td', {}), header(t('By RTCP')), header(t('By the phone')))),
      el(
        'tbody',
        {},
        ...rows.map(([name, ours, phones]) =>
          el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, ours), el('td', {}, phones)),
        ),
      ),
    ),
    el('p', {}, foreign(witness(phone))),
  );
}

function header(text: string): HTMLElement {
  return el('th', { scope: 'col' }, text);
}

/** Loss with discards in bursts or gaps, and their mean length. */
function stretch(percent: number | null, durationMs: number | null): string {
  if (percent === null) return quantity(null, 1);
  return durationMs === null
    ? quantity(percent, 1, '%')
    : t('{percent} of {duration}', { percent: quantity(percent, 1, '%'), duration: quantity(durationMs, 0, 'ms') });
}

function witness({ reports, user_agent: userAgent }: PhoneHearing): string {
  const count = tn('{n} report of its own.', '{n} reports of its own.', reports);
  return `${count}${userAgent === null ? '' : ` ${userAgent}.`} ${t('No score counts them.')}`;
}
