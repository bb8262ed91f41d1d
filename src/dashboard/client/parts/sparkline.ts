import { svg } from './dom.ts';

const WIDTH = 100;
const HEIGHT = 24;
const LOWEST = 1;
const HIGHEST = 4.5;
/** Score of the line above which calls are good. */
const GOOD = 4;
/** Bound on the points. */
export const SPARK_POINTS = 60;
/** A shorter line is scaled as if it had this many points. */
const LEAST_POINTS = 15;

/** The course of a score on the opinion scale, the newest at the right; null leaves a gap. `label` says whose it is. */
export function sparkline(scores: readonly (number | null)[], label = 'score lately'): SVGElement {
  const shown = scores.slice(-SPARK_POINTS);
  const y = (mes: number): string => (HEIGHT - 2 - ((mes - LOWEST) / (HIGHEST - LOWEST)) * (HEIGHT - 4)).toFixed(1);
  let line = '';
  let dots = '';
  for (const [index, mes] of shown.entries()) {
    if (mes === null) continue;
    const x = WIDTH - 3 - ((shown.length - 1 - index) * (WIDTH - 6)) / (Math.max(shown.length, LEAST_POINTS) - 1);
    const place = `${x.toFixed(1)} ${y(mes)}`;
    const [before, after] = [shown[index - 1] ?? null, shown[index + 1] ?? null];
    line += `${before === null ? 'M' : 'L'}${place}`;
    // A point between two gaps would be invisible without a dot.
    if (before === null && after === null) dots += `M${place}h0.01`;
  }
  const known = shown.filter((mes) => mes !== null);
  const last = known.at(-1);
  return svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label':
        last === undefined
          ? 'no score yet'
          : `${label} ${Math.min(...known).toFixed(2)} to ${Math.max(...known).toFixed(2)}`,
    },
    svg('line', { x1: 0, x2: WIDTH, y1: y(GOOD), y2: y(GOOD), class: 'spark-good' }),
    svg('path', { d: line, class: 'spark-line' }),
    svg('path', { d: dots, class: 'spark-dots' }),
    last === undefined || shown.at(-1) === null
      ? null
      : svg('path', { d: `M${WIDTH - 3} ${y(last)}h0.01`, class: 'spark-end' }),
  );
}
