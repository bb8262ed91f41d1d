import uPlot from 'uplot';
import type { Interval } from '../rest/answers.ts';
import { chartAxes, type ChartInk, lineSample, lineStyle, readInk } from './chart-ink.ts';
import { el } from '../parts/dom.ts';
import { t } from '../words/language.ts';
import { seriesOf } from './series.ts';
import { clock, quantity } from '../words/words.ts';

/** One direction of one leg. */
export interface ChartLine {
  readonly label: string;
  readonly intervals: readonly Interval[];
}

/** A moment at which something changed. */
export interface ChartMark {
  readonly atMs: number;
  /** The letter that marks it in the chart and in the list. */
  readonly sign: string;
}

export interface ChartData {
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: readonly ChartLine[];
  readonly marks: readonly ChartMark[];
}

interface Metric {
  readonly name: string;
  /** The name where there is little room. */
  readonly short: string;
  readonly unit: string;
  readonly decimals: number;
  readonly heightPx: number;
  readonly valueOf: (interval: Interval) => number | null;
  readonly range: (highest: number) => [number, number];
  readonly splits?: readonly number[];
}

const METRICS: readonly Metric[] = [
  {
    name: t('score'),
    short: t('score'),
    unit: '',
    decimals: 2,
    heightPx: 170,
    valueOf: ({ mes }) => mes,
    // Up to 5, for the signs above the best score.
    range: () => [1, 5],
    splits: [1, 2, 3, 4],
  },
  {
    name: t('loss'),
    short: t('loss'),
    unit: '%',
    decimals: 1,
    heightPx: 110,
    valueOf: ({ loss_percent: percent }) => percent,
    range: (highest) => [0, Math.max(5, highest * 1.1)],
  },
  {
    name: t('jitter'),
    short: t('jitter'),
    unit: 'ms',
    decimals: 1,
    heightPx: 110,
    valueOf: ({ jitter_ms: ms }) => ms,
    range: (highest) => [0, Math.max(20, highest * 1.1)],
  },
  {
    name: t('round trip'),
    short: 'RTT',
    unit: 'ms',
    decimals: 0,
    heightPx: 134,
    valueOf: ({ rtt_ms: ms }) => ms,
    range: (highest) => [0, Math.max(50, highest * 1.1)],
  },
];

/** Height of a mark's sign, and its width with some room. */
const SIGN_PX = 15;

