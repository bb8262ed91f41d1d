import type { Capture, HistogramBar, Stream, VoipMetrics } from '../rest/answers.ts';
import { el, svg } from '../parts/dom.ts';
import { t, tn } from '../words/language.ts';
import { clock, quantity } from '../words/words.ts';

const WIDTH = 100;
const STRIP_HEIGHT = 20;
const BARS_HEIGHT = 40;
/** Least width of a burst, so that 100 ms of an hour can be seen. */
const LEAST_BURST_WIDTH = 0.7;
/** Least height of a bar, so that one interval of thousands can be seen. */
const LEAST_BAR_HEIGHT = 2;

/** The captured packets of a direction: bursts of loss over time, and arrival times. Null when none were captured. */
export function packetStory({ direction, capture, voip_metrics: metrics }: Stream): HTMLElement | null {
  if (capture === null || capture === undefined || metrics === null || metrics === undefined) return null;
  return el(
    'div',
    { class: 'packets' },
    el('h4', {}, direction === 'rx' ? t('Packets, as they arrived here') : t('Packets, as they left here')),
    strip(capture),
    axis(clock(Date.parse(capture.started_at)), clock(Date.parse(capture.ended_at))),
    el('p', {}, burstWords(capture, metrics)),
    bars(capture.arrival_histogram),
    axis(...histogramEnds(capture.arrival_histogram)),
    el('p', {}, arrivalWords(capture)),
    missedWords(capture),
  );
}

