import type { LegSample } from '../model/alert.ts';
import type { CallRecord } from '../model/record.ts';
import { isBad, isJudged } from './rule-value.ts';

/** With fewer judged calls beside it, nothing follows about this server. */
const FEWEST_OTHERS = 5;
/** With more bad calls than this beside it, the fault may be in this server. */
const MOST_BAD_PERCENT = 5;

/** Other calls that used this server at the same time. */
export interface OtherCalls {
  readonly calls: number;
  readonly judgedCalls: number;
  readonly badCalls: number;
}

export const NO_OTHER_CALLS: OtherCalls = { calls: 0, judgedCalls: 0, badCalls: 0 };

/** Counts the other calls that were answered and up at some moment of the span. `endedAtMs` null: still up. */
export function callsAtTheSameTime(
  legs: readonly LegSample[],
  span: { readonly linkedid: string; readonly fromMs: number; readonly toMs: number },
): OtherCalls {
  const overlapping = legs.filter(
    ({ linkedid, startedAtMs, endedAtMs, answered }) =>
      linkedid !== span.linkedid && answered && startedAtMs < span.toMs && (endedAtMs ?? span.toMs) > span.fromMs,
  );
  const calls = [...Map.groupBy(overlapping, ({ linkedid }) => linkedid).values()];
  const judged = calls.filter((ofCall) => ofCall.some(({ verdict }) => isJudged(verdict)));
  const bad = judged.filter((ofCall) => ofCall.some(({ verdict }) => isBad(verdict)));
  return { calls: calls.length, judgedCalls: judged.length, badCalls: bad.length };
}

/** Sentences on why the fault is not in this server: by the call's own directions, and by other calls. Null: nothing shows it. */
export function rulesOutServer(
  { faultPlace, faultWhy }: Pick<CallRecord, 'faultPlace' | 'faultWhy'>,
  { judgedCalls, badCalls }: OtherCalls,
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