/** Score, loss, jitter and round trip of every direction over one time axis, with the values at the cursor. */
export class CallChart {
  readonly element: HTMLElement;
  readonly #plots = el('div', {
    class: 'plots',
    tabindex: 0,
    role: 'group',
    'aria-label': t('Course of the call. The left and right arrow keys go from report to report.'),
  });
  readonly #values = el('tbody');
  readonly #when = el('th', { scope: 'col' }, t('latest'));
  readonly #hidden = new Set<string>();
  readonly #stopped = new AbortController();
  readonly #resizing: ResizeObserver;
  #charts: uPlot[] = [];
  #data: ChartData = { fromMs: 0, toMs: 0, lines: [], marks: [] };
  #index: number | null = null;

  constructor() {
    const heads = METRICS.map(({ short, unit }) =>
      el('th', { scope: 'col' }, unit === '' ? short : `${short}, ${unit}`),
    );
    const table = el('table', { class: 'values' }, el('thead', {}, el('tr', {}, this.#when, ...heads)), this.#values);
    this.element = el('div', { class: 'chart' }, el('div', { class: 'scroll' }, table), this.#plots);
    const { signal } = this.#stopped;
    this.#plots.addEventListener('keydown', (event) => this.#step(event), { signal });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#build(), { signal });
    this.#resizing = new ResizeObserver(() => this.#fit());
    this.#resizing.observe(this.#plots);
  }

  update(data: ChartData): void {
    const isAlike =
      data.lines.map(({ label }) => label).join('\n') === this.#data.lines.map(({ label }) => label).join('\n');
    this.#data = data;
    if (!isAlike || this.#charts.length === 0) this.#build();
    for (const [index, chart] of this.#charts.entries()) chart.setData(this.#columns(METRICS[index]));
    this.#showValues();
  }

  stop(): void {
    this.#stopped.abort();
    this.#resizing.disconnect();
    this.#clear();
  }

  #clear(): void {
    for (const chart of this.#charts) chart.destroy();
    this.#charts = [];
  }

  #build(): void {
    this.#clear();
    const ink = readInk(this.element);
    this.#charts = METRICS.map((metric, index) => this.#plot(metric, index, ink));
    this.#fit();
  }

  #plot(metric: Metric, index: number, ink: ChartInk): uPlot {
    const isLast = index === METRICS.length - 1;
    const label = metric.unit === '' ? metric.name : `${metric.name}, ${metric.unit}`;
    const options: uPlot.Options = {
      width: this.#plots.clientWidth || 300,
      padding: [8, 26, 0, 0],
      height: metric.heightPx,
      legend: { show: false },
      cursor: { sync: { key: 'call' }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, __, highest) => metric.range(highest ?? 0) } },
      axes: chartAxes(ink, label, isLast ? clock : null, metric.splits),
      series: [
        {},
        ...this.#data.lines.map((own, line) => ({
          label: own.label,
          show: !this.#hidden.has(own.label),
          ...lineStyle(ink, line),
        })),
      ],
      hooks: {
        draw: [(chart) => this.#drawMarks(chart, ink, index === 0)],
        setCursor: [(chart) => this.#noteCursor(chart)],
      },
    };
    return new uPlot(options, this.#columns(metric), this.#plots);
  }

  /** One column of times for all lines. A direction without a report there is undefined, a report without the value is null. */
  #columns(metric: Metric | undefined): uPlot.AlignedData {
    const tables = this.#data.lines.map(({ intervals }) => seriesOf(intervals, (one) => metric?.valueOf(one) ?? null));
    const ends = [this.#data.fromMs / 1000, this.#data.toMs / 1000];
    return uPlot.join([[ends], ...tables]);
  }

  #drawMarks(chart: uPlot, { text, font }: ChartInk, hasSigns: boolean): void {
    const { ctx, bbox, scales } = chart;
    ctx.save();
    ctx.strokeStyle = text;
    ctx.fillStyle = text;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.font = font.replace('12px', `${12 * devicePixelRatio}px`);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'top';
    let lastSignX = Number.NEGATIVE_INFINITY;
    for (const { atMs, sign } of this.#data.marks) {
      const seconds = atMs / 1000;
      if (seconds < (scales['x']?.min ?? 0) || seconds > (scales['x']?.max ?? 0)) continue;
      const x = Math.round(chart.valToPos(seconds, 'x', true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top + (hasSigns ? SIGN_PX * devicePixelRatio : 0));
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (!hasSigns) continue;
      // Signs that would lie on each other stand side by side.
      lastSignX = Math.max(x, lastSignX + SIGN_PX * devicePixelRatio);
      ctx.fillText(sign, lastSignX, bbox.top);
    }
    ctx.restore();
  }

  #noteCursor(chart: uPlot): void {
    // All charts share the cursor, so one of them reports it.
    if (chart !== this.#charts[0]) return;
    this.#index = chart.cursor.idx ?? null;
    this.#showValues();
  }

  #showValues(): void {
    const columns = this.#charts.map(({ data }) => data);
    const times = columns[0]?.[0] ?? [];
    const at = this.#index ?? times.length - 1;
    this.#when.textContent = this.#index === null ? t('latest') : clock(Number(times[at]) * 1000);
    const rows = this.#data.lines.map(({ label }, line) => {
      const cells = METRICS.map(({ decimals }, metric) => {
        const values = columns[metric]?.[line + 1] ?? [];
        // The last report of this direction before the cursor.
        let index = at;
        while (index > 0 && values[index] === undefined) index -= 1;
        return el('td', {}, quantity(values[index], decimals));
      });
      return el('tr', {}, el('th', { scope: 'row' }, this.#toggle(label, line)), ...cells);
    });
    // Keep the keyboard's focus on the switch in use.
    const focused = [...this.#values.querySelectorAll('input')].findIndex((input) => input === document.activeElement);
    this.#values.replaceChildren(...rows);
    this.#values.querySelectorAll('input')[focused]?.focus();
  }

  #toggle(label: string, line: number): HTMLElement {
    const input = el('input', { type: 'checkbox', checked: !this.#hidden.has(label) });
    input.addEventListener('change', () => {
      if (input.checked) this.#hidden.delete(label);
      else this.#hidden.add(label);
      for (const chart of this.#charts) chart.setSeries(line + 1, { show: input.checked });
    });
    return el('label', {}, input, lineSample(line), el('bdi', {}, label));
  }

  /** Moves the cursor by the arrow keys. */
  #step(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const [first] = this.#charts;
    if (step === undefined || first === undefined) return;
    event.preventDefault();
    const times = first.data[0];
    const from = this.#index ?? (step > 0 ? -1 : times.length);
    const index = Math.min(times.length - 1, Math.max(0, from + step));
    for (const chart of this.#charts) {
      chart.setCursor({ left: chart.valToPos(Number(times[index]), 'x'), top: 10 });
    }
  }

  #fit(): void {
    const width = this.#plots.clientWidth;
    if (width === 0) return;
    for (const [index, chart] of this.#charts.entries()) {
      if (chart.width !== width) chart.setSize({ width, height: METRICS[index]?.heightPx ?? 0 });
    }
  }
}
