import type { LegSample } from '../model/alert.ts';
import type { CallRecord } from '../model/record.ts';
import { isBad, isJudged } from './rule-value.ts';

/** Fewer other calls say nothing of this server. */
const FEWEST_OTHERS = 5;
/** So many of a hundred others may be bad before this server is suspected. */
const MOST_BAD_PERCENT = 5;

/** Other calls that used this server at the same time. */
export interface Others {
  readonly calls: number;
  readonly judgedCalls: number;
  readonly badCalls: number;
}

export const NO_OTHERS: Others = { calls: 0, judgedCalls: 0, badCalls: 0 };

/** Of the legs, those that were up at some moment of the span and belong to other calls. */
export function othersAtTheTime(
  legs: readonly LegSample[],
  span: { readonly linkedid: string; readonly fromMs: number; readonly toMs: number },
): Others {
  const overlapping = legs.filter(
    ({ linkedid, startedAtMs, endedAtMs, answered }) =>
      linkedid !== span.linkedid && answered && startedAtMs < span.toMs && (endedAtMs ?? span.toMs) > span.fromMs,
  );
  const calls = [...Map.groupBy(overlapping, ({ linkedid }) => linkedid).values()];
  const judged = calls.filter((ofCall) => ofCall.some(({ verdict }) => isJudged(verdict)));
  const bad = judged.filter((ofCall) => ofCall.some(({ verdict }) => isBad(verdict)));
  return { calls: calls.length, judgedCalls: judged.length, badCalls: bad.length };
}

/** Why the fault does not lie in this server: what the call's own directions tell, and the other calls. Null: nothing does. */
export function rulesOutServer(
  { faultPlace, faultWhy }: Pick<CallRecord, 'faultPlace' | 'faultWhy'>,
  { judgedCalls, badCalls }: Others,
): string | null {
  if (faultPlace === 'this-server' || faultPlace === 'none') return null;
  const isElsewhere = faultPlace !== null && faultWhy !== null;
  const areOthersGood = judgedCalls >= FEWEST_OTHERS && 100 * badCalls <= MOST_BAD_PERCENT * judgedCalls;
  const sentences = [
    isElsewhere ? faultWhy : [],
    areOthersGood
      ? `At the same time ${judgedCalls} other calls went through this server, and ${badCalls === 0 ? 'none' : badCalls} of them ${badCalls > 1 ? 'were' : 'was'} bad.`
      : [],
  ].flat();
  return sentences.length === 0 ? null : sentences.join(' ');
}
