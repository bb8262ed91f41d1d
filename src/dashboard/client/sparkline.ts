import { svg } from './dom.ts';

const WIDTH = 100;
const HEIGHT = 24;
const LOWEST = 1;
const HIGHEST = 4.5;
/** The line at which a score begins to be good. */
const GOOD = 4;
/** Points that are kept. */
export const SPARK_POINTS = 60;
/** The line is stretched as if it had at least so many. */
const LEAST_POINTS = 15;

/** The course of a score on the opinion scale, the newest at the right; null leaves a gap. */
export function sparkline(scores: readonly (number | null)[]): SVGElement {
  const shown = scores.slice(-SPARK_POINTS);
  const y = (mes: number): string => (HEIGHT - 2 - ((mes - LOWEST) / (HIGHEST - LOWEST)) * (HEIGHT - 4)).toFixed(1);
  let path = '';
  let isDrawing = false;
  for (const [index, mes] of shown.entries()) {
    if (mes !== null) {
      const x = WIDTH - 3 - ((shown.length - 1 - index) * (WIDTH - 6)) / (Math.max(shown.length, LEAST_POINTS) - 1);
      path += `${isDrawing ? 'L' : 'M'}${x.toFixed(1)} ${y(mes)}`;
    }
    isDrawing = mes !== null;
  }
  const known = shown.filter((mes) => mes !== null);
  const last = known.at(-1);
  const label =
    last === undefined
      ? 'no score yet'
      : `score lately ${Math.min(...known).toFixed(2)} to ${Math.max(...known).toFixed(2)}`;
  return svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    svg('line', { x1: 0, x2: WIDTH, y1: y(GOOD), y2: y(GOOD), class: 'spark-good' }),
    svg('path', { d: path, class: 'spark-line' }),
    last === undefined || shown.at(-1) === null
      ? null
      : svg('path', { d: `M${WIDTH - 3} ${y(last)}h0.01`, class: 'spark-end' }),
  );
}
