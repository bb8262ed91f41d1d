import { NumberRow } from '../../stats/number-row.ts';

/** Properties that are moments, by the names of the house: `atMs`, `startedAtMs`, `watchedSinceMs`, `fromMs` and `toMs` of a burst. */
const MOMENT = /(?:^at|^from|^to|At|Since)Ms$/;

/** Moves every moment in plain data by `byMs`, in place: the clock was set, and what lies between them stays as it was. */
export function moveMoments(data: object, byMs: number, moved: Set<object> = new Set()): void {
  // Parts may be shared.
  if (moved.has(data)) return;
  moved.add(data);
  const fields = data as Record<string, unknown>;
  const names = data instanceof NumberRow ? [...data.names, ...Object.keys(data)] : Object.keys(data);
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'object' && value !== null) moveMoments(value, byMs, moved);
    else if (typeof value === 'number' && MOMENT.test(name)) fields[name] = value + byMs;
  }
}
