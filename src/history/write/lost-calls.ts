import type { Statements } from '../schema/statements.ts';
import type { KnownCalls } from '../thread/protocol.ts';

/** Ended in one step, for which a commit waits. */
const STEP_CALLS = 100;

/** Uses the index of calls that are not counted. A joined call is known by the linkedid that took it in. */
const LOST = `SELECT linkedid FROM calls WHERE is_counted = 0 AND ended_at_ms IS NULL
  AND linkedid NOT IN (SELECT value FROM json_each(?))
  AND linkedid NOT IN (SELECT into_linkedid FROM json_each(?) CROSS JOIN call_aliases ON from_linkedid = value)
  AND NOT EXISTS (SELECT 1 FROM channels WHERE channels.linkedid = calls.linkedid
    AND ended_at_ms IS NULL AND uniqueid IN (SELECT value FROM json_each(?)))
  LIMIT ${STEP_CALLS}`;

const END_CHANNELS = `UPDATE channels SET end_reason = 'vanished', ended_at_ms = max(started_at_ms, ifnull(answered_at_ms, 0),
    ifnull((SELECT max(at_ms) FROM stored_intervals WHERE stored_intervals.uniqueid = channels.uniqueid), 0),
    ifnull((SELECT max(at_ms) FROM recent_intervals WHERE recent_intervals.uniqueid = channels.uniqueid), 0))
  WHERE linkedid = ? AND ended_at_ms IS NULL`;
const END_CALL = `UPDATE calls SET ended_at_ms = ifnull(
    (SELECT max(ended_at_ms) FROM channels WHERE channels.linkedid = calls.linkedid), started_at_ms) WHERE linkedid = ?`;
const FORGET_RESUMES = 'DELETE FROM resumes WHERE uniqueid IN (SELECT uniqueid FROM channels WHERE linkedid = ?)';

/** Ends, in the caller's transaction, some stored calls that are up but no longer known to the sidecar; returns how many. */
export function endLostCalls(statements: Statements, { linkedids, uniqueids }: KnownCalls): number {
  const known = JSON.stringify(linkedids);
  const lost = statements.prepared(LOST).pluck().all(known, known, JSON.stringify(uniqueids)) as string[];
  for (const linkedid of lost)
    for (const sql of [END_CHANNELS, END_CALL, FORGET_RESUMES]) statements.run(sql, linkedid);
  return lost.length;
}
