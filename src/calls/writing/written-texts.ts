import { WRITTEN_FIELDS } from '../../model/fields/written-fields.ts';
import { formatOpinion } from '../../score/opinion.ts';
import type { ScoreView } from '../channels/channel-record.ts';

/** The scores as they are written, in the order of `WRITTEN_FIELDS`; '': not known. */
export function textsOf(scores: ScoreView): string[] {
  const texts: string[] = [];
  for (const [, , field] of WRITTEN_FIELDS) {
    const value = scores[field];
    texts.push(typeof value === 'number' ? formatOpinion(value) : (value ?? ''));
  }
  return texts;
}

/** The texts that differ from those written last, by name. `written` takes them over. */
export function takeChanged(
  names: readonly string[],
  texts: readonly string[],
  written: (string | undefined)[],
): Map<string, string> {
  const changed = new Map<string, string>();
  for (let place = 0; place < names.length; place++) {
    const text = texts[place] ?? '';
    if (written[place] === text) continue;
    written[place] = text;
    changed.set(names[place] ?? '', text);
  }
  return changed;
}
