import { formatOpinion } from '../score/opinion.ts';
import type { ScoreView } from './channel-record.ts';

/** The channel variables of a channel as they stand, by name. What is not known is not there. */
export function variablesOf(scores: ScoreView): Map<string, string> {
  const variables = new Map<string, string>();
  const put = (name: string, opinion: number | null): void => {
    if (opinion !== null) variables.set(name, formatOpinion(opinion));
  };
  put('MES', scores.mes);
  put('MES_RX', scores.mesRx);
  put('MES_TX', scores.mesTx);
  put('MES_PEER_RX', scores.mesPeerRx);
  put('MES_PEER_TX', scores.mesPeerTx);
  put('MES_CALL', scores.mesCall);
  put('MES_MIN', scores.mesMin);
  if (scores.verdict !== null) variables.set('MES_VERDICT', scores.verdict);
  return variables;
}

/** Those of `variables` that differ from what was written last; `written` takes them over. */
export function takeChanged(
  variables: ReadonlyMap<string, string>,
  written: Record<string, string>,
): Map<string, string> {
  const changed = new Map<string, string>();
  for (const [name, value] of variables) {
    if (written[name] === value) continue;
    written[name] = value;
    changed.set(name, value);
  }
  return changed;
}
