/** A stretch of time whose calls are added, or taken off where `times` is -1. */
export interface TimeSlice {
  readonly fromMs: number;
  readonly toMs: number;
  /** The length of the spans that it consists of; null: it is shorter than any span. */
  readonly spanMs: number | null;
  readonly times: 1 | -1;
}

/**
 * A range as whole spans and what remains at its ends, so that as little as possible is counted call by call: where more
 * than half of a span lies in the range, the whole is added and the rest taken off. `spansMs`: lengths of the spans that
 * there are, the longest first.
 */
export function timeSlices(fromMs: number, toMs: number, spansMs: readonly number[], times: 1 | -1 = 1): TimeSlice[] {
  if (fromMs >= toMs) return [];
  const [spanMs, ...shorter] = spansMs;
  if (spanMs === undefined) return [{ fromMs, toMs, spanMs: null, times }];
  const startMs = Math.round(fromMs / spanMs) * spanMs;
  const endMs = Math.round(toMs / spanMs) * spanMs;
  if (startMs >= endMs) return timeSlices(fromMs, toMs, shorter, times);
  const opposite = times === 1 ? -1 : 1;
  return [
    ...timeSlices(fromMs, startMs, shorter, times),
    ...timeSlices(startMs, fromMs, shorter, opposite),
    { fromMs: startMs, toMs: endMs, spanMs, times },
    ...timeSlices(endMs, toMs, shorter, times),
    ...timeSlices(toMs, endMs, shorter, opposite),
  ];
}
