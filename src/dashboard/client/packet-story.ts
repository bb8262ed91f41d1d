import type { Capture, HistogramBar, Stream, VoipMetrics } from './answers.ts';
import { el, svg } from './dom.ts';
import { clock, quantity } from './words.ts';

const WIDTH = 100;
const STRIP_HEIGHT = 20;
const BARS_HEIGHT = 40;
/** Shows even a burst of 100 ms in an hour. */
const LEAST_BURST_WIDTH = 0.7;
/** Shows even one interval among thousands. */
const LEAST_BAR_HEIGHT = 2;

/** The captured packets of a direction: bursts of loss over time, and arrival times. Null when none were captured. */
export function packetStory({ direction, capture, voip_metrics: metrics }: Stream): HTMLElement | null {
  if (capture === null || capture === undefined || metrics === null || metrics === undefined) return null;
  return el(
    'div',
    { class: 'packets' },
    el('h4', {}, `Packets, as they ${direction === 'rx' ? 'arrived here' : 'left here'}`),
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
      svg('title', {}, `${clock(Date.parse(burst.from))}: ${burst.lost} of ${burst.packets} packets lost`),
    );
  });
  const label = bursts.length === 0 ? 'no bursts of loss' : `${bursts.length} bursts of loss over the call`;
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
  // Null: the RTP clock is not known, so nobody knows what came too late.
  const discarded = capture.jitter_buffer.discarded ?? 0;
  const late = discarded === 0 ? '' : `, ${discarded} came too late to be played`;
  if (lost <= 0 && discarded === 0) return `None of ${expected} packets lost.`;
  const count = bursts.length + capture.bursts_left_out;
  const longest = longestMs === null ? '' : `, longest gap ${quantity(longestMs, 0, 'ms')}`;
  const how =
    count === 0
      ? 'no bursts'
      : `${count} ${count === 1 ? 'burst' : 'bursts'} of ${quantity(metrics.burst_duration_ms, 0, 'ms')}, ` +
        `${percent(metrics.burst_density)} ${discarded === 0 ? 'lost' : 'lost or late'} in them and ${percent(metrics.gap_density)} between`;
  return `${lost} of ${expected} packets lost${late}: ${how}${longest}.`;
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
      'aria-label': 'intervals between packets',
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

/** Bins are half an octave wide from 1 ms on, and one below (`stats/arrival-histogram.ts`). */
function binOf(fromMs: number): number {
  return fromMs < 1 ? 0 : 1 + Math.round(2 * Math.log2(fromMs));
}

function barWords({ from_ms: fromMs, to_ms: toMs }: HistogramBar): string {
  return toMs === null ? `${fromMs.toFixed(0)} ms and more` : `${fromMs.toFixed(0)} to ${toMs.toFixed(0)} ms`;
}

function histogramEnds(histogram: readonly HistogramBar[]): [string, string] {
  const [first] = histogram;
  const last = histogram.at(-1);
  if (first === undefined || last === undefined) return ['', ''];
  return [`${first.from_ms.toFixed(0)} ms`, last.to_ms === null ? 'more' : `${last.to_ms.toFixed(0)} ms`];
}

function arrivalWords(capture: Capture): string {
  const usual = capture.arrival_histogram.reduce<HistogramBar | undefined>(
    (best, bar) => (best === undefined || bar.count > best.count ? bar : best),
    undefined,
  );
  const intervals = usual === undefined ? 'One packet' : `Intervals mostly ${barWords(usual)}`;
  const { out_of_order: late, duplicates, max_gap_ms: longestMs } = capture;
  return `${intervals}, at most ${quantity(longestMs, 0, 'ms')}; ${late} out of order, ${duplicates} doubled.`;
}

/** Says that this server failed to capture packets, which looks like loss. */
function missedWords({ dropped_by_kernel: dropped, interruptions }: Capture): HTMLElement | null {
  if (dropped + interruptions === 0) return null;
  const parts = [
    dropped === 0 ? [] : [`${dropped} packets of all calls were not captured in time`],
    interruptions === 0 ? [] : ['capturing was interrupted'],
  ].flat();
  return el('p', { class: 'native' }, `Meanwhile ${parts.join(', and ')}: that looks like loss here.`);
}

function axis(from: string, to: string): HTMLElement {
  return el('div', { class: 'axis' }, el('span', {}, from), el('span', {}, to));
}

function percent(ratio: number): string {
  return quantity(ratio * 100, 1, '%');
}
