import { BAD, JUDGED } from '../../history/sums/contribution.ts';
import type { BesideQuery } from '../../history/features/alerts.ts';
import type { OtherCalls } from '../../model/alert.ts';
import { LONGEST_CALL_MS } from '../gatherer.ts';
import type { Question } from './question.ts';
import { allOf, listOf, quote } from './sql.ts';

const isIn = (set: ReadonlySet<string | null>): string => `max(ifNull(verdict, '') IN ${listOf([...set].map(String))})`;

/** Answered calls on the PBX of the question at the time of another one. Rejects with StoreError. */
export async function callsBeside(question: Question, { linkedid, fromMs, toMs }: BesideQuery): Promise<OtherCalls> {
  const range = { fromMs: fromMs - LONGEST_CALL_MS, toMs };
  const cells = 'pbx, linkedid, uniqueid, verdict, answered_at_ms, started_at_ms, ended_at_ms';
  const test = allOf(
    `linkedid != ${quote(linkedid)}`,
    'isNotNull(answered_at_ms)',
    `started_at_ms < ${toMs}`,
    `ended_at_ms > ${fromMs}`,
    question.isNoAlias(range),
  );
  const rows = await question.ask<{ readonly calls: number; readonly judged: number; readonly bad: number }>(
    `SELECT toInt64(count()) AS calls, toInt64(sum(is_judged)) AS judged, toInt64(sum(is_bad)) AS bad
      FROM (SELECT pbx, linkedid, ${isIn(JUDGED)} AS is_judged, ${isIn(BAD)} AS is_bad
        FROM ${question.newest('channels', cells, range)} WHERE ${test} GROUP BY pbx, linkedid)`,
  );
  const sum = (of: 'calls' | 'judged' | 'bad'): number => rows.reduce((total, row) => total + row[of], 0);
  return { calls: sum('calls'), judgedCalls: sum('judged'), badCalls: sum('bad') };
}
