import type { OtherCalls } from '../../model/alert.ts';
import type { CallRecord } from '../../model/record.ts';

/** With fewer judged calls beside it, nothing follows about this server. */
const FEWEST_OTHERS = 5;
/** With more bad calls than this beside it, the fault may be in this server. */
const MOST_BAD_PERCENT = 5;

export const NO_OTHER_CALLS: OtherCalls = { calls: 0, judgedCalls: 0, badCalls: 0 };

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
