import type { IntervalAnswer } from './answers.ts';

/** From the worst score to the best. */
const UNICODE_LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ASCII_LEVELS = ['_', '.', ':', '-', '=', '+', '*', '#'] as const;
const LOWEST_OPINION = 1;
const HIGHEST_OPINION = 4.5;

/**
 * How a direction went, in at most `width` characters, oldest first: each shows the worst report of its stretch of time.
 * `x` is a stretch in which nothing arrived of what was sent, a blank one of which nothing is known.
 */
export function course(intervals: readonly IntervalAnswer[], width: number, isUnicode: boolean): string {
  const levels = isUnicode ? UNICODE_LEVELS : ASCII_LEVELS;
  const count = Math.min(width, intervals.length);
  let drawn = '';
  for (let index = 0; index < count; index++) {
    const from = Math.floor((index * intervals.length) / count);
    const to = Math.floor(((index + 1) * intervals.length) / count);
    drawn += symbol(intervals.slice(from, to), levels);
  }
  return drawn;
}

function symbol(stretch: readonly IntervalAnswer[], levels: readonly string[]): string {
  if (stretch.some(({ kind }) => kind === 'dead')) return 'x';
  const scores = stretch.flatMap(({ mes }) => mes ?? []);
  if (scores.length === 0) return ' ';
  const share = (Math.min(...scores) - LOWEST_OPINION) / (HIGHEST_OPINION - LOWEST_OPINION);
  return levels[Math.min(levels.length - 1, Math.max(0, Math.floor(share * levels.length)))] ?? ' ';
}
