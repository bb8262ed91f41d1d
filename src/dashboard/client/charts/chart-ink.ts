import type uPlot from 'uplot';
import { el } from '../parts/dom.ts';

/** Lines differ in colour and in pattern; the style sheet knows the colours by the same numbers. */
const COLOURS = ['--one', '--two', '--three', '--four'] as const;
const PATTERNS = [[], [7, 4], [2, 3], [10, 3, 2, 3]] as const;
const AXIS_PX = 46;

/** The page's colours, as a canvas takes them. */
export interface ChartInk {
  readonly text: string;
  readonly grid: string;
  readonly lines: readonly string[];
  readonly font: string;
}

/** The colours of light or dark, whichever is shown now; `host` is on the page. */
export function readInk(host: HTMLElement): ChartInk {
  // `light-dark()` is only worked out where a colour is used.
  const colourOf = (name: string): string => {
    const probe = el('span', { class: `ink${name}` });
    host.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const font = `12px ${getComputedStyle(document.documentElement).fontFamily}`;
  return { text: colourOf('--soft'), grid: colourOf('--line'), lines: COLOURS.map(colourOf), font };
}

/** Colour and pattern of the line of this number. */
export function lineStyle(ink: ChartInk, line: number): Pick<uPlot.Series, 'stroke' | 'dash' | 'width'> {
  return {
    stroke: ink.lines[line % COLOURS.length] ?? ink.text,
    dash: [...(PATTERNS[line % PATTERNS.length] ?? [])],
    width: 1.8,
  };
}

/** Ticks have room for four characters: `2K` for 2000. */
const TICK = new Intl.NumberFormat(undefined, { notation: 'compact' });

/** A sample of a line for a legend, by its number in the chart. */
export function lineSample(line: number): HTMLElement {
  return el('span', { class: `line-sample line-${line % COLOURS.length}`, 'aria-hidden': 'true' });
}

/** The axes of a chart: time (its labels only if asked for) and a quantity. */
export function chartAxes(
  ink: ChartInk,
  label: string,
  timeWords: ((atMs: number) => string) | null,
  splits?: readonly number[],
): uPlot.Axis[] {
  const grid = { stroke: ink.grid, width: 1 };
  const common = { stroke: ink.text, font: ink.font, grid, ticks: grid };
  return [
    {
      ...common,
      size: timeWords === null ? 6 : 30,
      space: 84,
      values: (_, seconds) => seconds.map((second) => timeWords?.(second * 1000) ?? ''),
    },
    {
      ...common,
      size: AXIS_PX,
      label,
      labelFont: ink.font,
      labelSize: 18,
      values: (_, numbers) => numbers.map((number) => TICK.format(number)),
      ...(splits === undefined ? {} : { splits: [...splits] }),
    },
  ];
}
