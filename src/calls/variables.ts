import { formatOpinion } from '../score/opinion.ts';
import type { ScoreView } from './channel-record.ts';

/** Variable → which score it tells. */
const OPINION_VARIABLES = [
  ['MES', 'mes'],
  ['MES_RX', 'mesRx'],
  ['MES_TX', 'mesTx'],
  ['MES_PEER_RX', 'mesPeerRx'],
  ['MES_PEER_TX', 'mesPeerTx'],
  ['MES_CALL', 'mesCall'],
  ['MES_MIN', 'mesMin'],
] as const satisfies readonly (readonly [string, keyof ScoreView])[];

/** The channel variables of a channel as they stand, by name. What is not known is not there. */
export function variablesOf(scores: ScoreView): Map<string, string> {
  return takeChanged(scores, []);
}

/** Those of the channel's variables that differ from what was written last; `written` takes them over. */
export function takeChanged(scores: ScoreView, written: (string | undefined)[]): Map<string, string> {
  const changed = new Map<string, string>();
  const take = (place: number, name: string, value: string): void => {
    if (written[place] === value) return;
    written[place] = value;
    changed.set(name, value);
  };
  OPINION_VARIABLES.forEach(([name, score], place) => {
    const opinion = scores[score];
    if (opinion !== null) take(place, name, formatOpinion(opinion));
  });
  if (scores.verdict !== null) take(OPINION_VARIABLES.length, 'MES_VERDICT', scores.verdict);
  return changed;
}