/** Time from the first packet to the last. Bursts differ by height and by colour. */
function strip({ started_at: from, ended_at: to, bursts }: Capture): SVGElement {
  const fromMs = Date.parse(from);
  const lengthMs = Math.max(1, Date.parse(to) - fromMs);
  const x = (iso: string): number => Math.min(WIDTH, Math.max(0, ((Date.parse(iso) - fromMs) / lengthMs) * WIDTH));
  const blocks = bursts.map((burst) => {
    const width = Math.max(LEAST_BURST_WIDTH, x(burst.to) - x(burst.from));
    const left = Math.min(x(burst.from), WIDTH - width);
    return svg(
      'rect',
      { class: 'strip-burst', x: left.toFixed(2), y: 0, width: width.toFixed(2), height: STRIP_HEIGHT },
      svg(
        'title',
        {},
        `${clock(Date.parse(burst.from))}: ${t('{n} of {all} packets lost', { n: burst.lost, all: burst.packets })}`,
      ),
    );
  });
  const label =
    bursts.length === 0
      ? t('no bursts of loss')
      : tn('{n} burst of loss over the call', '{n} bursts of loss over the call', bursts.length);
  return svg(
    'svg',
    {
      class: 'strip',
      viewBox: `0 0 ${WIDTH} ${STRIP_HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    svg('rect', { class: 'strip-gap', x: 0, y: STRIP_HEIGHT / 2 - 2, width: WIDTH, height: 4 }),
    ...blocks,
  );
}

function burstWords(capture: Capture, metrics: VoipMetrics): string {
  const { packets_lost: lost, packets_expected: expected, longest_loss_ms: longestMs, bursts } = capture;
  // Null: the RTP clock is unknown, so nobody knows which packets were late.
  const discarded = capture.jitter_buffer.discarded ?? 0;
  const late = discarded === 0 ? '' : `, ${t('{n} came too late to be played', { n: discarded })}`;
  if (lost <= 0 && discarded === 0) return t('None of {n} packets lost.', { n: expected });
  const count = bursts.length + capture.bursts_left_out;
  const longest = longestMs === null ? '' : `, ${t('longest gap')} ${quantity(longestMs, 0, 'ms')}`;
  const values = {
    length: quantity(metrics.burst_duration_ms, 0, 'ms'),
    inside: percent(metrics.burst_density),
    outside: percent(metrics.gap_density),
  };
  const bursty =
    discarded === 0
      ? t('of {length}, {inside} lost in them and {outside} between', values)
      : t('of {length}, {inside} lost or late in them and {outside} between', values);
  const how = count === 0 ? t('no bursts') : `${tn('{n} burst', '{n} bursts', count)} ${bursty}`;
  return `${t('{n} of {all} packets lost', { n: lost, all: expected })}${late}: ${how}${longest}.`;
}

/** Bars on the API's logarithmic bins. Heights are logarithmic, too: one in thousands is what one looks for. */
function bars(histogram: readonly HistogramBar[]): SVGElement {
  const places = histogram.map(({ from_ms: fromMs }) => binOf(fromMs));
  const first = Math.min(...places);
  const width = WIDTH / (Math.max(...places) - first + 1);
  const most = Math.max(...histogram.map(({ count }) => count));
  return svg(
    'svg',
    {
      class: 'bars',
      viewBox: `0 0 ${WIDTH} ${BARS_HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': t('intervals between packets'),
    },
    ...histogram.map((bar, index) => {
      const share = Math.log1p(bar.count) / Math.log1p(most);
      const height = Math.max(LEAST_BAR_HEIGHT, share * BARS_HEIGHT);
      const left = ((places[index] ?? first) - first) * width;
      return svg(
        'rect',
        {
          class: 'bar',
          x: (left + width * 0.08).toFixed(2),
          y: (BARS_HEIGHT - height).toFixed(2),
          width: (width * 0.84).toFixed(2),
          height: height.toFixed(2),
        },
        svg('title', {}, `${barWords(bar)}: ${bar.count}`),
      );
    }),
  );
}

/** Bins are half an octave wide from 1 ms on, and one below (`stats/packets/arrival-histogram.ts`). */
function binOf(fromMs: number): number {
  return fromMs < 1 ? 0 : 1 + Math.round(2 * Math.log2(fromMs));
}

function barWords({ from_ms: fromMs, to_ms: toMs }: HistogramBar): string {
  return toMs === null
    ? t('{from} ms and more', { from: fromMs.toFixed(0) })
    : t('{from} to {to} ms', { from: fromMs.toFixed(0), to: toMs.toFixed(0) });
}

function histogramEnds(histogram: readonly HistogramBar[]): [string, string] {
  const [first] = histogram;
  const last = histogram.at(-1);
  if (first === undefined || last === undefined) return ['', ''];
  return [`${first.from_ms.toFixed(0)} ms`, last.to_ms === null ? t('more') : `${last.to_ms.toFixed(0)} ms`];
}

function arrivalWords(capture: Capture): string {
  const usual = capture.arrival_histogram.reduce<HistogramBar | undefined>(
    (best, bar) => (best === undefined || bar.count > best.count ? bar : best),
    undefined,
  );
  const intervals = usual === undefined ? t('One packet') : t('Intervals mostly {span}', { span: barWords(usual) });
  const { out_of_order: late, duplicates, max_gap_ms: longestMs } = capture;
  return `${intervals}, ${t('at most {ms}; {late} out of order, {doubled} doubled.', { ms: quantity(longestMs, 0, 'ms'), late, doubled: duplicates })}`;
}

/** Says that this server failed to capture packets, which looks like loss. */
function missedWords({ dropped_by_kernel: dropped, interruptions }: Capture): HTMLElement | null {
  if (dropped + interruptions === 0) return null;
  const parts = [
    dropped === 0 ? [] : [t('{n} packets of all calls were not captured in time', { n: dropped })],
    interruptions === 0 ? [] : [t('capturing was interrupted')],
  ].flat();
  return el(
    'p',
    { class: 'native' },
    t('Meanwhile {what}: that looks like loss here.', { what: parts.join(t(', and ')) }),
  );
}

function axis(from: string, to: string): HTMLElement {
  return el('div', { class: 'axis' }, el('span', {}, from), el('span', {}, to));
}

function percent(ratio: number): string {
  return quantity(ratio * 100, 1, '%');
}
