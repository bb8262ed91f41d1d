import { formatOpinion } from '../score/opinion.ts';
import type { ScoreView } from './channels/channel-record.ts';

/** Variable, its field in the CDR, and which score both tell. */
const OPINIONS = [
  ['MES', 'mes', 'mes'],
  ['MES_RX', 'mes_rx', 'mesRx'],
  ['MES_TX', 'mes_tx', 'mesTx'],
  ['MES_PEER_RX', 'mes_peer_rx', 'mesPeerRx'],
  ['MES_PEER_TX', 'mes_peer_tx', 'mesPeerTx'],
  ['MES_CALL', 'mes_call', 'mesCall'],
  ['MES_MIN', 'mes_min', 'mesMin'],
] as const satisfies readonly (readonly [string, string, keyof ScoreView])[];

export const VARIABLES: readonly string[] = [...OPINIONS.map(([variable]) => variable), 'MES_VERDICT'];
export const CDR_FIELDS: readonly string[] = [...OPINIONS.map(([, field]) => field), 'mes_verdict'];

/** The scores as they are written, in the order of `VARIABLES` and `CDR_FIELDS`; '' is not known. */
export function textsOf(scores: ScoreView): string[] {
  const texts: string[] = [];
  for (const [, , score] of OPINIONS) {
    const opinion = scores[score];
    texts.push(opinion === null ? '' : formatOpinion(opinion));
  }
  texts.push(scores.verdict ?? '');
  return texts;
}

/** Those that differ from what was written last, by name; `written` takes them over. */
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
