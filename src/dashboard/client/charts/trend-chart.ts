import uPlot from 'uplot';
import type { BucketQuality } from '../rest/answers.ts';
import { chartAxes, type ChartInk, lineStyle, readInk } from './chart-ink.ts';
import { el } from '../parts/dom.ts';
import { t } from '../words/language.ts';

interface Part {
  readonly label: string;
  readonly heightPx: number;
  readonly range: (highest: number) => [number, number];
  readonly splits?: readonly number[];
  /** Areas between two lines, by their places in `lines`: the upper and the lower. */
  readonly bands?: readonly (readonly [upper: number, lower: number])[];
  readonly lines: readonly {
    readonly number: number;
    readonly isBars: boolean;
    /** True: it is the border of a band, not a line of its own. */
    readonly isBorder?: boolean;
    readonly valueOf: (bucket: BucketQuality, earlier: BucketQuality | undefined) => number | null;
  }[];
}

const PARTS: readonly Part[] = [
  {
    label: t('score'),
    heightPx: 190,
    range: () => [1, 4.6],
    splits: [1, 2, 3, 4],
    lines: [
      { number: 0, isBars: false, valueOf: ({ mes_median: median }) => median },
      { number: 1, isBars: false, valueOf: ({ mes_p5: p5 }) => p5 },
      { number: 2, isBars: false, valueOf: (_, earlier) => earlier?.mes_p5 ?? null },
      { number: 0, isBars: false, isBorder: true, valueOf: ({ mes_p95: p95 }) => p95 },
      { number: 0, isBars: false, isBorder: true, valueOf: ({ mes_p75: p75 }) => p75 },
      { number: 0, isBars: false, isBorder: true, valueOf: ({ mes_p25: p25 }) => p25 },
    ],
    // Half of the calls lie in the inner band, nine tenths in the outer.
    bands: [
      [3, 1],
      [4, 5],
    ],
  },
  {
    label: t('bad calls, %'),
    heightPx: 110,
    range: (highest) => [0, Math.max(5, highest * 1.1)],
    lines: [{ number: 3, isBars: true, valueOf: ({ bad_percent: percent }) => percent }],
  },
  {
    label: t('calls'),
    heightPx: 134,
    range: (highest) => [0, Math.max(5, highest * 1.1)],
    lines: [{ number: 2, isBars: true, valueOf: ({ calls }) => calls || null }],
  },
];
const FILL = 0.35;
const BAND = 0.13;

export interface TrendData {
  readonly buckets: readonly BucketQuality[];
  /** The buckets of the earlier time; undefined: there is none. */
  readonly earlier: readonly (BucketQuality | undefined)[];
  /** Formats a time as briefly as the span allows. */
  readonly timeWords: (atMs: number) => string;
  /** Called when a bucket is pointed at. */
  readonly onPoint: (index: number) => void;
  /** Called when a bucket is clicked. */
  readonly onChoose: (index: number) => void;
}

/** Median and 5th percentile, share of bad calls and number of calls over one time axis. */
export class TrendChart {
  readonly element = el('div', { class: 'plots' });
  readonly #data: TrendData;
  readonly #stopped = new AbortController();
  readonly #resizing = new ResizeObserver(() => this.#fit());
  #charts: uPlot[] = [];

  /** Put `element` on the page, then call `draw`. */
  constructor(data: TrendData) {
    this.#data = data;
    const { signal } = this.#stopped;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw(), { signal });
    this.#resizing.observe(this.element);
    this.element.addEventListener(
      'click',
      () => {
        const index = this.#charts[0]?.cursor.idx;
        if (typeof index === 'number') data.onChoose(index);
      },
      { signal },
    );
  }

  draw(): void {
    for (const chart of this.#charts) chart.destroy();
    const ink = readInk(this.element);
    this.#charts = PARTS.map((part, index) => this.#plot(part, ink, index === PARTS.length - 1));
    this.#fit();
  }

  stop(): void {
    this.#stopped.abort();
    this.#resizing.disconnect();
    for (const chart of this.#charts) chart.destroy();
  }

  #plot({ label, heightPx, range, splits, lines, bands = [] }: Part, ink: ChartInk, isLast: boolean): uPlot {
    const bars = uPlot.paths.bars?.({ size: [0.7, 60] });
    const times = this.#data.buckets.map(({ starts_at: startsAt }) => Date.parse(startsAt) / 1000);
    const halfS = ((times[1] ?? 0) - (times[0] ?? 0)) / 2;
    const options: uPlot.Options = {
      width: this.element.clientWidth || 300,
      height: heightPx,
      padding: [8, 26, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'trend' }, drag: { x: false, y: false }, y: false },
      // Bars are centred on their time, so the first and the last need room at the sides.
      scales: {
        x: { time: true, range: (_, first, last) => [first - halfS, last + halfS] },
        y: { range: (_, __, highest) => range(highest ?? 0) },
      },
      axes: chartAxes(ink, label, isLast ? this.#data.timeWords : null, splits),
      hooks: { setCursor: [(chart) => this.#point(chart)] },
      bands: bands.map(([upper, lower]) => ({
        series: [upper + 1, lower + 1],
        fill: withOpacity(ink.lines[0] ?? ink.text, BAND),
      })),
      series: [
        {},
        ...lines.map(({ number, isBars, isBorder = false }) => {
          const style = lineStyle(ink, number);
          if (isBorder) return { stroke: 'transparent', width: 0, points: { show: false } };
          if (!isBars || bars === undefined) return { ...style, points: { show: true, size: 5 } };
          const fill = withOpacity(ink.lines[number] ?? ink.text);
          return { stroke: style.stroke ?? ink.text, width: 1, fill, paths: bars, points: { show: false } };
        }),
      ],
    };
    const columns = lines.map(({ valueOf }) =>
      this.#data.buckets.map((bucket, index) => valueOf(bucket, this.#data.earlier[index])),
    );
    return new uPlot(options, [times, ...columns], this.element);
  }

  #point(chart: uPlot): void {
    // All charts share the cursor, so one of them reports it.
    if (chart === this.#charts[0] && typeof chart.cursor.idx === 'number') this.#data.onPoint(chart.cursor.idx);
  }

  #fit(): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    for (const [index, chart] of this.#charts.entries()) {
      if (chart.width !== width) chart.setSize({ width, height: PARTS[index]?.heightPx ?? 0 });
    }
  }
}

/** `rgb(1, 2, 3)`, as the browser gives every colour, made lighter. */
function withOpacity(colour: string, opacity = FILL): string {
  return colour.replace(/^rgb\((.+)\)$/, `rgb($1 / ${opacity})`).replaceAll(/,(?=.*\/)/g, ' ');
}
