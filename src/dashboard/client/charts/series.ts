import type { Interval } from '../rest/answers.ts';

/** Points of a line: seconds since 1970, and the value there; null is not known. */
export type Series = [seconds: number[], values: (number | null)[]];

/** One point per report. The line has a gap where reports were missed. */
export function seriesOf(intervals: readonly Interval[], valueOf: (interval: Interval) => number | null): Series {
  const seconds: number[] = [];
  const values: (number | null)[] = [];
  for (const interval of intervals) {
    const atS = Date.parse(interval.at) / 1000;
    const beforeS = seconds.at(-1);
    if (beforeS !== undefined && interval.covers_reports > 1) {
      seconds.push((beforeS + atS) / 2);
      values.push(null);
    }
    seconds.push(atS);
    values.push(valueOf(interval));
  }
  return [seconds, values];
}
